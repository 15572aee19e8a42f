"""Personal data and secrets in a text, by their form and, where they have one, their check digits.

What is looked for: e-mail addresses, French telephone numbers, social security numbers (NIR, with its key), IBANs
(ISO 13616, modulo 97), payment cards (ISO/IEC 7812, Luhn); private keys, keys of known services, passwords that are
told, addresses with a password. Names, dates of birth and postal addresses are not: without a list of people they
cannot be told from the rest. What was found is never told whole.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from etabli.messages import tr

_FEW = 4
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,4}[A-Za-z]{2,24}\b")
_LONG_NUMBER = re.compile(r"(?<![\w.,+-])\d(?:[ .\u00a0\u202f-]?\d){12,18}(?!\w)")
_PHONE = re.compile(
    r"(?<![\w.,+])(?:(?:\+|00)33[ .\u00a0\u202f-]?(?:\(0\)[ \u00a0\u202f]?)?|0)[1-9]"
    r"([ .\u00a0\u202f-]?)\d\d(?:\1\d\d){3}(?![\w]|[.,]\d)"
)
_NIR = re.compile(r"[1278]\d{14}")
_NIR_CORSICA = re.compile(r"(?<!\w)[1278] ?\d\d ?\d\d ?2[AB] ?\d{3} ?\d{3} ?\d\d(?!\w)")
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?:[ \u00a0\u202f]?[A-Z0-9]){11,30}(?!\w)")
_SPACES = re.compile(r"[ .\u00a0\u202f-]")
_EXAMPLE_DOMAINS = re.compile(
    r"(?:^|\.)(?:example\.(?:com|org|net|fr)|[\w-]+\.(?:example|invalid|test))$", re.IGNORECASE
)
"""Reserved by RFC 2606: nobody's."""
_SECRETS = (
    ("private_key", b"-----BEGIN", re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----")),
    ("openai", b"sk-", re.compile(r"(?<![\w-])sk-(?:[a-z]+-)?[A-Za-z0-9_-]{20,}")),
    ("aws", b"AKIA", re.compile(r"(?<!\w)AKIA[0-9A-Z]{16}(?!\w)")),
    ("aws", b"ASIA", re.compile(r"(?<!\w)ASIA[0-9A-Z]{16}(?!\w)")),
    ("github", b"gh", re.compile(r"(?<!\w)(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{22,})")),
    ("gitlab", b"glpat-", re.compile(r"(?<!\w)glpat-[\w-]{20,}")),
    ("slack", b"xox", re.compile(r"(?<!\w)xox[abeoprs]-[\w-]{10,}")),
    ("google", b"AIza", re.compile(r"(?<!\w)AIza[\w-]{35}(?!\w)")),
    ("hugging_face", b"hf_", re.compile(r"(?<!\w)hf_[A-Za-z0-9]{30,}")),
    ("token", b"eyJ", re.compile(r"(?<!\w)eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}")),
    ("address", b"://", re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@]{1,64}:([^\s/@]{3,128})@[\w.-]+")),
)
_PASSWORD = re.compile(
    r"\b(?:mot de passe|mdp|password|passwd|secret[ _-]?key|api[ _-]?key|clé (?:d[’']api|secrète))\s{0,2}"
    r"(?:(?::|=|\best\b|\bis\b)\s{0,3}){1,2}[«\"'“`]?\s?((?=[^\s»\"'”`]*\d)(?=[^\s»\"'”`]*[A-Za-z])[^\s»\"'”`,;]{6,64})",
    re.IGNORECASE,
)
_PASSWORD_WORDS = tuple(
    word.encode()
    for word in (
        "mot de passe", "mdp", "passw", "secret key", "secret_key", "secret-key", "secretkey", "api key", "api_key",
        "api-key", "apikey", "clé d’api", "clé d'api", "clé secrète",
    )
)  # fmt: skip
_SEPARATORS = b" .-()\xc2\xa0\xe2\x80\xaf"
"""Bytes that may stand within a number: ASCII ones, and those of the two no-break spaces."""
_SHAPES = bytes(
    ord("d") if chr(one).isascii() and chr(one).isdigit() else ord("U") if 65 <= one <= 90 else ord("x")
    for one in range(256)
)


@dataclass(frozen=True, slots=True)
class Sensitive:
    """Something that should not be learned.

    Args:
        kind: `email`, `phone`, `nir`, `iban`, `card`; of secrets `private_key`, `password`, … .
        masked: its first characters, for people.
    """

    kind: str
    masked: str


def personal_data(text: str) -> list[Sensitive]:
    """Personal data of a text, at most four of them.

    >>> [one.kind for one in personal_data("Écrivez à anne.petit@hopital.fr ou au 06 12 34 56 78.")]
    ['email', 'phone']
    """
    found: list[Sensitive] = []
    if "@" in text:
        found += [
            Sensitive("email", _masked(one))
            for one in _EMAIL.findall(text)
            if not _EXAMPLE_DOMAINS.search(one.rpartition("@")[2])
        ]
    # A cheap look first: most texts have neither nine digits in a row nor what begins an account number.
    shapes = text.encode("utf-8", "replace").translate(_SHAPES, _SEPARATORS)
    if b"ddddddddd" in shapes:
        found += [Sensitive("phone", _masked(match.group())) for match in _PHONE.finditer(text)]
        for match in _LONG_NUMBER.finditer(text):
            kind = _kind_of_number(_compact(match.group()))
            if kind is not None:
                found.append(Sensitive(kind, _masked(match.group())))
    if b"dUdddddd" in shapes:
        found += [
            Sensitive("nir", _masked(one)) for one in _NIR_CORSICA.findall(text) if _is_nir(_compact(one))
        ]
    if b"UUdd" in shapes:
        found += [Sensitive("iban", _masked(one)) for one in _ibans(text)]
    return list(dict.fromkeys(found))[:_FEW]


def secrets_of(text: str) -> list[Sensitive]:
    """Secrets of a text, at most four of them.

    >>> secrets_of("clé : AKIAIOSFODNN7EXAMPLE")
    [Sensitive(kind='aws', masked='AKIA…')]
    """
    data, lower = text.encode("utf-8", "replace"), text.lower().encode("utf-8", "replace")
    found = [
        Sensitive(kind, _masked(match.group(match.lastindex or 0)))
        for kind, sign, pattern in _SECRETS
        if sign in data
        for match in pattern.finditer(text)
    ]
    if any(word in lower for word in _PASSWORD_WORDS):
        found += [Sensitive("password", _masked(match[1])) for match in _PASSWORD.finditer(text)]
    return list(dict.fromkeys(found))[:_FEW]


def kind_label(kind: str) -> str:
    """What a kind is called, for people."""
    return {
        "email": tr("an e-mail address"),
        "phone": tr("a telephone number"),
        "nir": tr("a social security number"),
        "iban": tr("a bank account"),
        "card": tr("a payment card"),
        "private_key": tr("a private key"),
        "password": tr("a password"),
        "address": tr("an address with a password"),
    }.get(kind, tr("an access key"))


def _kind_of_number(digits: str) -> str | None:
    if _NIR.fullmatch(digits) and _is_nir(digits):
        return "nir"
    if digits.isdigit() and 13 <= len(digits) <= 19 and _luhn(digits) and digits[0] in "3456":
        return "card"
    return None


def _is_nir(digits: str) -> bool:
    """Its key is 97 minus the rest of the number by 97; 2A and 2B count as 19 and 18."""
    number = digits[:13].replace("2A", "19").replace("2B", "18")
    month = int(digits[3:5])
    return (1 <= month <= 12 or 20 <= month <= 42 or month >= 50) and int(digits[13:]) == 97 - int(
        number
    ) % 97


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 * (value > 9)
    return total % 10 == 0 and len(set(digits)) > 1


def _ibans(text: str) -> Iterator[str]:
    for match in _IBAN.finditer(text):
        whole = _compact(match.group())
        # What follows an account number in capitals is taken along: the number is the longest part that checks.
        for end in range(min(34, len(whole)), 14, -1):
            part = whole[:end]
            if int("".join(str(int(one, 36)) for one in part[4:] + part[:4])) % 97 == 1:
                yield part
                break


def _compact(text: str) -> str:
    return _SPACES.sub("", text)


def _masked(text: str) -> str:
    return f"{text.strip()[:4]}…" if len(text.strip()) > 8 else "…"
