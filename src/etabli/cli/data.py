"""`etabli data`: training data that can be trusted: checked, converted, taken from thumbs, made from documents.

Exit status of `check`: 0; 3 when something stands in the way of training.
"""

import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from etabli.cli.context import JsonFlag, open_workspace, settings_of, workspace_settings
from etabli.cli.terminal import NOTE, make_console, print_json, say_step, shown_path, step
from etabli.errors import EtabliError, InvalidInputError
from etabli.messages import message_of, tr
from etabli.settings import CONFIG_NAME, Settings

if TYPE_CHECKING:
    from rich.console import Console

    from etabli.evaluation.evaluating import Evaluator
    from etabli.training.data.leakage import QuestionFile
    from etabli.training.data.tokens import TokenCounter

NOT_TRAINABLE = 3
_INTERRUPTED = 130
MethodName = Literal["supervised", "dpo", "kto"]
FormatName = Literal[
    "openai", "openai_dpo", "kto", "kto_text", "sharegpt", "alpaca", "mistral", "prompt_completion", "trl"
]  # fmt: skip
app = typer.Typer(
    help="""Check, convert and make the examples that an adapter learns from.

    Examples:
      etabli data check rows.jsonl --corrected good.jsonl
      etabli data convert alpaca.json rows.jsonl
      etabli data feedback thumbs.jsonl --method kto
      etabli data generate clinique rows.jsonl --count 100
    """,
    no_args_is_help=True,
    rich_markup_mode="rich",
    add_completion=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)


@app.command("check")
def check(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="Examples, one JSON object a line.")],
    method: Annotated[
        MethodName | None, typer.Option("--method", help="What the examples are for; else what the rows say.")
    ] = None,
    validation: Annotated[
        Path | None, typer.Option("--validation", help="Held-out examples, which must not be in the file.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", help="Base model whose tokens are counted; else the workspace's.")
    ] = None,
    corrected: Annotated[
        Path | None,
        typer.Option("--corrected", help="Write a copy without what is wrong, and why lines are left out."),
    ] = None,
    form: Annotated[
        Literal["text", "json"], typer.Option("--format", help="How the result is printed.")
    ] = "text",
    max_tokens: Annotated[
        int, typer.Option("--max-tokens", min=32, help="Longest example that is allowed, in tokens.")
    ] = 1024,
) -> None:
    """Find everything that is wrong with a file of training data, with its line and what to do.

    Errors stop a training, warnings ask for a look. Exit status 3 when there are errors.

    Examples:
      etabli data check rows.jsonl
      etabli data check rows.jsonl --validation held-out.jsonl --corrected good.jsonl
      etabli data check pairs.jsonl --method dpo --model qwen2.5-coder-1.5b --format json
    """
    from etabli.cli.data_tables import show_correction, show_report
    from etabli.training.data.checks import check_file
    from etabli.training.data.corrected import write_corrected

    settings = settings_of(ctx)
    counter, missing = _counter(settings, model, max_tokens)
    notes = make_console(stderr=True)
    with step(notes, tr("Checking {file}", file=shown_path(file))) as current:
        report = check_file(
            file,
            method=method,
            validation=validation,
            counter=counter,
            counter_missing=missing,
            contamination=_question_files(settings),
            progress=lambda done, total: current.update(done, total),
        )
    correction = write_corrected(report, corrected) if corrected is not None else None
    if form == "json":
        written = None if correction is None else correction.to_json()
        print_json({**report.to_json(), "corrected_copy": written})
    else:
        console = make_console()
        show_report(console, report)
        if correction is not None:
            show_correction(console, correction)
    if report.count("error"):
        raise typer.Exit(NOT_TRAINABLE)


@app.command("convert")
def convert(
    file: Annotated[Path, typer.Argument(help="Rows: JSON lines, or one JSON list.")],
    out: Annotated[Path, typer.Argument(help="Where to write them as training reads them.")],
    source: Annotated[
        FormatName | None, typer.Option("--from", help="Their format; else what most rows look like.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Turn rows of another format into rows that training reads.

    Known are OpenAI's chat and preferences, ShareGPT, Alpaca, Mistral, prompt and completion, and TRL's preferences
    and judged answers. Rows that cannot be converted are named with the reason.

    Examples:
      etabli data convert alpaca.json rows.jsonl
      etabli data convert pairs.jsonl rows.jsonl --from trl
    """
    from etabli.cli.data_tables import show_conversion
    from etabli.training.data.importers import convert_file

    with step(make_console(stderr=True), tr("Converting {file}", file=shown_path(file))):
        done = convert_file(file, out, source=source)
    if as_json:
        print_json({"file": str(out), **done.to_json()})
    else:
        show_conversion(make_console(), done, shown_path(out))


@app.command("feedback")
def feedback(
    ctx: typer.Context,
    out: Annotated[Path, typer.Argument(help="Where to write the rows.")],
    method: Annotated[
        MethodName,
        typer.Option(
            "--method", help="kto: every thumb; dpo: a liked and a disliked answer; supervised: liked."
        ),
    ] = "kto",
    assistant: Annotated[str | None, typer.Option("--assistant", help="Only answers of this one.")] = None,
    personal: Annotated[
        bool, typer.Option("--with-personal-data", help="Keep answers in which personal data was found.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Make training data of the thumbs that people gave.

    Conversations of everybody are read; deleted ones never. The prompts are what the model read, with its
    instructions and passages of documents: whoever may use what is trained on them may learn of those.

    Example: etabli data feedback thumbs.jsonl --method kto --assistant clinique
    """
    import json

    from etabli.cli.data_tables import show_taken
    from etabli.conversations.judged import judged_answers
    from etabli.training.data.feedback import Taken, feedback_rows
    from etabli.training.data.writing import written_at_once

    taken = Taken()
    with open_workspace(ctx) as workspace:
        if assistant is not None:
            workspace.assistants.get(assistant)
        judged = judged_answers(workspace.database, assistant)
        with written_at_once(out) as file:
            for row in feedback_rows(judged, method, taken, personal=personal):
                file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
            if not taken.rows:
                raise InvalidInputError(
                    tr("There is nothing to write: {judged} answers were judged, {left_out} cannot be used.",
                       judged=taken.judged, left_out=taken.left_out.total())
                )  # fmt: skip
    if as_json:
        print_json({"file": str(out), **taken.to_json()})
    else:
        show_taken(make_console(), taken, shown_path(out))


@app.command("generate")
def generate(
    ctx: typer.Context,
    assistant: Annotated[str, typer.Argument(help="Which assistant of this workspace.")],
    out: Annotated[Path, typer.Argument(help="Where to write the examples.")],
    count: Annotated[
        int,
        typer.Option("--count", min=1, max=10_000, help="Have questions proposed until there are so many."),
    ] = 100,
    unreviewed: Annotated[
        bool, typer.Option("--unreviewed", help="Also those that nobody looked at yet.")
    ] = False,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the choice of facts.")] = 1,
    as_json: JsonFlag = False,
) -> None:
    """Make examples from an assistant's documents: question, passages, and an answer that quotes and cites.

    The first time questions are proposed; look at them with `etabli data review`, then the same command writes the
    examples of those that you kept. One in five has no answer: from it the model learns to say so.

    Examples:
      etabli data generate clinique rows.jsonl --count 100
      etabli data review clinique
      etabli data generate clinique rows.jsonl --count 100
    """
    from etabli.cli.ask import running_engine
    from etabli.cli.data_tables import show_built
    from etabli.evaluation.evaluating import Evaluator, evaluations_dir, training_file

    notes = make_console(stderr=True)
    with open_workspace(ctx) as workspace:
        chosen = workspace.assistants.get(assistant)
        questions = training_file(workspace.settings.questions_dir, chosen.name)
        engine = running_engine(workspace, notes, quiet=as_json)
        evaluator = Evaluator(
            workspace.certification_parts(engine),
            searcher=workspace.searcher,
            folder=evaluations_dir(workspace.settings),
        )
        made, built = asyncio.run(
            _made(evaluator, chosen, count, seed=seed, unreviewed=unreviewed, notes=notes)
        )
        counts = questions.counts()
    if built.rows:
        _write_rows(out, built.rows)
    told = {"file": str(out) if built.rows else None, "questions": str(questions.path), **counts}
    if as_json:
        print_json({**told, "generation": made.to_json(), "examples": built.to_json()})
    else:
        show_built(make_console(), made, built, counts, out=shown_path(out), assistant=assistant)


@app.command("review")
def review(
    ctx: typer.Context,
    assistant: Annotated[str, typer.Argument(help="Which assistant of this workspace.")],
) -> None:
    """Look at the questions for training one by one: k keeps, d drops, e edits, q leaves.

    Example: etabli data review clinique
    """
    settings = workspace_settings(ctx)
    from etabli.assistants.catalogue import AssistantCatalogue
    from etabli.cli.evaluation_review import review_questions
    from etabli.evaluation.evaluating import training_file

    AssistantCatalogue(settings.assistants_dir).get(assistant)
    review_questions(make_console(), training_file(settings.questions_dir, assistant))


def _counter(settings: Settings, model: str | None, max_tokens: int) -> "tuple[TokenCounter | None, str]":
    """What counts tokens, or why there is nothing that does. A model that was named must be there."""
    from etabli.models.store import ModelStore
    from etabli.training.data.template_counter import TemplateCounter
    from etabli.training.extra import missing

    absent = missing()
    if absent:
        return None, tr("the extra is not installed ({packages})", packages=", ".join(absent))
    name = model or settings.model
    try:
        path = ModelStore(settings.models_dir).path_of(name)
        return TemplateCounter(path, base=name, most_tokens=max_tokens), ""
    except EtabliError as error:
        if model is not None:
            raise
        return None, message_of(error)


def _question_files(settings: Settings) -> "tuple[QuestionFile, ...] | None":
    """What measures the assistants of the workspace; None outside of one."""
    from etabli.training.data.leakage import TRAINING_QUESTIONS, question_files

    if not (settings.workspace / CONFIG_NAME).is_file():
        return None
    return question_files(settings.questions_dir, without=(TRAINING_QUESTIONS,))


async def _made(
    evaluator: "Evaluator", assistant: Any, count: int, *, seed: int, unreviewed: bool, notes: "Console"
) -> Any:
    """Questions proposed, and the examples of those that may be used. Ctrl-C keeps what was proposed."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    loop.add_signal_handler(signal.SIGINT, task.cancel)
    try:
        with step(notes, tr("Wording questions for {name}", name=assistant.name)) as current:
            made = await evaluator.generate(
                assistant,
                count,
                seed=seed,
                for_training=True,
                on_progress=lambda one: current.update(
                    one.proposed, one.wanted, f"{one.proposed}/{one.wanted} · {one.tried}"
                ),
            )
        with step(notes, tr("Building examples")) as current:
            built = await evaluator.examples(assistant, unreviewed=unreviewed, on_progress=current.update)
        return made, built
    except asyncio.CancelledError:
        say_step(notes, tr("Stopped; the same command goes on from here"), mark=NOTE)
        raise typer.Exit(_INTERRUPTED) from None
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        await evaluator.aclose()


def _write_rows(out: Path, rows: list[dict[str, Any]]) -> None:
    import json

    from etabli.training.data.writing import written_at_once

    with written_at_once(out) as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
