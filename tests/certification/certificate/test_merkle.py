"""Merkle trees against the test vectors of Certificate Transparency, and every proof of every small tree."""

import hashlib

import pytest

from etabli.certification.certificate import verify
from etabli.certification.certificate.merkle import includes, inclusion_proof, leaf_hash, named_root, root

# The leaves and roots that implementations of RFC 6962 test themselves with.
LEAVES = [bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    4: "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


@pytest.mark.parametrize("size", ROOTS)
def test_roots_are_the_published_ones(size: int) -> None:
    assert root(LEAVES[:size]).hex() == ROOTS[size] == verify.merkle_root(LEAVES[:size]).hex()


def test_the_root_of_nothing() -> None:
    assert root([]) == hashlib.sha256(b"").digest() == verify.merkle_root([])


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 8, 13])
def test_every_leaf_can_be_proven_and_no_other(size: int) -> None:
    leaves = [f"leaf {number}".encode() for number in range(size)]
    top = root(leaves)
    for index, leaf in enumerate(leaves):
        proof = inclusion_proof(leaves, index)
        assert includes(top, leaf, index, size, proof)
        assert not includes(top, b"other", index, size, proof)
        assert not includes(top, leaf, index, size, [*proof, b"\0" * 32])
        assert not includes(top, leaf, size, size, proof)
        if proof:
            assert not includes(top, leaf, index, size, proof[:-1])
            assert not includes(top, leaf, (index + 1) % size, size, proof)


def test_a_node_is_no_leaf() -> None:
    inner = leaf_hash(b"a") + leaf_hash(b"b")
    assert root([b"a", b"b"]) != root([inner])


def test_a_proof_of_nothing_is_an_error() -> None:
    with pytest.raises(IndexError, match="index 2"):
        inclusion_proof([b"a", b"b"], 2)


def test_names_are_covered() -> None:
    assert (
        named_root({"a": "1", "b": "2"})
        == named_root({"b": "2", "a": "1"})
        == verify.named_root({"a": "1", "b": "2"})
    )
    assert named_root({"a": "1", "b": "2"}) != named_root({"a": "2", "b": "1"})
