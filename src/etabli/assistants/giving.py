"""Giving an assistant an adapter: one line of its file changes, the rest stays as a person wrote it."""

import re

_LINE = re.compile(r"(?m)^adapter:[^\n]*$")


def with_adapter(text: str, adapter: str) -> str:
    """The YAML of an assistant with this adapter.

    >>> print(with_adapter("title: Forms  # a comment\\nadapter: ft:old\\n", "ft:new"))
    title: Forms  # a comment
    adapter: ft:new
    <BLANKLINE>
    >>> print(with_adapter("title: Forms", "ft:new"))
    title: Forms
    adapter: ft:new
    <BLANKLINE>
    """
    line = f"adapter: {adapter}"
    if _LINE.search(text):
        return _LINE.sub(lambda _: line, text, count=1)
    return f"{text.rstrip()}\n{line}\n"
