"""One vector drawing, and what can be done to its text: another colour, its outline, its silhouette.

Only the attributes that paint are rewritten (`fill`, `stroke`, colours of gradients); shapes stay as they are.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

from etabli.images.pictograms.colours import COLOURS, Rgb, hexadecimal

_PAINT = re.compile(
    r"((?:fill|stroke|stop-color|flood-color)\s*[=:]\s*[\"']?\s*)(#[0-9a-fA-F]{6}|#[0-9a-fA-F]{3})\b"
)
_FILL = re.compile(r"(\bfill\s*[=:]\s*[\"']?\s*)(#[0-9a-fA-F]{3,8}\b|url\([^)]*\)|currentColor|[a-z]+\b)")
_STROKE = re.compile(r"(\bstroke\s*[=:]\s*[\"']?\s*)(#[0-9a-fA-F]{3,8}\b|url\([^)]*\)|currentColor)")
_WIDTH = re.compile(r"\s*stroke-width\s*=\s*[\"'][^\"']*[\"']")
_OPACITY = re.compile(r"\s*\b(?:fill-|stroke-|stop-)?opacity\s*=\s*[\"'][^\"']*[\"']")
_ID = re.compile(r"(\bid\s*=\s*[\"']|url\(\s*[\"']?#|href\s*=\s*[\"']#)")
_HELPERS = re.compile(r"<(mask|clipPath|linearGradient|radialGradient|filter)\b.*?</\1>", re.DOTALL)
# Outlines and reflections: a blue cat keeps its black whiskers and the white in its eyes.
_DARK, _LIGHT, _COLOURED = 0.22, 0.9, 0.14
INK: Rgb = (34, 34, 38)


@dataclass(frozen=True, slots=True)
class Drawing:
    """The inside of an SVG file.

    Attributes:
        body: elements, without the `svg` element itself.
        width, height: of the view box, which starts at (left, top).
    """

    body: str
    width: float
    height: float
    left: float = 0.0
    top: float = 0.0

    @property
    def box(self) -> str:
        """As the attribute `viewBox` has it."""
        return f"{self.left:g} {self.top:g} {self.width:g} {self.height:g}"


def recoloured(drawing: Drawing, colour: str) -> Drawing:
    """The drawing in shades of one named colour; near-blacks and near-whites stay.

    Shades keep their order: what was lighter than the middle one is mixed with white, what was darker with black.
    """
    found = {_rgb(text) for _, text in _PAINT.findall(drawing.body)}
    coloured = {rgb for rgb in found if _is_coloured(rgb)} or {
        rgb for rgb in found if _lightness(rgb) > _DARK
    }
    if not coloured:
        return replace(drawing, body=f'<g fill="{hexadecimal(COLOURS[colour].thing)}">{drawing.body}</g>')
    order = sorted(_lightness(rgb) for rgb in coloured)
    middle = order[len(order) // 2]
    target = COLOURS[colour].thing

    def paint(rgb: Rgb) -> Rgb:
        return _shade(target, _lightness(rgb), middle) if rgb in coloured else rgb

    return replace(drawing, body=_painted(drawing.body, paint))


def silhouette(drawing: Drawing, colour: str | None) -> Drawing:
    """All of it in one colour, ink where none is asked for."""
    ink = COLOURS[colour].thing if colour else INK
    body = _FILL.sub(
        lambda match: match[1] + (match[2] if match[2] == "none" else hexadecimal(ink)), drawing.body
    )
    body = _OPACITY.sub("", _STROKE.sub(lambda match: match[1] + hexadecimal(ink), body))
    return replace(drawing, body=f'<g fill="{hexadecimal(ink)}">{body}</g>')


def outline(drawing: Drawing, colour: str | None) -> Drawing:
    """The edges of its shapes as lines, ink where no colour is asked for."""
    ink = hexadecimal(COLOURS[colour].thing if colour else INK)
    body = _OPACITY.sub("", _WIDTH.sub("", _HELPERS.sub("", drawing.body)))
    body = _STROKE.sub(lambda match: match[1] + ink, _FILL.sub(lambda match: match[1] + "none", body))
    width = 0.03 * max(drawing.width, drawing.height)
    return replace(drawing, body=f'<g fill="none" stroke="{ink}" stroke-width="{width:g}">{body}</g>')


def with_prefix(drawing: Drawing, prefix: str) -> Drawing:
    """Its identifiers made its own, so that two drawings can stand in one file."""
    return replace(drawing, body=_ID.sub(lambda match: match[1] + prefix, drawing.body))


def _painted(body: str, paint: Callable[[Rgb], Rgb]) -> str:
    return _PAINT.sub(lambda match: match[1] + hexadecimal(paint(_rgb(match[2]))), body)


@cache
def _rgb(text: str) -> Rgb:
    digits = text[1:] if len(text) == 7 else "".join(digit * 2 for digit in text[1:])
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)


def _lightness(rgb: Rgb) -> float:
    return (0.30 * rgb[0] + 0.59 * rgb[1] + 0.11 * rgb[2]) / 255


def _is_coloured(rgb: Rgb) -> bool:
    chroma = (max(rgb) - min(rgb)) / 255
    return chroma >= _COLOURED or _DARK < _lightness(rgb) < _LIGHT


def _shade(target: Rgb, lightness: float, middle: float) -> Rgb:
    if lightness >= middle:
        share, end = 0.5 * (lightness - middle) / max(1 - middle, 0.05), 255
    else:
        share, end = 0.55 * (middle - lightness) / max(middle, 0.05), 0
    red, green, blue = (round(part + (end - part) * min(share, 1.0)) for part in target)
    return red, green, blue
