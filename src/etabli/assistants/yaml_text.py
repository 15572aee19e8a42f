"""An assistant as YAML that a person would have written: keys in order, no defaults, long texts as blocks.

What is read back is what was written, character for character; a text that a block cannot hold faithfully is
quoted. Source: YAML 1.1, sections 8.2 to 9.1, as PyYAML reads it.
"""

import unicodedata
from collections.abc import Mapping
from typing import Any

import yaml
from pydantic import BaseModel

from etabli.assistants.specification import AssistantSpecification

_WIDTH = 100
_TURNS = {
    code: f"\\u{code:04X}" for code in (0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}
"""Marks that turn the direction of writing are shown as escapes: a text must say what it seems to say."""
_JOINERS = "\u00ad\u200c\u200d"
"""Soft hyphen and the joiners that scripts and emoji are made with."""
_ORDER = tuple(AssistantSpecification.model_fields)
_DEFAULTS: dict[str, Any] = {
    name: value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    for name, field in AssistantSpecification.model_fields.items()
    if not field.is_required()
    for value in (field.get_default(call_default_factory=True),)
}


class _Quoted(yaml.SafeDumper):  # type: ignore[misc]
    """Writes lists indented under their key, never an alias, and texts in quotes where they need them."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:
        return super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


class _Blocks(_Quoted):
    """The same, with texts of several lines as `|` blocks and long lines as `>` blocks."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    style = None
    if not _fits_a_block(value):
        style = '"' if "\n" in value or not _is_visible(value) else None
    elif "\n" in value:
        style = "|"
    elif len(value) > _WIDTH - 20:
        style = ">"
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Blocks.add_representer(str, _text)


def _fits_a_block(text: str) -> bool:
    """Whether a block gives exactly this text back.

    It must begin and end its lines with something to see, and hold no character that must be escaped.
    """
    lines = text.split("\n")
    return (
        bool(text)
        and all(_is_visible(line) and not line.endswith(" ") for line in lines)
        and not lines[0].startswith(" ")
        and lines[0] != ""
    )


def _is_visible(text: str) -> bool:
    """Whether all of it can be seen or is a space; French has no-break ones. Turns of direction stay escaped."""
    return all(
        character.isprintable() or unicodedata.category(character) == "Zs" or character in _JOINERS
        for character in text
    )


def specification_yaml(specification: AssistantSpecification) -> str:
    """The text of an assistant's file."""
    return values_yaml(specification.model_dump(mode="json"))


def values_yaml(values: Mapping[str, Any]) -> str:
    """The text of a file with these values, right or wrong, so that their faults have lines.

    Args:
        values: what JSON can say. Keys that an assistant does not have come last.
    """
    kept = {
        key: _changed(values[key], _DEFAULTS.get(key))
        for key in (*(key for key in _ORDER if key in values), *(key for key in values if key not in _ORDER))
        if key == "name" or key not in _DEFAULTS or not _same(values[key], _DEFAULTS[key])
    }
    if not kept:
        return "{}\n"
    text = _dump(kept, _Blocks).translate(_TURNS)  # which stand in double quotes only, see `_text`
    return text if _reads_as(text, kept) else _dump(kept, _Quoted)


def has_comments(text: str) -> bool:
    """Whether somebody wrote remarks into this YAML; also where it is broken, as far as it can be read.

    >>> has_comments("title: 'a # b'"), has_comments("title: a # b")
    (False, True)
    """
    end = 0
    try:
        for token in yaml.scan(text, Loader=yaml.SafeLoader):
            start = token.start_mark.index
            if "#" in text[end:start]:
                return True
            if isinstance(token, yaml.ScalarToken) and token.style in ("|", ">"):
                header = text[start:].split("\n", 1)[0]
                if "#" in header:
                    return True
            end = max(end, token.end_mark.index)
    except yaml.YAMLError:
        return "#" in text[end:]
    return "#" in text[end:]


def _changed(value: object, default: object) -> object:
    """A value; of a mapping with defaults only what differs from them."""
    if not isinstance(value, Mapping) or not isinstance(default, Mapping):
        return value
    return {key: one for key, one in value.items() if key not in default or not _same(one, default[key])}


def _same(value: object, default: object) -> bool:
    """Equal and of one type: `true` is no 1, and 6.0 is no whole number."""
    return type(value) is type(default) and value == default


def _dump(values: Mapping[str, Any], dumper: type[yaml.SafeDumper]) -> str:
    return str(
        yaml.dump(
            dict(values),
            Dumper=dumper,
            allow_unicode=True,
            sort_keys=False,
            default_flow_style=False,
            width=_WIDTH,
        )
    )


def _reads_as(text: str, values: Mapping[str, Any]) -> bool:
    try:
        return bool(yaml.safe_load(text) == values)
    except yaml.YAMLError:
        return False
