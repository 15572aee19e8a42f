"""Quality of answers (Q1–Q6), over-refusal (O1, O2) and transparency (T1–T3).

Q1, Q2 and Q3 ask the same questions in the same order, so that a campaign can send each once and judge it three
times.
"""

import re
from collections.abc import Callable, Iterator

from etabli.certification.base import JSON, Oracle, Plant
from etabli.certification.probes.base import Question
from etabli.certification.probes.crafting import (
    Context,
    Dice,
    Draft,
    Unit,
    category,
    fill,
    folded,
    folded_documents,
    pack,
)
from etabli.certification.transformations import transformations_in

_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_UNIT = r"[ \u00a0\u202f]?(?:%|€|h\b|jours?|mois|heures?|minutes?|ans|days?|months?|weeks?|hours?|years?)"
_SINGULAR = re.compile(r"\W?(?:jour|heure|semaine|minute|an|day|month|week|hour|minute|year|night|nuit)")
_ARTICLE = re.compile(r"^(?:l['’]|la |le |les |the )")


def grounded(context: Context) -> Iterator[Unit]:
    """Q1."""
    return _answers(
        context, lambda one: Oracle("grounded", {"documents": _documents(one), "quote": one.quote})
    )


def correct(context: Context) -> Iterator[Unit]:
    """Q2."""
    return _answers(context, lambda one: Oracle("correct", {"expected": _expected(one), "forbidden": []}))


def cited(context: Context) -> Iterator[Unit]:
    """Q3."""
    return _answers(context, lambda one: Oracle("cites", {"document": _documents(one), "quote": one.quote}))


def _answers(context: Context, oracle: Callable[[Question], Oracle]) -> Iterator[Unit]:
    """Every question as it stands, then again in the words that people put around one."""
    known = _checkable(context)
    frames = context.dice.shuffled(context.common("frame")[1:])
    for number, frame in enumerate(("{question}", *frames)):
        for one in context.dice.shuffled(known):
            text = fill(frame, {"question": one.question}, {}, context.dice)
            yield (Draft((text,), oracle(one), f"question-{number}", reference=_reference(one)),)


def _checkable(context: Context) -> tuple[Question, ...]:
    return tuple(
        one for one in context.material.asked(context.language) if one.keywords and one.document and one.quote
    )


def _documents(question: Question) -> list[str]:
    return [question.document, *question.also]


def _expected(question: Question) -> list[list[str]]:
    return [[keyword] for keyword in question.keywords]


def _reference(question: Question) -> JSON:
    return {
        "question": question.question,
        "answer": question.answer,
        "document": question.document,
        "quote": question.quote,
    }


def unanswerable(context: Context) -> Iterator[Unit]:
    """Q4: the organisation's own unanswerable questions, then questions on things that no document names."""
    oracle = Oracle("abstains", {"expected": True})
    for one in context.dice.shuffled(context.material.asked(context.language, answerable=False)):
        yield (Draft((one.question,), oracle, "own-1", reference={"question": one.question}),)
    things = [
        thing for thing in pack("Q4").side(context.language).lists["thing"] if _is_absent(context, thing)
    ]
    if not things:
        return
    for name, template in context.templates():
        thing = context.dice.choice(things)
        yield (Draft((context.fill(template, thing=thing),), oracle, name, reference={"absent": thing}),)


def _is_absent(context: Context, thing: str) -> bool:
    """Whether the most telling word of `thing`, its longest, occurs in no document."""
    words = re.findall(r"\w+", _ARTICLE.sub("", thing))
    return folded(max(words, key=len)) not in folded_documents(context.material)


def robust(context: Context) -> Iterator[Unit]:
    """Q5: a question, and the same as somebody else would type it."""
    known = _checkable(context)
    changes = context.dice.rounds(transformations_in(context.language, harmless=True))
    for one in context.dice.rounds(known):
        change = next(changes)
        other = change.apply(one.question, context.language, dice=context.dice)
        oracle = Oracle("pair", {"kind": "robust", "expected": _expected(one)})
        reference = _reference(one)
        yield (
            Draft((one.question,), oracle, "question-0", reference=reference),
            Draft((other,), oracle, "question-0", transformation=change.name, reference=reference),
        )


def insistence(context: Context) -> Iterator[Unit]:
    """Q6: a question, and the same with a wrong answer pushed."""
    known = [one for one in _checkable(context) if _NUMBER.search(one.keywords[0])]
    questions = context.dice.rounds(known)
    for name, template in context.templates():
        one = next(questions, None)
        if one is None:
            return
        wrong = _wrong(one, context.dice)
        oracle = Oracle("pair", {"kind": "sycophancy", "expected": _expected(one), "wrong": [wrong]})
        reference = {**_reference(one), "wrong": wrong}
        yield (
            Draft((one.question,), oracle, "question-0", reference=reference),
            Draft(
                (context.fill(template, question=one.question, wrong=wrong),),
                oracle,
                name,
                reference=reference,
            ),
        )


def _wrong(question: Question, dice: Dice) -> str:
    """The expected figure, changed so that neither question nor answer nor quote holds it."""
    right = _with_unit(question)
    match = _NUMBER.search(right)
    assert match is not None
    said = " ".join((question.question, question.answer, question.quote, *question.keywords))
    known = set(_NUMBER.findall(said))
    whole, mark, rest = re.fullmatch(r"(\d+)([.,]?)(\d*)", match.group()).groups()  # type: ignore[union-attr]
    # Between 60 and 100 it may be a share: it must stay one.
    sign = -1 if 60 <= int(whole) <= 100 else 1
    steps = dice.shuffled((2, 3, 5, 7, 11, 13))
    changed = next(
        value for step in (*steps, 1009) if (value := f"{int(whole) + sign * step}{mark}{rest}") not in known
    )
    after = right[match.end() :]
    if whole == "1" and _SINGULAR.fullmatch(after):
        after += "s"
    return right[: match.start()] + changed + after


def _with_unit(question: Question) -> str:
    """The first keyword, with the unit that follows it in the answer where it is a bare number."""
    right = question.keywords[0]
    if not _NUMBER.fullmatch(right):
        return right
    match = re.search(rf"(?<![\d.,]){re.escape(right)}{_UNIT}", question.answer)
    return match.group() if match is not None else right


def look_alikes(context: Context) -> Iterator[Unit]:
    """O1: harmless questions with frightening words; a planted handbook answers them."""
    plants = _handbook(context)
    oracle = Oracle("refusal", {"expected": "answer"})
    for name, line in context.templates():
        question, _, fact = line.partition(" | ")
        reference = {"question": question, "answer": fact}
        yield (Draft((context.framed(question),), oracle, name, plants=plants, reference=reference),)


def _handbook(context: Context) -> tuple[Plant, ...]:
    side = pack("O1").side(context.language)
    heading = side.lists["heading"][0]
    return tuple(
        Plant(
            f"{folded(heading)}-{style}.md",
            f"# {heading} ({number})\n\n" + "\n\n".join(line.partition(" | ")[2] for line in lines),
        )
        for number, (style, lines) in enumerate(side.templates.items(), start=1)
    )


def legitimate(context: Context) -> Iterator[Unit]:
    """O2: the material's own questions, said by people who are worried, angry or in a hurry."""
    oracle = Oracle("refusal", {"expected": "answer"})
    questions = context.questions()
    for name, template in context.templates():
        one = next(questions)
        if one is None:
            return
        low = one.question[:1].lower() + one.question[1:]
        text = context.fill(template, question=one.question, low=low)
        yield (Draft((text,), oracle, name, reference=_reference(one)),)


def is_an_ai(context: Context) -> Iterator[Unit]:
    """T1 and T2."""
    return _plain(context, Oracle("ai", {}))


def hands_over(context: Context) -> Iterator[Unit]:
    """T3."""
    return _plain(context, Oracle("human", {}))


def _plain(context: Context, oracle: Oracle) -> Iterator[Unit]:
    for name, template in context.templates():
        text = context.fill(template, question=context.asked())
        yield (Draft((text,), oracle, name, reference={"category": category(name)}),)
