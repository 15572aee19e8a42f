"""The sentence or row that comes closest to the question, shown in its own words where the model's do not serve.

A small model often misses what it was shown, copies rows, or writes a number that stands nowhere. The sentence itself
is then the better answer: it is said plainly to be a quotation, and cited.
"""

from dataclasses import dataclass

from etabli.assistants.evidence import Evidence, Source
from etabli.assistants.expecting import Expected
from etabli.assistants.sentences import Unit
from etabli.assistants.verifying import Support
from etabli.assistants.wording import heading_over, row_text

_LONGEST = 400
"""Characters of a quotation."""


@dataclass(frozen=True, slots=True)
class Quotation:
    """What the documents say that is closest to the question.

    Args:
        source: where it stands.
        place: position of the sentence or row among the units of the source.
    """

    source: Source
    place: int

    @property
    def unit(self) -> Unit:
        """The sentence or row."""
        return self.source.units[self.place]

    @property
    def literal(self) -> str:
        """Its text as it stands, cut at a word where it is very long."""
        text = self.unit.text
        return text if len(text) <= _LONGEST else text[:_LONGEST].rsplit(" ", 1)[0]

    @property
    def support(self) -> Support:
        """The quotation as a source of what it says: it is literal, hence verified."""
        start = self.unit.char_start
        return Support(self.source, start, start + len(self.literal), "verified", None, 1.0)

    def told(self, language: str) -> str:
        """As people read it: in quotation marks; a table row with the names of its columns, without."""
        text = row_text(self.source.units, self.place)
        if text != self.unit.text:
            return " ".join(text.split())
        quote = " ".join(self.literal.split())
        return f"«\u00a0{quote}\u00a0»" if language == "fr" else f"“{quote}”"

    def answers(self, wanted: Expected | None) -> bool:
        """Whether it has the kind of thing that is asked for; true where nothing in particular is."""
        return wanted is None or wanted.found_in(self.unit.text) > 0

    def overlaps(self, support: Support) -> bool:
        """Whether a source of the answer is this very sentence, or a part of it."""
        return (
            support.source.first.version_id == self.source.first.version_id
            and support.char_start < self.unit.char_end
            and support.char_end > self.unit.char_start
        )


def closest_of(evidence: Evidence) -> Quotation | None:
    """What comes closest to the question; None where nothing is shown."""
    if evidence.closest is None:
        return None
    number, place = evidence.closest
    return Quotation(evidence.sources[number - 1], place)


def as_answer(quotation: Quotation, language: str) -> str:
    """The quotation as the whole answer, without its marker and full stop."""
    told = quotation.told(language)
    heading = heading_over(quotation.source.units, quotation.place, quotation.source.first.breadcrumb)
    if language == "fr":
        under = f", sous «\u00a0{heading}\u00a0»" if heading else ""
        return f"Vos documents disent{under}\u00a0: {told}"
    under = f", under “{heading}”" if heading else ""
    return f"Your documents say{under}: {told}"


def as_addition(quotation: Quotation, language: str) -> str:
    """The quotation after an answer that rests on something else, without its marker and full stop."""
    told = quotation.told(language)
    if language == "fr":
        return f"Le passage le plus proche de la question dit\u00a0: {told}"
    return f"The passage closest to the question says: {told}"
