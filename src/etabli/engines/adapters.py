"""The one place that says in a request which adapter answers.

llama.cpp keeps the cache that it computed under one adapter for a request under another that begins alike, unless
every request names the strength of every adapter: ggml-org/llama.cpp#26207. So every request to an engine that holds
adapters carries the whole vector, zeros included, whoever sends it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from etabli.errors import EngineRequestError
from etabli.messages import tr

PREFIX = "ft:"
"""Names of adapters begin so."""


def adapted(body: Mapping[str, Any], names: Sequence[str]) -> Mapping[str, Any]:
    """A request with the strength of every adapter: 1 for the one that its `model` names, 0 for the others.

    Args:
        body: of the request.
        names: of the engine's adapters, in the order in which it loaded them.

    Raises:
        EngineRequestError: it names an adapter that the engine does not hold; the base must not answer in its place.

    >>> adapted({"model": "ft:b"}, ["ft:a", "ft:b"])["lora"]
    [{'id': 0, 'scale': 0.0}, {'id': 1, 'scale': 1.0}]
    """
    chosen = body.get("model")
    if isinstance(chosen, str) and chosen.startswith(PREFIX) and chosen not in names:
        raise EngineRequestError(
            tr(
                "The engine does not hold the adapter {name}. See with `etabli adapters list` whether it is approved "
                "and loaded.",
                name=chosen,
            )
        )
    if not names:
        return body
    vector = [{"id": place, "scale": 1.0 if name == chosen else 0.0} for place, name in enumerate(names)]
    return {**body, "lora": vector}
