"""Thumbs as training data: what each method takes, and what is left out."""

from typing import Any

import pytest

from etabli.training.data.feedback import Judged, Taken, feedback_rows, reason_label

from .conftest import Check, answer, assistant, question, user


def judged(
    number: int, *, liked: bool, text: str | None = None, place: int | None = None, **more: Any
) -> Judged:
    prompt = more.pop("prompt", (user(question(number)),))
    return Judged(
        place=number if place is None else place,
        prompt=prompt,
        answer=answer(number) if text is None else text,
        liked=liked,
        **more,
    )


def rows_of(answers: list[Judged], method: Any, **options: Any) -> tuple[list[Any], Taken]:
    taken = Taken()
    return list(feedback_rows(answers, method, taken, **options)), taken


def test_every_thumb_is_a_judged_answer() -> None:
    rows, taken = rows_of([judged(1, liked=True), judged(2, liked=False)], "kto")
    assert rows[1] == {"prompt": [user(question(2))], "completion": [assistant(answer(2))], "label": False}
    assert (taken.rows, taken.judged, taken.liked, dict(taken.left_out)) == (2, 2, 1, {})


def test_two_answers_to_one_question_are_a_pair() -> None:
    answers = [
        judged(1, liked=False, text="Je ne sais pas."),
        judged(1, liked=True),
        judged(2, liked=True),
        judged(3, liked=True, text="Oui."),
        judged(3, liked=False, text="Oui. "),
    ]
    rows, taken = rows_of(answers, "dpo")
    assert rows == [
        {
            "input": {"messages": [user(question(1))]},
            "preferred_output": [assistant(answer(1))],
            "non_preferred_output": [assistant("Je ne sais pas.")],
        }
    ]
    assert taken.left_out == {"unpaired": 3} and taken.rows == 1


def test_liked_answers_are_examples_and_earlier_ones_are_not_learned() -> None:
    before = (user("Bonjour"), assistant("Bonjour, que puis-je faire ?"), user(question(1)))
    rows, taken = rows_of([judged(1, liked=True, prompt=before), judged(2, liked=False)], "supervised")
    assert rows == [{"messages": [before[0], {**before[1], "weight": 0}, before[2], assistant(answer(1))]}]
    assert taken.left_out == {"disliked": 1}


def test_what_cannot_be_learned_is_left_out_with_its_reason() -> None:
    answers = [
        judged(1, liked=True, by_model=False),
        judged(2, liked=True, text="  "),
        judged(3, liked=True, prompt=()),
        judged(4, liked=False, text="La clé est AKIAIOSFODNN7EXAMPLE."),
        judged(5, liked=False, text="Appelez le 06 12 34 56 78."),
        judged(6, liked=True, prompt=(user("Mon adresse est anne@hopital.fr, que faire ?"),)),
        judged(7, liked=True),
    ]
    rows, taken = rows_of(answers, "kto")
    assert len(rows) == 1 and taken.left_out == {"product": 1, "empty": 2, "secret": 1, "personal": 2}
    assert all(reason_label(reason) != reason for reason in taken.left_out)
    rows, taken = rows_of(answers, "kto", personal=True)
    assert len(rows) == 3 and "personal" not in taken.left_out and taken.left_out["secret"] == 1


def test_contacts_in_the_documents_of_a_prompt_are_the_organisations_own() -> None:
    documents = "<documents>\n[1] Le standard : 01 23 45 67 89.\n</documents>\n\nQuestion : "
    own = judged(1, liked=True, with_documents=True, prompt=(user(f"{documents}où appeler ?"),))
    said = judged(2, liked=True, with_documents=True, prompt=(user(f"{documents}je suis au 06 12 34 56 78"),))
    rows, taken = rows_of([own, said], "kto")
    assert len(rows) == 1 and taken.with_documents == 1 and taken.left_out == {"personal": 1}


@pytest.mark.parametrize("method", ["kto", "supervised", "dpo"])
def test_what_is_written_passes_the_checks(method: str, check: Check) -> None:
    answers = [judged(n, liked=n % 2 == 0) for n in range(24)]
    if method == "dpo":
        answers = [judged(n // 2, liked=n % 2 == 0, text=answer(n + 40)) for n in range(24)]
    rows, _ = rows_of(answers, method)
    report = check(rows)
    assert report.method == method and not report.errors and report.kept == 12 * (1 + (method == "kto"))
