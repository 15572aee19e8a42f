"""Whether the text of a PDF page can be trusted, or the page must be read again as an image.

Fonts without a Unicode table give replacement or private characters; some generators leave out the spaces.
"""

import re
from typing import Literal

Verdict = Literal["good", "empty", "garbage"]

MIN_CHARS = 20
_MAX_ODD_SHARE = 0.15
_MAX_GLUED_SHARE = 0.3
_ODD = re.compile("[\ufffd\ue000-\uf8ff\x00-\x08\x0b-\x1f\ufffe\uffff]")
_WORD = re.compile(r"[^\W\d_]+")


def judge(text: str) -> Verdict:
    """The quality of one page's text.

    `empty` under 20 characters; `garbage` when more than 15 % of the characters mean nothing, or when more
    than 30 % of the letters stand in words of over 25 letters.
    """
    characters = len(text) - text.count(" ") - text.count("\n")
    if characters < MIN_CHARS:
        return "empty"
    if len(_ODD.findall(text)) > _MAX_ODD_SHARE * characters:
        return "garbage"
    words = _WORD.findall(text)
    letters = sum(map(len, words))
    glued = sum(len(word) for word in words if len(word) > 25)
    return "garbage" if letters and glued > _MAX_GLUED_SHARE * letters else "good"
