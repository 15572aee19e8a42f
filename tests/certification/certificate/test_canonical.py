"""Canonical JSON against the RFC's own examples."""

import json
import math
import random
import struct

import pytest

from etabli.certification.certificate.canonical import canonical_json
from etabli.errors import CertificateError


@pytest.mark.parametrize(
    ("bits", "text"),
    [  # RFC 8785, appendix B
        ("0000000000000000", "0"),
        ("8000000000000000", "0"),
        ("0000000000000001", "5e-324"),
        ("8000000000000001", "-5e-324"),
        ("7fefffffffffffff", "1.7976931348623157e+308"),
        ("4340000000000000", "9007199254740992"),
        ("4430000000000000", "295147905179352830000"),
        ("44b52d02c7e14af5", "9.999999999999997e+22"),
        ("44b52d02c7e14af6", "1e+23"),
        ("44b52d02c7e14af7", "1.0000000000000001e+23"),
        ("444b1ae4d6e2ef4e", "999999999999999700000"),
        ("444b1ae4d6e2ef50", "1e+21"),
        ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
        ("3eb0c6f7a0b5ed8d", "0.000001"),
        ("41b3de4355555554", "333333333.33333325"),
        ("becbf647612f3696", "-0.0000033333333333333333"),
    ],
)
def test_numbers_as_the_rfc_prints_them(bits: str, text: str) -> None:
    assert canonical_json(struct.unpack(">d", bytes.fromhex(bits))[0]).decode() == text


def test_the_example_of_the_rfc() -> None:
    value = json.loads(
        r'{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],'
        r'"string":"\u20ac$\u000F\u000aA\u0027\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}'
    )
    assert canonical_json(value).decode() == (
        r'{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        r'"string":"€$\u000f\nA' + "'" + r'B\"\\\\\"/"}'
    )


def test_names_are_sorted_by_utf_16() -> None:
    """A character beyond the basic plane comes before U+FB33, as the RFC's section 3.2.3 has it."""
    assert (
        canonical_json({"\ufb33": 1, "😀": 2, "é": 3, "1": 4}).decode() == '{"1":4,"é":3,"😀":2,"\ufb33":1}'
    )


def test_fractions_read_back_as_themselves() -> None:
    draw = random.Random(0)
    for _ in range(2000):
        value = struct.unpack(">d", draw.randbytes(8))[0]
        if math.isfinite(value):
            assert float(canonical_json(value)) == value


@pytest.mark.parametrize("value", [math.nan, math.inf, 2**53, {1: 2}, b"x", {"a": {"b": object()}}, "\ud800"])
def test_what_json_cannot_carry_is_refused(value: object) -> None:
    with pytest.raises(CertificateError):
        canonical_json(value)
