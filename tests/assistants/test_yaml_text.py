"""What is written is what is read back, character for character, and looks as a person would have written it."""

import random

import pytest
import yaml

from etabli.assistants.guards.settings import GuardSettings
from etabli.assistants.quality import QualitySettings
from etabli.assistants.specification import AssistantSpecification, Example, diagnose
from etabli.assistants.yaml_text import has_comments, specification_yaml, values_yaml

NASTY = [
    "yes",
    "null",
    "~",
    "12:30:00",
    "2024-01-02",
    "0x1f",
    "1e3",
    "a: b",
    "# no remark",
    "a # b",
    "- item",
    "? key",
    "& anchor",
    "*alias",
    "!tag",
    "%directive",
    "@at",
    "`tick",
    "'quoted'",
    '"quoted"',
    "{a: 1}",
    "[1]",
    "| block",
    "> fold",
    " leads",
    "trails ",
    "\tleads",
    "two\nlines",
    "two\nlines\n",
    "many at the end\n\n\n",
    "\nbegins with a break",
    "  indented\nfirst",
    "a\n  indented\nb",
    "a \nspace before a break",
    "a\n\n\nb",
    "dos\r\nlines",
    "only\rreturn",
    "next\x85line",
    "separators\u2028and\u2029",
    "bom \ufeff inside",
    "\ufeffleads",
    "nul \0 and bell \a and escape \x1b",
    "Combien\u00a0? «\u00a0Oui\u00a0» 12\u202f%",
    "no-break at the end\u00a0",
    "été 日本語 🚗 👩\u200d⚕️",
    "right to left \u202e turned",
    "---",
    "...",
    "---\ntitle: other\n...\n",
    "x" * 300,
    "word " * 60 + "end",
    "two  spaces   here " * 20 + "end",
    "long\n" + "word " * 60 + "end\n- list\n",
    "back\\slash \\n",
    ".5",
    "=",
    "<<",
    "é",
]


def read_back(text: str) -> AssistantSpecification:
    specification, faults = diagnose(text, "rh.yaml", name="rh")
    assert specification is not None, (text, faults)
    return specification


def full(**changes: object) -> AssistantSpecification:
    values: dict[str, object] = dict(
        name="rh",
        title="Ressources humaines",
        description="Pour le personnel.",
        language="en",
        model="qwen2.5-coder-0.5b",
        adapter="ft:qwen2.5-coder-0.5b:clinique:ton:1a2b3c4d",
        instructions="Tu aides.\nTu vouvoies.\n",
        collections=["rh", "paie"],
        passages=5,
        context_tokens=2000,
        abstain=False,
        temperature=0.0,
        max_tokens=900,
        examples=[Example(question="Combien ?", answer="25 jours.")],
        first_questions=["Combien de congés ?"],
        audience=["group:rh"],
        contact="Poste 4025.",
        quality=QualitySettings(Q2=0.5),
        guards=GuardSettings(crisis=False, grounded="marked"),
    )
    return AssistantSpecification.model_validate({**values, **changes})


def test_every_field_comes_back_in_its_order() -> None:
    one = full()
    assert all(
        getattr(one, name) != field.get_default(call_default_factory=True)
        for name, field in type(one).model_fields.items()
    )
    text = specification_yaml(one)
    assert read_back(text) == one
    assert list(yaml.safe_load(text)) == list(AssistantSpecification.model_fields)


def test_defaults_are_not_written() -> None:
    assert specification_yaml(AssistantSpecification(name="rh", title="RH")) == "name: rh\ntitle: RH\n"


def test_only_the_guards_that_differ_are_written() -> None:
    text = specification_yaml(full())
    assert text.endswith("guards:\n  grounded: marked\n  crisis: false\n")


def test_texts_are_blocks_and_lists_are_indented() -> None:
    one = full(instructions="Tu aides.\n\n- vouvoie\u00a0!\n", description="mot " * 30 + "fin")
    text = specification_yaml(one)
    assert "instructions: |\n  Tu aides.\n\n  - vouvoie\u00a0!\n" in text
    assert "description: >-\n  mot mot" in text and max(map(len, text.splitlines())) <= 104
    assert "collections:\n  - rh\n  - paie\n" in text
    assert "examples:\n  - question: Combien ?\n    answer: 25 jours.\n" in text


@pytest.mark.parametrize("nasty", NASTY, ids=ascii)
def test_nasty_texts_come_back(nasty: str) -> None:
    one = full(
        title=nasty[:200],
        description=nasty,
        model=nasty,
        instructions=nasty,
        collections=[nasty, "b"],
        examples=[Example(question=nasty, answer=nasty)],
        first_questions=[nasty],
        audience=[nasty],
        contact=nasty[:500],
    )
    text = specification_yaml(one)
    assert read_back(text) == one
    assert "\0" not in text and "\x1b" not in text and "\u202e" not in text
    text.encode("utf-8")


def test_random_texts_come_back() -> None:
    chance = random.Random(5)
    alphabet = [
        "a",
        "é",
        " ",
        "  ",
        "\n",
        "\t",
        ":",
        "#",
        "- ",
        "'",
        '"',
        "\\",
        "\r",
        "\x85",
        "\u00a0",
        "%",
        "|",
    ]
    for _ in range(150):
        words = "".join(chance.choices(alphabet, k=chance.randint(1, 60)))
        one = full(
            instructions=words, first_questions=[words], examples=[Example(question=words, answer=words)]
        )
        assert read_back(specification_yaml(one)) == one


def test_wrong_values_are_written_too_so_that_their_faults_have_lines() -> None:
    text = values_yaml({"titre": "x", "passages": 99, "title": "T", "abstain": "oui", "name": "rh"})
    assert text == "name: rh\ntitle: T\npassages: 99\nabstain: oui\ntitre: x\n"
    _, faults = diagnose(text, "rh.yaml", name="rh")
    assert {(fault.field, fault.line) for fault in faults} == {("passages", 3), ("abstain", 4), ("titre", 5)}
    assert values_yaml({}) == "{}\n"
    # Equal to the default is not the default: true is no 1, and 8.0 is no whole number.
    assert "abstain: 1\n" in values_yaml({"abstain": 1}) and "passages: 8.0" in values_yaml({"passages": 8.0})


@pytest.mark.parametrize(
    ("text", "remarks"),
    [
        ("title: a\n", False),
        ("# first\ntitle: a\n", True),
        ("title: a # after\n", True),
        ("title: a#b\ndescription: 'x # y'\n", False),
        ("instructions: |\n  # of the text\n  b\n", False),
        ("instructions: | # of the file\n  b\n", True),
        ("instructions: |\n  b\n# last", True),
        ("collections:\n  - a\n  # between\n  - b\n", True),
        ("collections: [a, # inside\n  b]\n", True),
        ('title: "a # b"\n', False),
        ("title: 'broken # \n", True),
    ],
)
def test_remarks_are_noticed(text: str, remarks: bool) -> None:
    assert has_comments(text) is remarks
