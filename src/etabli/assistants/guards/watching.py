"""The guard of output over one answer in the making: what it may not tell, where it may link, how it ends."""

from etabli.assistants.answer import FinishReason
from etabli.assistants.conversation import read_conversation, text_of
from etabli.assistants.guards.output import Leaks, OutputGuard, links_in
from etabli.assistants.guards.wording import CUT
from etabli.assistants.prompting import is_system, system_text
from etabli.assistants.run import Run


class Watch:
    """Filters the text of one answer and keeps the run's trace.

    Args:
        run: whose answer.
        guard: filters; None lets everything through.
    """

    def __init__(self, run: Run, guard: OutputGuard | None) -> None:
        self._run = run
        self._guard = guard

    @property
    def stopped(self) -> bool:
        """Whether the answer ends here, whatever the model would add."""
        return self._guard is not None and self._guard.stop is not None

    @property
    def finish_reason(self) -> FinishReason | None:
        """Why it ends where the guard ended it; None where the engine did."""
        if self._guard is None or self._guard.stop is None:
            return None
        return "content_filter" if self._guard.stop.guard == "leak" else "length"

    @property
    def closing(self) -> str:
        """What is said where the guard cut; empty where it did not, and in JSON."""
        if self._guard is None or self._guard.stop is None or self._run.wants_json:
            return ""
        return CUT[self._guard.stop.guard][self._run.language]

    def feed(self, piece: str) -> str:
        """Take a piece of the model's text; give what may go out now."""
        return piece if self._guard is None else self._guard.feed(piece)

    def finish(self) -> str:
        """The model has ended, or was: give the rest and note what was held back."""
        if self._guard is None:
            return ""
        rest = self._guard.finish()
        if self._guard.links_removed:
            self._run.note("links", removed=self._guard.links_removed[:20])
            self._run.guarded = self._run.guarded or "links"
        if self._guard.stop is not None:
            self._run.note(self._guard.stop.guard, text=self._guard.stop.words[:300])
            self._run.guarded = self._guard.stop.guard
        return rest


def watch_of(run: Run, *, grounded: bool) -> Watch:
    """The guard of output for a run whose prompt is known.

    Args:
        run: composed.
        grounded: whether it answers from documents: then links stand in these, or nowhere.
    """
    assistant = run.assistant
    if not assistant.guards.output:
        return Watch(run, None)
    conversation = read_conversation(run.request.messages)
    told = [text_of(one.get("content")) for one in run.messages if not is_system(one)]
    passages = [unit.text for source in run.evidence.sources for unit in source.units]
    own = [assistant.instructions, assistant.contact]
    secret = [system_text(assistant, conversation)] if grounded else [assistant.instructions]
    links = links_in([*passages, *own] if grounded else [*told, *own])
    return Watch(
        run,
        OutputGuard(
            Leaks(secret, shown=[*passages, assistant.contact, conversation.question, *_examples(run)]),
            links=None if run.wants_json else links,
            strict=grounded,
            language=run.language,
        ),
    )


def _examples(run: Run) -> list[str]:
    return [example.answer for example in run.assistant.examples]
