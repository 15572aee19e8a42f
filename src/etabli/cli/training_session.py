"""One run of `etabli train RECIPE`: check, estimate, train with a curve, tell what came out.

Whoever runs the job, this command only looks at the database: the server where one serves, else a runner in threads
of this process. Ctrl-C asks for a pause; the second one leaves at once, and the job goes on from its last checkpoint.
"""

import contextlib
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

from etabli.cli.terminal import DONE, FAILED, NOTE, make_console, print_json, say_step, seconds, step
from etabli.cli.train import state_word, steps_of, values_of
from etabli.errors import ConfigurationError, NotFoundError
from etabli.listening import is_serving
from etabli.messages import language, told, tr
from etabli.models.sizes import format_bytes, format_count

if TYPE_CHECKING:
    from rich.console import Console

    from etabli.training.jobs import JobEvent, JobRequest, TrainingJob
    from etabli.training.recipe import Recipe
    from etabli.training.running import TrainingRunner
    from etabli.workspace import Workspace

JSON = dict[str, Any]
INTERRUPTED = 130
_POLL_S = 0.3
_PAUSE_S = 150.0
_WIDTH = 40
_BARS = "▁▂▃▄▅▆▇█"


class Session:
    """One run of the command.

    Args:
        workspace: where it happens.
        recipe: what is wanted.
        quiet: JSON at the end and nothing before it.
    """

    def __init__(self, workspace: "Workspace", recipe: "Recipe", *, quiet: bool) -> None:
        from etabli.models.store import ModelStore

        self._workspace = workspace
        self._store = workspace.training_jobs
        self._models = ModelStore(workspace.settings.models_dir)
        self._recipe = recipe.model_copy(update={"base": recipe.base or workspace.settings.model})
        self._quiet = quiet
        self._console = make_console(stderr=True)

    def estimate(self) -> int:
        """Check the data and say what the training would take; gives the exit status."""
        from etabli.training.estimating import estimate_apart

        recipe = self._recipe
        self._check_assistant()
        with tempfile.TemporaryDirectory() as folder:
            training, held_out = self._files(Path(folder))
            plan = self._plan(training, held_out)
            if not self._check(training, held_out, plan.hyperparameters.max_tokens):
                return 1
            with self._step(tr("Timing a few steps")):
                found = estimate_apart(plan, calibrate=True)
        probes = self._workspace.estimate_probes(recipe.assistant, recipe.probes, seed=recipe.seed)
        found = found | {"probes": probes}
        if self._quiet:
            print_json(found)
        else:
            tell_estimate(make_console(), found)
        return 0

    def train(self, *, approve: bool, again: bool) -> int:
        """Begin, or go on with, the job of the recipe; gives the exit status."""
        self._check_assistant()
        job = None if again else self._earlier()
        if job is not None and approve and not job.approve:
            self._store.set(job.id, approve=True)
        if job is not None and job.state == "succeeded":
            if approve:
                self._approve(job)
            return self._end(job, give=approve)
        if job is None:
            job = self._begin(approve=approve)
            if job is None:
                return 1
        elif job.state == "paused":
            job = self._store.ask(job.id, "resume")
        with self._runner(job.id):
            try:
                job = self._follow(job)
            except KeyboardInterrupt:
                return self._pause(job.id)
        return self._end(job, give=approve)

    def _check_assistant(self) -> None:
        """The recipe's assistant exists: else that would be said when the training is over.

        Raises:
            NotFoundError: it does not.
        """
        if self._recipe.assistant is not None:
            self._workspace.assistants.get(self._recipe.assistant)

    def _approve(self, job: "TrainingJob") -> None:
        """What was trained before, forgot nothing and does no more harm is approved now: the person says so."""
        from etabli.cli.adapters import decide

        adapter = self._workspace.adapters.of_job(job.id)
        found = job.comparison or {}
        bad = found.get("forgot") or (found.get("probes") or {}).get("harmed")
        if adapter is not None and adapter.state == "trained" and not bad:
            decide(self._workspace, adapter.name, "approve")

    def _earlier(self) -> "TrainingJob | None":
        """The job that this recipe began before, where there is something to go on with."""
        job = self._store.of_recipe(self._digest())
        return None if job is None or job.state in ("failed", "cancelled") else job

    def _begin(self, *, approve: bool) -> "TrainingJob | None":
        from etabli.training.files import COPY_KEPT, TRAINING
        from etabli.training.jobs import JobRequest

        recipe = self._recipe
        with tempfile.TemporaryDirectory() as folder:
            training, held_out = self._files(Path(folder))
            plan = self._plan(training, held_out)
            if not self._check(training, held_out, plan.hyperparameters.max_tokens):
                return None
            uploads = self._workspace.uploads
            files = [
                uploads.add_copy(path, filename=name, purpose=TRAINING, expires_in=COPY_KEPT).id
                if path is not None
                else None
                for path, name in ((training, recipe.data.name), (held_out, self._held_out_name()))
            ]
        assert files[0] is not None
        request = JobRequest(
            base=plan.base,
            training_file=files[0],
            validation_file=files[1],
            method=recipe.method,
            hyperparameters=recipe.hyperparameters,
            suffix=recipe.suffix or recipe.data.stem,
            seed=recipe.seed,
            assistant=recipe.assistant,
            probes=recipe.probes,
            recipe=self._digest(),
            approve=approve,
            account_id=1,
        )
        return self._submit(request)

    def _submit(self, request: "JobRequest", *, job_id: str | None = None) -> "TrainingJob":
        from etabli.training.submitting import submit

        settings = self._workspace.settings
        return submit(
            request, store=self._store, files=self._workspace.uploads, models=self._models,
            folder=settings.training_dir, workspace=settings.workspace.name, job_id=job_id,
        )  # fmt: skip

    def _digest(self) -> str:
        from etabli.training.recipe import digest_of

        return digest_of(self._recipe, base_sha256=self._base().sha256)

    def _base(self) -> Any:
        manifest = self._models.manifest(str(self._recipe.base))
        if manifest is None or not self._models.present(manifest):
            raise NotFoundError(
                tr(
                    "The model {name} is not on this machine. Get it with: etabli models pull {name}",
                    name=self._recipe.base,
                )
            )
        return manifest

    def _files(self, folder: Path) -> tuple[Path, Path | None]:
        """The examples to learn and those that are held out."""
        from etabli.training.recipe import split

        recipe = self._recipe
        whole = recipe.examples is None and recipe.validation_examples is None
        if whole and not isinstance(recipe.validation, float):
            return recipe.data, recipe.validation
        parts = split(recipe)
        paths = folder / "learnt" / recipe.data.name, folder / "held-out" / self._held_out_name()
        for path, lines in zip(paths, (parts.training, parts.held_out), strict=True):
            path.parent.mkdir()
            path.write_bytes(b"".join(line + b"\n" for line in lines))
        return paths[0], paths[1] if parts.held_out else None

    def _held_out_name(self) -> str:
        validation = self._recipe.validation
        return validation.name if isinstance(validation, Path) else f"{self._recipe.data.stem}-held-out.jsonl"

    def _plan(self, training: Path, held_out: Path | None) -> Any:
        from etabli.training.base import TrainingPlan
        from etabli.training.jobs import method_of_file, resolve

        recipe, base = self._recipe, self._base()
        method = recipe.method or method_of_file(training) or "supervised"
        return TrainingPlan(
            base=str(recipe.base),
            base_path=self._models.path_of(base.sha256).absolute(),
            base_sha256=base.sha256,
            method=method,
            training_file=training.absolute(),
            validation_file=held_out.absolute() if held_out is not None else None,
            hyperparameters=resolve(recipe.hyperparameters, method, seed=recipe.seed),
        )

    def _check(self, training: Path, held_out: Path | None, most_tokens: int) -> bool:
        """Look at the data; says whether it can be trained on."""
        from etabli.training.checking import Base, FileChecks, Look

        base = Base(str(self._recipe.base), self._models.path_of(self._base().sha256), most_tokens)
        look = Look(training, {}, self._recipe.method, held_out, base)
        with self._step(tr("Checking the data")):
            found = FileChecks(self._workspace.settings.questions_dir)(look)
        for warning in found.warnings:
            self._say(warning, NOTE)
        if found.fault is not None:
            raise ConfigurationError(found.fault)
        return True

    @contextlib.contextmanager
    def _runner(self, job: str) -> Iterator["TrainingRunner | None"]:
        """The server where one serves, else a runner of our own."""
        if is_serving(self._workspace.settings.run_dir):
            self._say(tr("The server trains; this command only looks on."), NOTE)
            yield None
            return
        with self._workspace.training_runner(only=job, gives_way=False) as runner:
            yield runner

    def _follow(self, job: "TrainingJob") -> "TrainingJob":
        """Tell what happens until the job waits for a person or has ended."""
        last: str | None = None
        with _Curve(self._console, quiet=self._quiet) as curve:
            while True:
                for event in self._store.new_events(job.id, last):
                    last = event.id
                    curve.tell(event)
                job = self._store.get(job.id)
                curve.update(job)
                if job.ended or job.state == "paused":
                    for event in self._store.new_events(job.id, last):
                        curve.tell(event)
                    return job
                time.sleep(_POLL_S)

    def _pause(self, job: str) -> int:
        """After Ctrl-C: have the job write a checkpoint."""
        with contextlib.suppress(Exception, KeyboardInterrupt):
            self._store.ask(job, "pause")
            self._say(tr("Pausing; once more Ctrl-C leaves at once"), NOTE)
            until = time.monotonic() + _PAUSE_S
            while time.monotonic() < until and self._store.get(job).state in ("running", "queued"):
                time.sleep(_POLL_S)
        self._say(tr("Paused; the same command goes on"), NOTE)
        return INTERRUPTED

    def _give(self, job: "TrainingJob") -> None:
        """The assistant of the recipe gets what was trained for it, once it is approved."""
        from etabli.cli.adapters import give, given_sentence

        adapter = self._workspace.adapters.of_job(job.id)
        wanted = self._recipe.assistant
        if wanted is None or adapter is None or adapter.state != "approved":
            return
        if self._workspace.assistants.get(wanted).adapter != adapter.name:
            give(self._workspace, adapter, wanted)
            self._say(given_sentence(adapter.name, wanted))

    def _end(self, job: "TrainingJob", *, give: bool = False) -> int:
        """What came out."""
        if give and job.state == "succeeded":
            self._give(job)
        if self._quiet:
            print_json(values_of(job))
        elif job.state == "succeeded":
            show(make_console(), self._workspace, job)
        elif job.state == "paused":
            self._say(tr("Paused; the same command goes on"), NOTE)
        elif job.error is not None:
            self._say(told(job.error["message"]), FAILED)
        else:
            self._say(state_word(job.state), FAILED)
        return {"succeeded": 0, "paused": INTERRUPTED}.get(job.state, 1)

    @contextlib.contextmanager
    def _step(self, label: str) -> Iterator[None]:
        if self._quiet:
            yield
            return
        with step(self._console, label):
            yield

    def _say(self, sentence: str, mark: str = DONE) -> None:
        if not self._quiet:
            say_step(self._console, sentence, mark=mark)


class _Curve:
    """A bar with the loss while the job trains; plain lines where nobody watches."""

    def __init__(self, console: "Console", *, quiet: bool) -> None:
        self._console = console
        self._quiet = quiet
        self._losses: list[float] = []
        self._bar: Progress | None = None
        self._told_share = 0.0

    def __enter__(self) -> "_Curve":
        if self._console.is_terminal and not self._quiet:
            self._bar = Progress(
                TextColumn(" "),
                SpinnerColumn("dots", style="cyan"),
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=24, pulse_style="bar.back"),
                TextColumn("{task.fields[detail]}", style="dim", markup=False),
                console=self._console,
                transient=True,
                refresh_per_second=4,
            )
            self._task = self._bar.add_task("", total=None, detail="")
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def tell(self, event: "JobEvent") -> None:
        """One event."""
        if event.kind == "metrics":
            loss = event.data.get("train_loss")
            if isinstance(loss, (int, float)):
                self._losses.append(float(loss))
            self._tell_step(event)
        elif not self._quiet:
            marks = {"info": DONE, "warn": NOTE, "error": FAILED}
            say_step(self._console, told(event.message), mark=marks[event.level])

    def update(self, job: "TrainingJob") -> None:
        """How far it is."""
        if self._bar is None:
            return
        detail = ""
        if self._losses:
            detail = f"{sparkline(self._losses)}  {self._losses[-1]:.3f}"
        if job.estimated_finish is not None and job.state == "running":
            remaining = max(0.0, job.estimated_finish.timestamp() - time.time())
            detail += "  " + tr("{time} left", time=seconds(remaining))
        label = state_word(job.state) + (f" {steps_of(job)}" if job.total_steps else "")
        done, total = job.step, job.total_steps
        if job.state == "examining" and job.progress is not None:
            done, total = job.progress["done"], job.progress["total"]
            part = {"answers": tr("answers"), "probes": tr("probes")}[job.progress["part"]]
            label, detail = state_word(job.state), f"{part} {done}/{total}"
        self._bar.update(self._task, description=label, completed=done, total=total, detail=detail)

    def _tell_step(self, event: "JobEvent") -> None:
        """Every tenth of the way, where nobody watches a bar."""
        total = event.data.get("total_steps")
        if self._quiet or self._bar is not None or not total:
            return
        share = event.data.get("step", 0) / total
        if share >= self._told_share + 0.1 or share == 1:
            self._told_share = share
            say_step(self._console, told(event.message))


def sparkline(values: Sequence[float], *, width: int = _WIDTH) -> str:
    """Values as bars of eight heights, at most `width` of them, each the mean of its part.

    >>> sparkline([3.0, 2.0, 1.0, 0.0])
    '█▆▃▁'
    """
    count = min(width, len(values))
    parts = [
        values[place * len(values) // count : (place + 1) * len(values) // count] for place in range(count)
    ]
    means = [sum(part) / len(part) for part in parts]
    low, high = min(means), max(means)
    span = (high - low) or 1.0
    return "".join(_BARS[round((mean - low) / span * (len(_BARS) - 1))] for mean in means)


def tell_estimate(console: "Console", found: JSON) -> None:
    """What a training would take, line by line."""
    lines = [
        tr(
            "{examples} examples, {tokens} tokens over all epochs, {share} of them learnt, the longest {longest}",
            examples=found.get("examples"),
            tokens=format_count(int(found.get("tokens") or 0)),
            share=f"{100 * float(found.get('trained_share') or 0):.0f} %",
            longest=found.get("longest"),
        ),
        tr(
            "{steps} steps; at most {memory} of memory",
            steps=found.get("steps"),
            memory=format_bytes(int(found.get("memory_bytes") or 0)),
        ),
    ]
    if found.get("seconds") is not None:
        lines.append(
            tr(
                "About {time} on this machine, about {energy} Wh (estimated)",
                time=seconds(float(found["seconds"])),
                energy=f"{float(found.get('watt_hours') or 0):.1f}",
            )
        )
    if (probes := found.get("probes")) is not None:
        lines.append(
            tr(
                "Then {count} of certification's probes on {name}, before and after: {replies} answers, about {time}",
                count=probes["probes"],
                name=probes["assistant"],
                replies=probes["replies"],
                time=seconds(float(probes["seconds"])),
            )
        )
    for line in lines:
        say_step(console, line)


def show(console: "Console", workspace: "Workspace", job: "TrainingJob") -> None:
    """A job with what was found, for people."""
    losses = [float(one["train_loss"]) for one in workspace.training_jobs.curve(job.id)
              if isinstance(one.get("train_loss"), (int, float))]  # fmt: skip
    say_step(
        console, f"{job.id}  {state_word(job.state)}  {steps_of(job)}", mark=FAILED if job.error else DONE
    )
    if losses:
        say_step(
            console,
            tr("Loss {first} → {last}  {curve}", first=f"{losses[0]:.3f}", last=f"{losses[-1]:.3f}",
               curve=sparkline(losses)),
        )  # fmt: skip
    if job.error is not None:
        say_step(console, told(job.error["message"]), mark=FAILED)
    _show_gate(console, job.gate)
    _show_comparison(console, job.comparison)
    adapter = workspace.adapters.of_job(job.id)
    if adapter is None:
        return
    if adapter.state == "approved":
        say_step(
            console,
            tr("{name} is approved: name it as `adapter` of an assistant, or as `model`", name=adapter.name),
        )
    elif adapter.state == "trained":
        say_step(
            console,
            tr("{name} waits for approval: etabli adapters approve {name}", name=adapter.name),
            mark=NOTE,
        )
    else:
        say_step(console, f"{adapter.name}: {adapter.reason or adapter.state}", mark=FAILED)


def _show_gate(console: "Console", gate: JSON | None) -> None:
    if gate is None or "mean_divergence" not in gate:
        return
    passed = gate.get("passed") is True
    say_step(
        console,
        tr(
            "Trainer and engine: divergence {divergence} (below 0.01 wanted), same first word in {share} of {count} "
            "places",
            divergence=f"{float(gate['mean_divergence']):.4f}",
            share=f"{100 * float(gate['agreement']):.1f} %",
            count=gate.get("positions"),
        ),
        mark=DONE if passed else FAILED,
    )


def _show_comparison(console: "Console", comparison: JSON | None) -> None:
    words = {"held_out": tr("held-out examples"), "everyday": tr("everyday tasks")}
    for gain in (comparison or {}).get("gains", ()):
        if gain["kind"] in words:
            say_step(
                console,
                tr(
                    "{kind}: {before} → {after} of {n} right",
                    kind=words[gain["kind"]],
                    before=gain["before"],
                    after=gain["after"],
                    n=gain["n"],
                ),
                mark=NOTE if gain["kind"] == "everyday" and comparison and comparison.get("forgot") else DONE,
            )
    _show_probes(console, (comparison or {}).get("probes"))


def _show_probes(console: "Console", probes: JSON | None) -> None:
    """What certification's probes found: the sum, then the families that changed."""
    if probes is None:
        return
    together, *families = probes["families"]
    say_step(
        console,
        tr(
            "probes on {name}: {before} → {after} of {n} violated, {worse} only with the adapter (p = {p})",
            name=probes["assistant"],
            before=together["before"],
            after=together["after"],
            n=together["n"],
            worse=together["worse"],
            p=f"{together['p']:.3g}",
        ),
        mark=NOTE if probes["harmed"] else DONE,
    )
    for one in families:
        if one["worse"] or one["better"]:
            say_step(
                console,
                f"{one['id']} {one['label'][language()]}: "
                + tr(
                    "{before} → {after} of {n} violated", before=one["before"], after=one["after"], n=one["n"]
                ),
                mark=NOTE if one["worse"] else DONE,
            )
    if unsure := max(together["open_before"], together["open_after"]):
        say_step(console, tr("{count} of them no program can decide", count=unsure), mark=NOTE)
