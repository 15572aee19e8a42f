"""`etabli certificate`: verify, show, sign and revoke certificates, and keep the keys that do it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from etabli.certification.certificate import verify as verifier
from etabli.certification.certificate.dsse import STATEMENT_TYPE, Envelope
from etabli.certification.certificate.keys import (
    PublicKey,
    SigningKey,
    create_key,
    is_encrypted,
    load_key,
    load_public,
    public_path,
    rotate_key,
)
from etabli.certification.certificate.revocation import RevocationList, read_revocations
from etabli.certification.certificate.statement import read_statement
from etabli.certification.certificate.trust import ROLES, Role, Trust, load_trust, save_trust, timestamp
from etabli.cli.context import JsonFlag, open_workspace
from etabli.cli.terminal import make_console, print_json
from etabli.errors import CertificateError, InvalidInputError, NotFoundError
from etabli.messages import language, tr

if TYPE_CHECKING:
    from etabli.certification.report.content import Revoked

app = typer.Typer(
    name="certificate",
    help="Certificates: verify, show, sign, revoke; and the keys that sign.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    add_completion=False,
)
keys_app = typer.Typer(
    name="keys",
    help="Signing keys, and whom this machine trusts.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
app.add_typer(keys_app)

Certificate = Annotated[Path, typer.Argument(help="The certificate, a .json file.")]
KeyFile = Annotated[Path, typer.Option("--key", help="The private key to sign with, a .pem file.")]
PassphraseFile = Annotated[
    Path | None, typer.Option(help="A file with the passphrase; else it is asked for.", show_default=False)
]
TrustFile = Annotated[
    Path | None, typer.Option("--trust", help="The file that names whom to trust.", show_default=False)
]


@app.command("verify")
def verify_command(
    certificate: Certificate,
    key: Annotated[
        list[str] | None,
        typer.Option(
            "--key", help="A public key to trust: FILE, or ROLE=FILE; the evaluator's unless named."
        ),
    ] = None,
    trust: TrustFile = None,
    evidence: Annotated[Path | None, typer.Option(help="The evidence: an archive or a folder.")] = None,
    components: Annotated[
        Path | None, typer.Option(help="What the assistant is made of now, as components.json.")
    ] = None,
    revocations: Annotated[Path | None, typer.Option(help="The signed list of revocations.")] = None,
    at: Annotated[str | None, typer.Option(help="Judge by this moment: 2026-12-01T00:00:00Z.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Check everything about a certificate: signatures, dates, numbers, evidence.

    Exit codes: 0 certified, 3 refused, 4 a signature is missing, 5 inconclusive, 6 altered, 7 not in force.

    Examples:
      etabli certificate verify certificate.json --key evaluator.pub
      etabli certificate verify certificate.json --trust trust.json --evidence evidence.zip
    """
    moment = _moment(at)
    keys, thresholds = _trusted(key or [], trust, at=moment)
    result = verifier.verify(
        _read(certificate),
        keys,
        thresholds=thresholds,
        evidence=evidence,
        components=_read(components) if components else None,
        revocations=_read(revocations) if revocations else None,
        at=moment,
    )
    if as_json:
        print_json(
            {
                "code": result.code,
                "passed": [_said(title) for title in result.passed],
                "failed": _said(result.failed),
                "detail": result.detail,
                "verdict": result.statement and result.statement["predicate"]["verdict"],
            }
        )
    else:
        _print_result(result)
    raise typer.Exit(result.code)


def _print_result(result: verifier.Result) -> None:
    for title in result.passed:
        typer.echo(f"  ✓ {_said(title)}")
    if result.failed:
        typer.echo(f"  ✗ {_said(result.failed)}: {result.detail}")
    if result.statement is None:
        typer.echo(tr("Nothing in this file can be trusted."))
        return
    predicate = result.statement["predicate"]
    typer.echo(
        f"{predicate['verdict']}  {predicate['assistant']['name']}  {predicate['validity']['notAfter']}"
    )
    typer.echo(tr("What it does not prove:"))
    for limit in predicate["doesNotProve"]:
        typer.echo(f"  • {limit[language()]}")


def _said(title: str) -> str:
    """The half of a check's title that the reader understands."""
    english, _, french = title.partition(" | ")
    return french if language() == "fr" and french else english


@app.command()
def show(certificate: Certificate, as_json: JsonFlag = False) -> None:
    """Show what a certificate says, without checking any of it.

    Example: etabli certificate show certificate.json
    """
    statement = read_statement(_read(certificate))
    if as_json:
        print_json(statement)
        return
    predicate = statement["predicate"]
    typer.echo(predicate["declaration"][language()])
    typer.echo(f"{predicate['verdict']}  {predicate['assistant']['name']}")
    typer.echo(f"{predicate['validity']['notBefore']} – {predicate['validity']['notAfter']}")
    for section, claim in verifier.all_claims(predicate):
        _, _, deciding, threshold = verifier.BOUNDS[section]
        sign = "≥" if section == "effectiveness" else "≤"
        label = claim["label"][language()]
        typer.echo(
            f"  {claim['id']:3} {label:48.48} {claim['observed']:.6}  {claim[deciding]:.6} "
            f"{sign} {claim[threshold]:.6}  {claim['verdict']}"
        )
    for skipped in predicate["scope"]["notTested"]:
        typer.echo(f"  {skipped['id']:3} {skipped['label'][language()]}: {skipped['reason'][language()]}")


@app.command()
def report(
    ctx: typer.Context,
    certificate: Annotated[
        str, typer.Argument(help="The certificate: its file, its id (crt_…), or its campaign's id (cmp_…).")
    ],
    to: Annotated[
        Path | None,
        typer.Option("--report", help="Write the report here: a .pdf or .html file, or a folder."),
    ] = None,
    junit: Annotated[
        Path | None,
        typer.Option("--junit", help="Write the verdicts here as JUnit XML, for build servers."),
    ] = None,
    sarif: Annotated[
        Path | None, typer.Option("--sarif", help="Write the findings here as SARIF, for code scanners.")
    ] = None,
    evidence: Annotated[
        Path | None, typer.Option(help="The evidence; else evidence.zip beside the certificate.")
    ] = None,
) -> None:
    """Write the report of a certificate, and its files for build servers.

    Exit codes: 0 written, 1 not.

    Examples:
      etabli certificate report certificate.json --report report.pdf
      etabli certificate report cmp_0123456789abcdef0123 --report results --sarif results.sarif
    """
    from etabli.certification.report.files import Wanted, write_files

    wanted = Wanted(to, junit, sarif)
    if not wanted:
        raise InvalidInputError(tr("Say what to write: --report, --junit or --sarif."))
    path, revoked = Path(certificate), None
    if not path.exists() and certificate.startswith(("crt_", "cmp_")):
        path, revoked = _issued(ctx, certificate)
    beside = evidence or path.with_name("evidence.zip")
    written = write_files(
        wanted,
        _read(path),
        language=language(),
        evidence=beside if evidence or beside.is_file() else None,
        revoked=revoked,
    )
    for one in written:
        typer.echo(tr("Report: {path}", path=one))


def _issued(ctx: typer.Context, name: str) -> "tuple[Path, Revoked | None]":
    """The file of a certificate of this workspace, by its id or its campaign's, and whether it was revoked."""
    from etabli.certification.issuing import CERTIFICATE_FILE
    from etabli.certification.report.content import Revoked

    with open_workspace(ctx) as workspace:
        for one in workspace.publications.certificates():
            if name in (one.id, one.campaign_id):
                path = workspace.settings.certificates_dir / one.id / CERTIFICATE_FILE
                gone = Revoked(one.revoked_at, one.revoked_because or "–") if one.revoked_at else None
                return path, gone
    raise NotFoundError(tr("There is no certificate {id}.", id=name[:80]))


@app.command()
def service(
    ctx: typer.Context,
    assistant: Annotated[
        str | None,
        typer.Argument(help="A published assistant; all of them if none is named.", show_default=False),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Show what was tried secretly on published assistants while they serve, and how often they go wrong at most.

    Exit codes: 0 nothing is suspended, 3 the certificate of one of them is.

    Examples:
      etabli certificate service
      etabli certificate service clinique --json
    """
    from etabli.cli.certificate_service import show_service
    from etabli.server.certification.in_service import InService

    with open_workspace(ctx) as workspace:
        published = workspace.publications.published()
        if assistant is not None and assistant not in published:
            workspace.assistants.get(assistant)
            raise NotFoundError(
                tr("{name} is not published: nothing is tried on a draft. Certify it first.", name=assistant)
            )
        states = InService(
            workspace.database,
            workspace.publications,
            probes_a_day=workspace.settings.service_probes_per_day,
        )
        found = [
            states.state(certificate)
            for name, certificate in sorted(published.items())
            if assistant in (None, name)
        ]
        if as_json:
            print_json([one.model_dump() for one in found])
        else:
            show_service(make_console(), found)
    if any(one.suspended is not None for one in found):
        raise typer.Exit(verifier.CODES["REFUSED"])


@app.command()
def countersign(certificate: Certificate, key: KeyFile, passphrase_file: PassphraseFile = None) -> None:
    """Add a signature to a certificate; what was signed before stays as it is.

    Example: etabli certificate countersign certificate.json --key risk-owner.pem
    """
    envelope = _envelope(certificate)
    signed = envelope.signed_by(_open(key, passphrase_file))
    _replace(certificate, signed.to_bytes())
    typer.echo(tr("{file} has {count} signatures.", file=certificate, count=len(signed.signatures)))


@app.command("sign-outside")
def sign_outside(
    certificate: Certificate,
    to_sign: Annotated[
        Path | None, typer.Option(help="Write the bytes to sign into this file.", show_default=False)
    ] = None,
    signature: Annotated[
        Path | None, typer.Option(help="Take this signature (64 bytes) in.", show_default=False)
    ] = None,
    public: Annotated[
        Path | None, typer.Option(help="The public key of that signature.", show_default=False)
    ] = None,
) -> None:
    """Sign with a key that does not lie on this machine: give out the bytes, take the signature back.

    Examples:
      etabli certificate sign-outside certificate.json --to-sign bytes.bin
      openssl pkeyutl -sign -rawin -inkey risk-owner.pem -in bytes.bin -out signature.bin
      etabli certificate sign-outside certificate.json --signature signature.bin --public risk-owner.pub
    """
    envelope = _envelope(certificate)
    if to_sign is not None:
        to_sign.write_bytes(envelope.to_sign)
        typer.echo(tr("Sign the bytes in {file} with Ed25519, without hashing them first.", file=to_sign))
    elif signature is not None and public is not None:
        signed = envelope.with_signature(load_public(public), _read(signature))
        _replace(certificate, signed.to_bytes())
        typer.echo(tr("{file} has {count} signatures.", file=certificate, count=len(signed.signatures)))
    else:
        raise CertificateError(tr("Give --to-sign FILE, or --signature FILE with --public FILE."))


@app.command()
def revoke(
    revocations: Annotated[Path, typer.Argument(help="The list of revocations; made if it is not there.")],
    reason: Annotated[str, typer.Option(help="Why, for people.")],
    key: KeyFile,
    certificate: Annotated[
        Path | None, typer.Option(help="The certificate to revoke.", show_default=False)
    ] = None,
    keyid: Annotated[str | None, typer.Option(help="The key to revoke: its id.", show_default=False)] = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Put a certificate or a key on the signed list of what no longer counts.

    Example: etabli certificate revoke revocations.json --certificate certificate.json --reason "Drift" --key e.pem
    """
    if (certificate is None) == (keyid is None):
        raise CertificateError(tr("Name one thing to revoke: --certificate FILE or --keyid ID."))
    signing = _open(key, passphrase_file)
    before = read_revocations(_read(revocations)) if revocations.exists() else RevocationList()
    now = datetime.now(UTC)
    if certificate is not None:
        digest = verifier.sha256(_envelope(certificate).payload)
        after = before.with_entry("certificate", digest, reason=reason, at=now)
    else:
        after = before.with_entry("key", str(keyid), reason=reason, at=now)
    _replace(revocations, after.envelope(signing).to_bytes())
    typer.echo(tr("{file} names {count} revocations.", file=revocations, count=len(after.revoked)))


@keys_app.command()
def create(
    path: Annotated[Path, typer.Argument(help="The private key to make, a .pem file.")],
    passphrase_file: PassphraseFile = None,
    no_passphrase: Annotated[
        bool, typer.Option("--no-passphrase", help="Leave the key unencrypted, readable by its owner alone.")
    ] = False,
) -> None:
    """Make a signing key; the public half lies beside it as .pub.

    Example: etabli certificate keys create keys/evaluator.pem
    """
    passphrase = None if no_passphrase else _new_passphrase(passphrase_file)
    made = create_key(path, passphrase=passphrase)
    _tell(made.public, path)
    if no_passphrase:
        typer.echo(tr("The private key is not encrypted: whoever reads the file can sign."))


@keys_app.command()
def rotate(
    path: Annotated[Path, typer.Argument(help="The private key to replace.")],
    trust: TrustFile = None,
    passphrase_file: PassphraseFile = None,
    no_passphrase: Annotated[
        bool, typer.Option("--no-passphrase", help="Leave the key unencrypted, readable by its owner alone.")
    ] = False,
) -> None:
    """Replace a signing key by a new one; the old public key is kept, the old private one is gone.

    With --trust the old key is retired there and the new one takes its place.

    Example: etabli certificate keys rotate keys/evaluator.pem --trust trust.json
    """
    old_passphrase = _passphrase(path, passphrase_file)
    trusted = load_trust(trust) if trust is not None else None
    keyid = load_key(path, passphrase=old_passphrase).public.keyid
    owner = next((one for one in trusted.keys if one.public.keyid == keyid), None) if trusted else None
    if trusted is not None and owner is None:
        raise CertificateError(tr("{trust} does not name the key {path}.", trust=trust, path=path))
    new_passphrase = None if no_passphrase else _new_passphrase(passphrase_file)
    old, new = rotate_key(path, old_passphrase=old_passphrase, passphrase=new_passphrase)
    if trusted is not None and owner is not None and trust is not None:
        later = trusted.retired(old.keyid, at=datetime.now(UTC))
        save_trust(later.with_key(new.public, role=owner.role, name=owner.name), trust)
    _tell(new.public, path)


@keys_app.command("show")
def show_key(path: Annotated[Path, typer.Argument(help="A public key, or a trust file.")]) -> None:
    """Show a public key's id, or the keys of a trust file.

    Example: etabli certificate keys show trust.json
    """
    if path.suffix != ".json":
        typer.echo(load_public(path).keyid)
        return
    for key in load_trust(path).keys:
        until = f"  – {timestamp(key.until)}" if key.until else ""
        typer.echo(f"{key.public.keyid}  {key.role:10} {key.name}{until}")


@keys_app.command("trust")
def trust_key(
    public: Annotated[Path, typer.Argument(help="The public key, a .pub file.")],
    trust: Annotated[Path, typer.Option(help="The trust file; made if it is not there.")],
    name: Annotated[str, typer.Option(help="Whose key it is.")],
    role: Annotated[str, typer.Option(help="evaluator, riskOwner or auditor.")] = "evaluator",
) -> None:
    """Trust a public key in one role.

    Example: etabli certificate keys trust risk.pub --trust trust.json --role riskOwner --name "Karim Benali"
    """
    before = load_trust(trust) if trust.exists() else Trust()
    save_trust(before.with_key(load_public(public), role=_role(role), name=name), trust)
    typer.echo(tr("{name} is trusted as {role}.", name=name, role=role))


def _role(name: str) -> Role:
    for role in ROLES:
        if role == name:
            return role
    raise CertificateError(
        tr("There is no role {name}. Those that there are: {roles}.", name=name, roles=", ".join(ROLES))
    )


def _trusted(
    given: list[str], trust: Path | None, *, at: datetime | None
) -> tuple[dict[str, verifier.Key], Any]:
    """The keys to verify with, and how many signatures each role needs."""
    if not given and trust is None:
        raise CertificateError(tr("Say whom to trust: --key FILE or --trust FILE."))
    trusted = load_trust(trust) if trust is not None else None
    keys = trusted.keys_at(at or datetime.now(UTC)) if trusted else {}
    for text in given:
        role, _, file = text.rpartition("=")
        public = load_public(Path(file))
        keys[public.keyid] = verifier.Key(_role(role or "evaluator"), Path(file).stem, public.raw)
    return keys, dict(trusted.thresholds) if trusted else {}


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return verifier.moment(text)
    except ValueError:
        raise CertificateError(
            tr("{text} is no moment. Write it like 2026-12-01T00:00:00Z.", text=repr(text))
        ) from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as why:
        raise CertificateError(tr("{path} cannot be read: {why}.", path=path, why=why.strerror)) from None


def _envelope(path: Path) -> Envelope:
    return Envelope.from_bytes(_read(path), payload_type=STATEMENT_TYPE)


def _replace(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_bytes(data)
    fresh.replace(path)


def _open(path: Path, passphrase_file: Path | None) -> SigningKey:
    return load_key(path, passphrase=_passphrase(path, passphrase_file))


def _passphrase(path: Path, file: Path | None) -> str | None:
    if not is_encrypted(path):
        return None
    if file is not None:
        return _read(file).decode().rstrip("\r\n")
    return str(typer.prompt(tr("Passphrase of {path}", path=path), hide_input=True, err=True))


def _new_passphrase(file: Path | None) -> str:
    if file is not None:
        return _read(file).decode().rstrip("\r\n")
    question = tr("Passphrase for the new key")
    return str(typer.prompt(question, hide_input=True, confirmation_prompt=True, err=True))


def _tell(public: PublicKey, path: Path) -> None:
    typer.echo(tr("Private key: {path}", path=path))
    typer.echo(tr("Public key, to give away: {path}", path=public_path(path)))
    typer.echo(tr("Key id: {keyid}", keyid=public.keyid))
