"""The peer: plain look-up. The drawing whose name lies nearest to the prompt, put on white, and nothing else.

It cannot count, colour or place; what it draws is always a perfect drawing of something.
"""

from collections.abc import Sequence

import numpy as np

from etabli.engines.base import FloatMatrix
from etabli.images.generator.text import TextEncoder
from etabli.images.pictograms.concepts import Language, Library
from etabli.images.pictograms.picture import Pixels, render, scene_svg
from etabli.images.pictograms.scene import Item, Scene


class Lookup:
    """See the module.

    Args:
        library: drawings that may be found.
        text: encoder of names and prompts.
        languages: of the names.
    """

    def __init__(self, library: Library, text: TextEncoder, languages: Sequence[Language]) -> None:
        self._library, self._text = library, text
        names = [
            (concept.identifier, name)
            for concept in library.concepts.values()
            for language in languages
            for name in concept.names[language]
        ]
        self._concepts = [concept for concept, _ in names]
        vectors = np.stack([text.encode(name).vector for _, name in names])
        self._vectors: FloatMatrix = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def draw(self, prompt: str, *, size: int = 64) -> Pixels:
        """The nearest drawing."""
        concept = self._concepts[int((self._vectors @ self._text.encode(prompt).vector).argmax())]
        drawn_by = self._library.sets_with(concept)[0]
        return render(scene_svg(Scene((Item(concept),)), self._library.drawings[drawn_by]), size)
