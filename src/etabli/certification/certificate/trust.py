"""Whom a reader trusts: public keys, each for one role, and how many signatures a role needs.

A trust file is JSON. It is not signed: it is the reader's own decision, kept where only administrators write.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator, model_validator

from etabli.certification.certificate.keys import PublicKey, read_public
from etabli.certification.certificate.verify import Key
from etabli.errors import CertificateError
from etabli.messages import tr

Role = Literal["evaluator", "riskOwner", "auditor"]
ROLES: tuple[Role, ...] = ("evaluator", "riskOwner", "auditor")
LONGEST_VALIDITY = timedelta(days=90)


class TrustedKey(BaseModel):
    """A public key trusted in one role.

    Args:
        role: what its owner signs as.
        name: of its owner, for people.
        publicKey: in PEM.
        until: when it was retired. Certificates that it signed before then stay valid until they expire, at most
            90 days later. A key that was stolen belongs on the revocation list instead.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: Role
    name: str
    publicKey: str
    until: datetime | None = None

    @field_validator("publicKey")
    @classmethod
    def _readable(cls, pem: str) -> str:
        try:
            read_public(pem, name="publicKey")
        except CertificateError as why:
            raise ValueError(str(why)) from None
        return pem

    @property
    def public(self) -> PublicKey:
        """The key itself."""
        return read_public(self.publicKey, name=self.name)


class Trust(BaseModel):
    """The trusted keys of a reader, and how many signatures each role needs at least."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    keys: tuple[TrustedKey, ...] = ()
    thresholds: Mapping[Role, int] = {"evaluator": 1}

    @model_validator(mode="after")
    def _one_role_each(self) -> Self:
        ids = [key.public.keyid for key in self.keys]
        doubled = sorted({keyid for keyid in ids if ids.count(keyid) > 1})
        if doubled:
            raise ValueError(f"one key stands for two people or roles: {', '.join(doubled)}")
        return self

    def keys_at(self, at: datetime) -> dict[str, Key]:
        """Those with which a certificate may be verified at that moment, by key id.

        A retired key counts for 90 days more, which is as long as anything it signed can last.
        """
        return {
            key.public.keyid: Key(key.role, key.name, key.public.raw)
            for key in self.keys
            if key.until is None or at <= key.until + LONGEST_VALIDITY
        }

    def with_key(self, public: PublicKey, *, role: Role, name: str) -> "Trust":
        """With one more key.

        Raises:
            CertificateError: that key is trusted already.
        """
        if any(key.public.keyid == public.keyid for key in self.keys):
            raise CertificateError(tr("The key {keyid} is trusted already.", keyid=public.keyid))
        added = TrustedKey(role=role, name=name, publicKey=public.pem)
        return self.model_copy(update={"keys": (*self.keys, added)})

    def retired(self, keyid: str, *, at: datetime) -> "Trust":
        """With that key retired at that moment.

        Raises:
            CertificateError: there is no such key.
        """
        if all(key.public.keyid != keyid for key in self.keys):
            raise CertificateError(tr("The key {keyid} is not among those that are trusted.", keyid=keyid))
        keys = tuple(
            key.model_copy(update={"until": at}) if key.public.keyid == keyid else key for key in self.keys
        )
        return self.model_copy(update={"keys": keys})


def load_trust(path: Path) -> Trust:
    """Read a trust file.

    Raises:
        CertificateError: it cannot be read, or is no trust file.
    """
    try:
        return Trust.model_validate(json.loads(path.read_bytes()))
    except OSError as why:
        raise CertificateError(tr("{path} cannot be read: {why}.", path=path, why=why.strerror)) from None
    except (ValidationError, ValueError) as why:
        raise CertificateError(
            tr("{path} is no trust file: {why}. See docs/reference/certificate.md.", path=path, why=why)
        ) from None


def save_trust(trust: Trust, path: Path) -> None:
    """Write a trust file, whole or not at all."""
    document = trust.model_dump(mode="json")
    for key in document["keys"]:
        key["until"] = key["until"] and timestamp(datetime.fromisoformat(key["until"]))
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    fresh.replace(path)


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC, to the second, as every time in a certificate: `2026-11-23T10:00:00Z`.

    Raises:
        ValueError: the moment has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError("A moment in a certificate needs a time zone.")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
