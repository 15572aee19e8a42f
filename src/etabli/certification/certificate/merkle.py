"""Merkle trees: one root over many leaves, and short proofs that a leaf is under it. RFC 6962, section 2.1.

Leaves are hashed behind 0x00 and nodes behind 0x01, so that a node can never be passed off as a leaf.
"""

import hashlib
from collections.abc import Mapping, Sequence


def leaf_hash(leaf: bytes) -> bytes:
    """SHA-256 of 0x00 and the leaf."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 of 0x01 and both children."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The root, 32 bytes; that of no leaves is SHA-256 of nothing."""
    if not leaves:
        return hashlib.sha256().digest()
    return _root([leaf_hash(leaf) for leaf in leaves])


def _root(hashes: Sequence[bytes]) -> bytes:
    if len(hashes) == 1:
        return hashes[0]
    split = _split(len(hashes))
    return node_hash(_root(hashes[:split]), _root(hashes[split:]))


def _split(size: int) -> int:
    """The largest power of two under `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def named_root(digests: Mapping[str, str]) -> str:
    """The root, in hexadecimal, over lines `name digest` sorted by name; what an assistant's digest is.

    >>> named_root({"model": "00", "index": "11"}) == root([b"index 11", b"model 00"]).hex()
    True
    """
    return root([f"{name} {digest}".encode() for name, digest in sorted(digests.items())]).hex()


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The hashes beside the way from leaf `index` up to the root, lowest first: about log2 of the leaves.

    Raises:
        IndexError: there is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise IndexError(f"There are {len(leaves)} leaves; found index {index}.")
    return _proof([leaf_hash(leaf) for leaf in leaves], index)


def _proof(hashes: Sequence[bytes], index: int) -> list[bytes]:
    if len(hashes) == 1:
        return []
    split = _split(len(hashes))
    if index < split:
        return [*_proof(hashes[:split], index), _root(hashes[split:])]
    return [*_proof(hashes[split:], index - split), _root(hashes[:split])]


def includes(expected: bytes, leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bool:
    """Whether `leaf` is number `index` of the `size` leaves under the root `expected`."""
    if not 0 <= index < size:
        return False
    return _climb(leaf_hash(leaf), index, size, list(proof)) == expected


def _climb(current: bytes, index: int, size: int, proof: list[bytes]) -> bytes | None:
    """The root that the proof leads to; None where its length does not fit."""
    if size == 1:
        return None if proof else current
    if not proof:
        return None
    split, beside = _split(size), proof[-1]
    if index < split:
        below = _climb(current, index, split, proof[:-1])
        return None if below is None else node_hash(below, beside)
    below = _climb(current, index - split, size - split, proof[:-1])
    return None if below is None else node_hash(beside, below)
