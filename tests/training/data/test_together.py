"""What is seen of many examples together: repetitions, languages, lengths, preferences, labels."""

import random

import numpy as np
import pytest

from etabli.training.data.similarity import NEAR, SignatureList, folded, near_across, near_within, signatures

from .conftest import Check, answer, assistant, good, question, rows, user

WORDS = "le la un service clinique badge heure jour patient salle accueil demande dossier cadre poste bloc".split()


def prose(seed: int, words: int = 60) -> list[str]:
    dice = random.Random(seed)
    return [dice.choice(WORDS) + str(dice.randrange(100)) for _ in range(words)]


def test_the_same_example_again_is_told_whatever_its_spaces(check: Check) -> None:
    again = {"messages": [user(question(4) + " "), {"content": answer(4), "role": "assistant"}]}
    report = check([*rows(), again, good(4)])
    found = [one for one in report.findings if one.rule == "exact_duplicate"]
    assert [(one.line, one.params["other"]) for one in found] == [(13, 5), (14, 5)]
    assert "near_duplicate" not in report.counts and report.left_out() == {"exact_duplicate": 2}


def test_the_same_question_with_another_answer_is_no_duplicate(check: Check) -> None:
    report = check([*rows(), {"messages": [user(question(4)), assistant(answer(90))]}])
    assert "exact_duplicate" not in report.counts


def test_long_documents_before_different_questions_are_no_duplicates(check: Check) -> None:
    documents = " ".join(prose(1, 400))
    shared = [{"messages": [user(f"{documents}\n\n{question(n)}"), assistant(answer(n))]} for n in range(12)]
    assert "near_duplicate" not in check(shared).counts


def test_questions_about_one_passage_are_no_duplicates_wherever_it_stands(check: Check) -> None:
    passage = " ".join(prose(1, 150))
    before = [{"messages": [user(f"{passage}\n{question(n)}"), assistant(answer(n))]} for n in range(12)]
    after = [{"messages": [user(f"{question(n)}\n\n{passage}"), assistant(answer(n))]} for n in range(12)]
    for shared in (before, after):
        assert "near_duplicate" not in check(shared).counts
        changed = user(shared[3]["messages"][0]["content"].replace("commencer", "débuter"))
        report = check([*shared, {"messages": [changed, assistant(answer(3))]}])
        assert [(one.line, one.params["other"]) for one in report.warnings] == [(13, 4)]


@pytest.mark.parametrize("changed", [1, 2])
def test_a_word_changed_is_near_and_half_of_them_is_not(changed: int) -> None:
    listed = SignatureList()
    for number in range(200):
        words = prose(number)
        listed.add(2 * number, " ".join(words))
        words[10 : 10 + changed] = ["autrement"] * changed
        listed.add(2 * number + 1, " ".join(words))
    near = {other: min(likeness) for other, likeness in near_within(listed).items()}
    assert near.items() <= {2 * n + 1: 2 * n for n in range(200)}.items()
    assert len(near) >= 197, "the estimate has a standard error of up to 0.0625"
    far = SignatureList()
    for number in range(200):
        words = prose(number)
        far.add(number, " ".join([*words[:30], *prose(number + 1000, 30)]))
        far.add(number + 1000, " ".join(words))
    assert near_within(far) == {}


def test_the_estimate_is_the_jaccard_similarity() -> None:
    dice = random.Random(5)
    errors = []
    for number in range(200):
        words = prose(number, 80)
        other = [word if dice.random() > 0.08 else "x" + word for word in words]
        first, second = " ".join(words), " ".join(other)
        one, two = signatures([folded(first), folded(second)])
        sets = [
            {text.encode()[at : at + 8] for at in range(len(text.encode()) - 7)} for text in (first, second)
        ]
        errors.append(float((one == two).mean()) - len(sets[0] & sets[1]) / len(sets[0] | sets[1]))
    assert abs(np.mean(errors)) < 0.02 and np.std(errors) < 0.08


def test_short_texts_are_not_compared_and_short_ones_that_are_do_not_look_alike() -> None:
    listed = SignatureList()
    for text in ("Oui.", "x" * 39, "", "Merci beaucoup !"):
        listed.add(1, text)
    assert len(listed) == 0 and near_within(listed) == {}
    one, two = signatures(
        [
            folded("La cantine ouvre à onze heures et demie."),
            folded("Le badge se rend au poste de garde 4014."),
        ]
    )
    assert float((one == two).mean()) < NEAR / 2


def test_a_signature_does_not_depend_on_what_it_is_computed_with() -> None:
    texts = [folded(" ".join(prose(number, 4 + number % 90))) for number in range(300)]
    assert (np.concatenate([signatures([text]) for text in texts]) == signatures(texts)).all()


def test_texts_are_found_among_known_ones() -> None:
    known, asked = SignatureList(), SignatureList()
    for number in range(50):
        known.add(number, " ".join(prose(number)))
    asked.add(7, " ".join(prose(20)))
    asked.add(8, " ".join(prose(2000)))
    assert near_across(asked, known) == {7: {20: 1.0}}
    assert near_across(asked, SignatureList()) == {} == near_across(SignatureList(), known)


def test_a_rare_second_language_is_told(check: Check) -> None:
    english = [
        {"messages": [user(f"What should the nurses of ward {n} do with the keys?"),
                      assistant(f"They should bring the {n} keys to the desk of the ward.")]}
        for n in range(30)
    ]  # fmt: skip
    assert check([*rows(28), *english[:2]]).counts["language_mix"] == 1
    assert "language_mix" not in check([*rows(28), *english]).counts
    assert "language_mix" not in check(rows(28)).counts


def test_a_few_answers_that_hold_most_of_the_text_are_told(check: Check) -> None:
    long = {"messages": [user("Récite tout le règlement intérieur."), assistant(" ".join(prose(3, 3000)))]}
    report = check([*rows(120), long])
    assert report.counts["answer_length_skew"] == 1
    assert "answer_length_skew" not in check(rows(120)).counts


def test_preferences_that_follow_length_are_told(check: Check) -> None:
    def pair(number: int, *, longer: bool) -> dict[str, object]:
        texts = [answer(number), f"Jour {number}."]
        chosen, other = texts if longer else texts[::-1]
        return {
            "input": {"messages": [user(question(number))]},
            "preferred_output": [assistant(chosen)],
            "non_preferred_output": [assistant(other)],
        }

    report = check([pair(n, longer=True) for n in range(24)])
    (found,) = [one for one in report.warnings if one.rule == "longer_preferred"]
    assert "longer one in 100 %" in found.told().found
    (found,) = [one for one in check([pair(n, longer=False) for n in range(24)]).warnings]
    assert "shorter one in 100 %" in found.told().found
    assert "longer_preferred" not in check([pair(n, longer=n % 2 == 0) for n in range(24)]).counts


def test_labels_of_one_kind_are_told(check: Check) -> None:
    liked = [{**good(n, "kto"), "label": True} for n in range(20)]
    assert check(liked).counts["labels_one_sided"] == 1
    assert "labels_one_sided" not in check(rows(20, "kto")).counts


def test_near_duplicates_past_the_limit_are_not_looked_for_and_that_is_told(
    check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("etabli.training.data.scanning.MOST_COMPARED", 5)
    assert check(rows()).counts["near_not_checked"] == 1
