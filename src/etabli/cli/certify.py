"""`etabli certify`: the plan, the campaign with its progress, the verdict.

Exit status: 0 certified or conditional, 3 refused, 4 outputs wait for a person, 5 inconclusive, 6 a repeat that came
to another verdict.
"""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from etabli.cli.certify_tables import family_name, show_plan, show_result
from etabli.cli.context import JsonFlag, open_workspace
from etabli.cli.terminal import FAILED, NOTE, make_console, print_json, say_step, shown_path, step
from etabli.errors import InvalidInputError
from etabli.messages import language, tr

if TYPE_CHECKING:
    from rich.console import Console

    from etabli.certification.campaign import Progress
    from etabli.certification.certifying import Certifier
    from etabli.certification.report.files import Wanted
    from etabli.certification.store import CampaignRecord
    from etabli.certification.targets.base import Target
    from etabli.workspace import Workspace

app = typer.Typer(rich_markup_mode="rich", add_completion=False)
JSON = dict[str, Any]
EXIT_CODES = {"CERTIFIED": 0, "CONDITIONAL": 0, "REFUSED": 3, "INCONCLUSIVE": 5}
AWAITING = 4
INTEGRITY = 6
ReportOption = Annotated[
    Path | None, typer.Option("--report", help="Write the report here: a .pdf or .html file, or a folder.")
]
JUnitOption = Annotated[
    Path | None, typer.Option("--junit", help="Write the verdicts here as JUnit XML, for build servers.")
]
SarifOption = Annotated[
    Path | None, typer.Option("--sarif", help="Write the findings here as SARIF, for code scanners.")
]


@app.command()
def certify(
    ctx: typer.Context,
    assistant: Annotated[
        str | None, typer.Argument(help="Which assistant of this workspace.", show_default=False)
    ] = None,
    tier: Annotated[
        str, typer.Option("--tier", "-t", help="smoke (can refuse, never certify), standard or full.")
    ] = "standard",
    family: Annotated[
        list[str] | None,
        typer.Option("--family", "-f", help="Only this family, such as A1; may be repeated."),
    ] = None,
    target: Annotated[
        str | None, typer.Option("--target", help="An OpenAI-compatible address (…/v1) to examine instead.")
    ] = None,
    model: Annotated[str | None, typer.Option("--model", help="The model's name at that address.")] = None,
    key_file: Annotated[
        Path | None, typer.Option("--key-file", help="A file that holds the key of that address.")
    ] = None,
    instructions: Annotated[
        Path | None, typer.Option("--instructions", help="Its instructions, so that their leak can be tried.")
    ] = None,
    questions: Annotated[
        Path | None, typer.Option("--questions", help="Questions with their answers, one JSON object a line.")
    ] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Show the plan and stop.")] = False,
    publish: Annotated[
        bool, typer.Option(help="Let it serve under its certificate, when there is one that lets it.")
    ] = True,
    passphrase_file: Annotated[
        Path | None, typer.Option("--passphrase-file", help="A file with the passphrase of the signing key.")
    ] = None,
    report: ReportOption = None,
    junit: JUnitOption = None,
    sarif: SarifOption = None,
    again: Annotated[
        str | None,
        typer.Option("--again", help="Repeat this finished campaign with its opened seed, and compare."),
    ] = None,
    new: Annotated[
        bool, typer.Option("--new", help="Begin anew instead of going on with an interrupted campaign.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Try an assistant against attacks and questions, and issue a signed certificate.

    Ctrl-C stops; the same command goes on from there. What it did is kept, and counts as an attempt.
    A repeat (--again) certifies nothing and spends no attempt.

    Exit codes: 0 certified or conditional, 3 refused, 4 outputs wait for a person, 5 inconclusive, 6 a repeat came to
    another verdict.

    Examples:
      etabli certify clinique --plan
      etabli certify clinique --tier smoke
      etabli certify clinique --report clinique.pdf --junit junit.xml --sarif results.sarif
      etabli certify clinique --again cmp_0123456789abcdef0123
      etabli certify --target http://127.0.0.1:8000/v1 --model legal-assistant
    """
    if (assistant is None) == (target is None):
        raise InvalidInputError(tr("Name one assistant, or an address with --target and --model."))
    tiers = ("smoke", "standard", "full")
    if tier not in tiers:
        raise InvalidInputError(
            tr("{found} is no tier. Use one of {allowed}.", found=tier, allowed=", ".join(tiers))
        )
    from etabli.certification.report.files import Wanted

    wanted = Wanted(report, junit, sarif)
    notes = make_console(stderr=True)
    with open_workspace(ctx) as workspace:
        from etabli.certification.certifying import clean_up

        clean_up(workspace.database)
        passphrase = (
            passphrase_file.read_text(encoding="utf-8").strip() if passphrase_file is not None else None
        )
        session = _Session(
            workspace, notes, quiet=as_json, publish=publish, passphrase=passphrase, wanted=wanted
        )
        if assistant is not None:
            session.examine_assistant(assistant)
        else:
            session.examine_endpoint(str(target), model, key_file, instructions, questions)
        code = asyncio.run(
            session.closing(
                session.certify(tier, family, only_plan=plan, new=new, as_json=as_json)
                if again is None
                else session.repeat(again, as_json=as_json)
            )
        )
    raise typer.Exit(code)


class _Session:
    """One run of the command."""

    def __init__(
        self,
        workspace: "Workspace",
        notes: "Console",
        *,
        quiet: bool,
        publish: bool,
        passphrase: str | None,
        wanted: "Wanted",
    ) -> None:
        self._workspace = workspace
        self._publish = publish
        self._passphrase = passphrase
        self._wanted = wanted
        self._notes = notes
        self._quiet = quiet
        self._assistant: Any = None
        self._endpoint: Any = None

    def examine_assistant(self, name: str) -> None:
        """An assistant of this workspace, with the engine that runs or our own."""
        from etabli.cli.ask import running_engine
        from etabli.cli.documents import finish

        self._assistant = self._workspace.assistants.get(name)
        finish(self._workspace, self._notes, no_wait=False)
        self._certifier = self._make(running_engine(self._workspace, self._notes, quiet=self._quiet))

    def examine_endpoint(
        self,
        url: str,
        model: str | None,
        key_file: Path | None,
        instructions: Path | None,
        questions: Path | None,
    ) -> None:
        """Somebody else's, which a person named here and now."""
        from etabli.certification.targets.endpoint import EndpointTarget
        from etabli.engines.openai import OpenAIEngine

        if model is None:
            raise InvalidInputError(tr("Say with --model what the model at {url} is called.", url=url))
        key = key_file.read_text(encoding="utf-8").strip() if key_file is not None else None
        engine = OpenAIEngine(url, key, model=model)
        text = instructions.read_text(encoding="utf-8") if instructions is not None else ""
        self._endpoint = EndpointTarget(engine, url=url, instructions=text)
        self._questions = questions
        self._certifier = self._make(engine)

    def _make(self, engine: Any) -> "Certifier":
        from etabli.certification.certifying import Certifier

        self._engine = engine
        return Certifier(self._workspace.certification_parts(engine))

    async def closing(self, work: Coroutine[Any, Any, int]) -> int:
        """Do the work, then close the engine's connections, which belong to this event loop."""
        try:
            return await work
        finally:
            await self._engine.aclose()

    async def certify(
        self, tier: Any, families: list[str] | None, *, only_plan: bool, new: bool, as_json: bool
    ) -> int:
        """Plan, run, tell; gives the exit status."""
        record = None if new else await self._interrupted(tier, families)
        if record is None:
            with step(self._notes, tr("Preparing the probes")):
                record = await self._plan(tier, families)
        if not as_json and record.state != "awaiting":
            show_plan(make_console(), record)
        if only_plan:
            if as_json:
                print_json(record.plan)
            return 0
        if record.state != "awaiting":
            record = await self._run(record)
        if record.state == "awaiting" and not as_json:
            record = await asyncio.to_thread(self._read, record)
        issued = await asyncio.to_thread(self._issue, record) if record.state == "finished" else {}
        if as_json:
            head = {"id": record.id, "target": record.target, "state": record.state, **issued}
            print_json({**head, **(record.result or {})})
        else:
            show_result(make_console(), record)
            for line in _issued_lines(issued):
                make_console().print(line, markup=False, soft_wrap=True)
        if self._wanted and not issued:
            say_step(
                self._notes, tr("Reports are written once people have read what waits for them"), mark=NOTE
            )
        return AWAITING if record.state == "awaiting" else EXIT_CODES[str(record.verdict)]

    async def repeat(self, earlier: str, *, as_json: bool) -> int:
        """Run a finished campaign once more and hold the two against each other; gives the exit status."""
        from etabli.certification.repeating import compare, plan_repeat

        before = await asyncio.to_thread(self._certifier.store.get, earlier)
        name = self._assistant.name if self._assistant is not None else self._endpoint.name
        if before.target != name:
            raise InvalidInputError(
                tr(
                    "The campaign {id} examined {target}, not {name}.",
                    id=earlier,
                    target=before.target,
                    name=name,
                )
            )
        with step(self._notes, tr("Preparing the probes")):
            record = await plan_repeat(self._certifier.store, before, self._target)
        record = await self._run(record)
        same = await asyncio.to_thread(compare, self._certifier.store, before, record)
        if as_json:
            print_json({"id": record.id, "target": record.target, "state": record.state, **same.to_json()})
        else:
            console = make_console()
            show_result(console, record)
            console.print(same.sentence, markup=False, soft_wrap=True)
        if record.state == "awaiting":
            return AWAITING
        return 0 if same.verdict else INTEGRITY

    def _read(self, record: "CampaignRecord") -> "CampaignRecord":
        """Have a person decide what waits, where one sits at the terminal."""
        from etabli.cli.certify_reading import read_outputs
        from etabli.server.certification.readings import Readings

        if sys.stdin.isatty() and sys.stderr.isatty():
            read_outputs(self._notes, Readings(self._workspace.database, self._certifier), record.id)
        else:
            say_step(
                self._notes,
                tr("Outputs wait for a person: give the same command at a terminal, or read them on the page of the "
                   "campaign in the browser"),
                mark=NOTE,
            )  # fmt: skip
        return self._certifier.store.get(record.id)

    def _issue(self, record: "CampaignRecord") -> JSON:
        """Sign what was found, and publish the assistant where the verdict lets it serve."""
        from etabli.assistants.versions import VersionStore
        from etabli.certification.issuing import CERTIFICATE_FILE
        from etabli.certification.publishing import SERVING_VERDICTS

        workspace = self._workspace
        issuer = workspace.issuer(self._certifier.store)
        version = 0
        if self._assistant is not None:
            versions = VersionStore(workspace.database, workspace.settings.assistants_dir)
            version = versions.head(self._assistant.name).number
        issued = issuer.issue(
            record.id, assistant=self._assistant, version=version, passphrase=self._passphrase
        )
        evidence = issuer.evidence(issued.id)
        written = self._write(issued.envelope.encode(), evidence)
        published = self._publish and self._assistant is not None and issued.verdict in SERVING_VERDICTS
        if published:
            workspace.publications.publish(issued.assistant, issued.id)
        return {
            "certificate": issued.id,
            "file": str(evidence.with_name(CERTIFICATE_FILE)),
            "evidence": str(evidence),
            "reports": [str(path) for path in written],
            "published": published,
        }

    def _write(self, envelope: bytes, evidence: Path) -> list[Path]:
        from etabli.certification.report.files import write_files

        if not self._wanted:
            return []
        return write_files(self._wanted, envelope, language=language(), evidence=evidence)

    async def _interrupted(self, tier: str, families: list[str] | None) -> "CampaignRecord | None":
        """The latest campaign on this target when it can go on: the same tier and families, nothing changed since."""
        name = self._assistant.name if self._assistant is not None else self._endpoint.name
        latest = await asyncio.to_thread(self._certifier.store.latest, name, limit=1)
        for record in latest:
            if (
                record.state not in ("planned", "stopped", "failed", "awaiting")
                or record.tier != tier
                or record.repeat_of
            ):
                continue
            unasked = {one["id"] for one in record.plan["skipped"] if one["reason"] == "unasked"}
            asked = {one["id"] for one in record.plan["families"]}
            wanted = {one.strip().upper() for one in families} if families is not None else None
            same = not unasked if wanted is None else asked <= wanted and not wanted & unasked
            if same and (await self._target(record.id).bundle()).root == record.bundle_root:
                return record
        return None

    async def _plan(self, tier: Any, families: list[str] | None) -> "CampaignRecord":
        if self._assistant is not None:
            return await self._certifier.plan(self._assistant, tier=tier, families=families)
        return await self._certifier.plan_endpoint(
            self._endpoint, questions=self._questions, tier=tier, families=families
        )

    def _target(self, campaign: str) -> "Target":
        if self._assistant is not None:
            return self._certifier.target(self._assistant, campaign)
        target: Target = self._endpoint
        return target

    async def _material(self, record: "CampaignRecord") -> Any:
        if record.repeat_of is not None:
            return None  # the attacker that adapts is not part of a repeat
        if self._assistant is not None:
            return await self._certifier.material(self._assistant)
        return self._certifier.endpoint_material(record.target, self._questions, tools=True)

    async def _run(self, record: "CampaignRecord") -> "CampaignRecord":
        from etabli.certification.campaign import StopAsked

        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        loop.add_signal_handler(signal.SIGINT, task.cancel)
        label = tr("Examining {name}", name=record.target)
        try:
            with _showing(self._notes, label, quiet=self._quiet) as tell:
                return await self._certifier.run(
                    record.id,
                    self._target(record.id),
                    material=await self._material(record),
                    on_progress=tell,
                )
        except asyncio.CancelledError:
            say_step(self._notes, tr("Stopped; the same command goes on from here"), mark=NOTE)
            raise typer.Exit(130) from None
        except StopAsked as error:
            say_step(self._notes, tr("Stopped in the browser by {name}", name=error.by), mark=NOTE)
            say_step(
                self._notes,
                tr("The same command goes on from here, and so does “Go on” on the campaign’s page"),
                mark=NOTE,
            )
            raise typer.Exit(130) from None


def _issued_lines(issued: JSON) -> list[str]:
    """Where the signed statement lies, and what came of it."""
    if not issued:
        return []
    lines = [
        tr("Signed statement: {path}", path=shown_path(Path(issued["file"]))),
        tr("Evidence: {path}", path=shown_path(Path(issued["evidence"]))),
    ]
    lines += [tr("Report: {path}", path=shown_path(Path(path))) for path in issued["reports"]]
    if issued["published"]:
        lines.append(tr("The assistant serves under this certificate from now on."))
    return lines


@contextlib.contextmanager
def _showing(notes: "Console", label: str, *, quiet: bool) -> Iterator[Any]:
    """A bar that moves with every conversation, and a line for each of the first violations of a family."""
    told: set[str] = set()
    with step(notes, label) as current:

        def tell(progress: "Progress") -> None:
            current.update(
                progress.done, progress.total, f"{progress.done}/{progress.total} · {progress.family}"
            )
            if progress.outcome == "violated" and progress.family not in told and not quiet:
                told.add(progress.family)
                say_step(
                    notes, tr("{family}: a first violation", family=family_name(progress.family)), mark=FAILED
                )

        yield tell
