"""The colours that have a name in prompts: what they are in pixels, in French and in English.

A thing and a background of the same name differ in tint, so that a blue cat on a blue background can be seen.
Distances are squared differences in sRGB: coarse, and enough for eleven colours that lie far apart.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Rgb = tuple[int, int, int]
WHITE: Rgb = (255, 255, 255)


@dataclass(frozen=True, slots=True)
class Colour:
    """A named colour.

    Attributes:
        name: the English word, the key everywhere.
        thing: its pixels on a thing.
        ground: its pixels as a background.
        french: masculine, feminine, masculine plural, feminine plural.
    """

    name: str
    thing: Rgb
    ground: Rgb
    french: tuple[str, str, str, str]


def _regular(word: str) -> tuple[str, str, str, str]:
    feminine = word if word.endswith("e") else word + "e"
    return word, feminine, word + "s", feminine + "s"


COLOURS: dict[str, Colour] = {
    colour.name: colour
    for colour in (
        Colour("red", (222, 46, 46), (245, 140, 132), _regular("rouge")),
        Colour("orange", (245, 134, 10), (255, 205, 130), ("orange",) * 4),
        Colour("yellow", (250, 208, 40), (255, 243, 130), _regular("jaune")),
        Colour("green", (56, 156, 64), (165, 216, 168), _regular("vert")),
        Colour("blue", (30, 118, 226), (145, 200, 250), _regular("bleu")),
        Colour("purple", (134, 50, 170), (206, 150, 218), ("violet", "violette", "violets", "violettes")),
        Colour("pink", (240, 104, 168), (250, 190, 218), _regular("rose")),
        Colour("brown", (121, 80, 60), (190, 168, 160), ("marron",) * 4),
        Colour("black", (34, 34, 38), (36, 36, 40), _regular("noir")),
        Colour("white", (248, 248, 248), WHITE, ("blanc", "blanche", "blancs", "blanches")),
        Colour("grey", (150, 152, 156), (208, 210, 214), ("gris", "grise", "gris", "grises")),
    )
}
ENGLISH_ALSO = {"gray": "grey", "violet": "purple"}
FRENCH_ALSO = {"brun": "brown", "brune": "brown", "bruns": "brown", "brunes": "brown", "mauve": "purple"}

WORDS: dict[str, dict[str, str]] = {
    "en": {**{name: name for name in COLOURS}, **ENGLISH_ALSO},
    "fr": {**{form: colour.name for colour in COLOURS.values() for form in colour.french}, **FRENCH_ALSO},
}
"""By language, every word for a colour and the colour's name."""


def french_colour(name: str, *, feminine: bool, plural: bool) -> str:
    """The adjective that agrees with its noun.

    >>> french_colour("white", feminine=True, plural=True)
    'blanches'
    """
    return COLOURS[name].french[int(feminine) + 2 * int(plural)]


def hexadecimal(rgb: Rgb) -> str:
    """As SVG writes it.

    >>> hexadecimal((255, 0, 16))
    '#ff0010'
    """
    return "#" + "".join(f"{part:02x}" for part in rgb)


def nearest_names(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Which named colour (as a thing) each pixel is nearest to.

    Args:
        pixels: shape (..., 3).

    Returns:
        Positions in `COLOURS`, shape (...).
    """
    table = np.array([colour.thing for colour in COLOURS.values()], np.int64)
    distance = np.square(pixels[..., None, :].astype(np.int64) - table).sum(-1)
    nearest: npt.NDArray[np.int64] = distance.argmin(-1)
    return nearest
