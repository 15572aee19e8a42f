"""The optional packages that training needs: asked for in one place, with a sentence where they are absent."""

from importlib.util import find_spec

from etabli.errors import ConfigurationError
from etabli.messages import tr

PACKAGES = ("torch", "gguf", "safetensors", "tokenizers")


def missing() -> list[str]:
    """Packages of the extra `training` that are not installed."""
    return [name for name in PACKAGES if find_spec(name) is None]


def need(*packages: str) -> None:
    """Make sure that packages are there; without names, all of the extra.

    Raises:
        ConfigurationError: one is not.
    """
    absent = [name for name in packages or PACKAGES if find_spec(name) is None]
    if absent:
        raise ConfigurationError(
            tr("Training needs {packages}, which is not installed. Install it: {command}",
               packages=", ".join(absent), command="pip install 'etabli[training]'")
        )  # fmt: skip
