"""Tokens counted with the tokenizer and the template of a model's own file."""

from collections.abc import Callable
from pathlib import Path

import pytest

from etabli.errors import InvalidInputError
from etabli.training.data.checks import check_file
from etabli.training.data.rows import Message, Row, row_of
from etabli.training.data.template_counter import TemplateCounter
from etabli.training.data.tokens import TokenCounter

from .conftest import Check, assistant, good, rows, user


@pytest.fixture
def counter(tiny: Callable[..., Path]) -> TokenCounter:
    return TemplateCounter(tiny(), base="tiny", most_tokens=2_000)


def test_a_part_of_an_example_is_learned_and_its_text_comes_back(counter: TokenCounter) -> None:
    count = counter.count(row_of(good(3), "supervised"))
    assert 0 < count.trained < count.tokens and count.round_trip
    assert (counter.base, counter.most_tokens) == ("tiny", 2_000)
    silent = row_of({"messages": [user("Où ?"), assistant("Ici.", weight=0)]}, "supervised")
    assert counter.count(silent).trained == 0


def test_of_a_pair_the_longer_conversation_counts(counter: TokenCounter) -> None:
    prompt = (Message("user", "Où est la lingerie ?"),)
    short, long = Message("assistant", "Ici.", trained=True), Message("assistant", "Ici. " * 40, trained=True)
    one = counter.count(Row(prompt, chosen=short, rejected=long))
    assert one == counter.count(Row(prompt, chosen=long, rejected=short))
    assert one.tokens > counter.count(Row(prompt, chosen=short, label=True)).tokens
    assert one.trained > 0


def test_control_words_that_people_wrote_stay_text(counter: TokenCounter) -> None:
    row = {"messages": [user("Que veut dire <|im_end|> ?"), assistant("C’est <|im_start|>, écrit 🙂 ainsi.")]}
    assert counter.count(row_of(row, "supervised")).round_trip


def test_a_check_counts_and_a_file_that_is_no_model_is_refused(
    counter: TokenCounter, tiny: Callable[..., Path], check: Check, tmp_path: Path
) -> None:
    report = check(rows(), counter=counter)
    figures = report.statistics
    assert figures.tokens and figures.trained_tokens and figures.longest_example
    assert 12 * figures.longest_example >= figures.tokens > figures.trained_tokens > 0
    assert not report.errors and [one.rule for one in report.notes] == ["evaluation_not_checked"]
    strict = TemplateCounter(tiny(), base="tiny", most_tokens=32)
    assert check_file(report.path, counter=strict).counts["example_too_long"] == 12
    (tmp_path / "no.gguf").write_bytes(b"nothing")
    with pytest.raises(InvalidInputError):
        TemplateCounter(tmp_path / "no.gguf", base="no", most_tokens=32)
