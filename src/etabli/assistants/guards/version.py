"""Which rules the guards follow: a certificate holds for these and no others."""

import hashlib
from functools import cache
from importlib import resources


@cache
def rules_digest() -> str:
    """SHA-256, in hexadecimal, over the source of all guards: any change of a rule changes it."""
    total = hashlib.sha256()
    folder = resources.files("etabli.assistants.guards")
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        if entry.name.endswith(".py"):
            digest = hashlib.sha256(entry.read_text(encoding="utf-8").encode()).hexdigest()
            total.update(f"{entry.name}\0{digest}\n".encode())
    return total.hexdigest()
