"""`govfile cert`: what a certificate says, and its public half for registration."""

import enum
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from govfile.cli.commands import command, new_app
from govfile.cli.escape import printable
from govfile.cli.exits import Exit
from govfile.cli.output import moment
from govfile.cli.session import Session
from govfile.errors import ConfigurationError, CredentialError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from govfile.certificates.public import PublicHalf
    from govfile.certificates.secret import Secret

app = new_app("Certificates: what one says, and its public half for registration.")

_File = Annotated[
    Path | None,
    typer.Argument(metavar="[FILE]", help="PKCS#12, PEM or DER; the profile's credential without."),
]
_FromEnv = Annotated[
    str | None, typer.Option("--passphrase-env", metavar="NAME", help="Environment variable with FILE's passphrase.")
]
_FromFile = Annotated[
    Path | None, typer.Option("--passphrase-file", metavar="PATH", help="File that holds FILE's passphrase.")
]


@command(app, "inspect")
def inspect(
    session: Session, file: _File = None, passphrase_env: _FromEnv = None, passphrase_file: _FromFile = None
) -> Exit:
    """Say whom a certificate stands for, until when, and which identifier to register.

    Exits with 5 when it is not valid now. A passphrase is asked for where one is needed and a person is there.
    """
    certificates = _certificates(session, file, passphrase_env, passphrase_file)
    facts = _facts(certificates[0])
    session.out.record("certificate", **facts, chain=len(certificates) - 1)
    for label, value in facts.items():
        if value not in (None, ""):
            text = moment(value) + " UTC" if isinstance(value, datetime) else value
            session.out.say(f"{label.replace('_', ' ') + ':':<24}{printable(text)}")
    session.out.say(f"{'chain:':<24}{len(certificates) - 1} more certificates in the file")
    return Exit.DONE if facts["validity"].startswith("valid") else Exit.CREDENTIAL


class Form(enum.Enum):
    """What `cert export` writes."""

    PEM = "pem"
    DER = "der"
    SSH = "ssh"
    IDENTIFIER = "identifier"
    FINGERPRINT = "fingerprint"


@command(app, "export")
def export(
    session: Session,
    file: _File = None,
    form: Annotated[Form, typer.Option("--format", help="What to write.")] = Form.PEM,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="PATH", help="A new file; standard output without.")
    ] = None,
    comment: Annotated[str, typer.Option(help="Comment of the SSH line.")] = "",
    passphrase_env: _FromEnv = None,
    passphrase_file: _FromFile = None,
) -> Exit:
    """Write the public half of a certificate, for registration. The private key is never written.

    PEM or DER (`.cer`) certificate, SSH public key line, the identifier to register (UID, RID, FID or UUID), or the
    SHA-256 fingerprint. An existing file is never overwritten.
    """
    from govfile.certificates.public import PublicHalf

    half = PublicHalf(_certificates(session, file, passphrase_env, passphrase_file)[0])
    content = _exported(half, form, comment)
    if out is None:
        _to_stdout(session, form, content)
        return Exit.DONE
    try:
        with out.open("xb") as stream:
            stream.write(content)
    except OSError as error:
        raise ConfigurationError(
            f"{out} cannot be written: {error.strerror}", advice="give the name of a new file"
        ) from error
    session.out.say(f"written: {printable(out)}")
    session.out.record("export", path=out, format=form)
    return Exit.DONE


def _exported(half: "PublicHalf", form: Form, comment: str) -> bytes:
    match form:
        case Form.PEM:
            return half.pem
        case Form.DER:
            return half.der
        case Form.SSH:
            return f"{half.ssh_line(comment)}\n".encode()
        case Form.FINGERPRINT:
            return f"{half.fingerprint_with_colons}\n".encode()
        case Form.IDENTIFIER:
            half.subject.require_identity()
            return f"{half.identifier}\n".encode()


def _to_stdout(session: Session, form: Form, content: bytes) -> None:
    if form is Form.DER:
        if session.out.as_json or sys.stdout.isatty():
            raise ConfigurationError("DER is binary", advice="give --out PATH, or choose --format pem")
        with session.out.writing():
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()
        return
    session.out.say(content.decode().rstrip("\n"))
    session.out.record("export", format=form, text=content.decode())


def _certificates(
    session: Session, file: Path | None, from_env: str | None, from_file: Path | None
) -> tuple["Certificate", ...]:
    from govfile.cli.keys import certificates_in, load_credential

    if file is None:
        own = load_credential(session.profile, whenever=True)
        return (own.certificate, *own.chain)
    passphrase = _passphrase(from_env, from_file)
    try:
        return certificates_in(file, passphrase)
    except CredentialError:
        if passphrase is not None or not sys.stdin.isatty():
            raise
    from govfile.certificates.secret import Secret

    return certificates_in(file, Secret(typer.prompt("Passphrase", hide_input=True, err=True)))


def _passphrase(from_env: str | None, from_file: Path | None) -> "Secret | None":
    from govfile.certificates.secret import Secret

    if from_env is not None:
        return Secret.from_env(from_env)
    return Secret.from_file(from_file) if from_file is not None else None


def _facts(certificate: "Certificate") -> dict[str, Any]:
    from cryptography.hazmat.primitives import hashes

    from govfile.certificates.subject import Subject, is_test_certificate

    subject = Subject.of(certificate)
    test = {True: "test", False: "production", None: "not known"}[is_test_certificate(certificate)]
    return {
        "certificate_kind": subject.kind.name.lower(),
        "organisation": subject.organisation,
        "common_name": subject.common_name,
        "cvr": subject.cvr,
        "identifier": subject.identifier,
        "issuer": certificate.issuer.rfc4514_string(),
        "issued_for": test,
        "valid_from": certificate.not_valid_before_utc,
        "expires": certificate.not_valid_after_utc,
        "validity": _validity(certificate),
        "sha256": certificate.fingerprint(hashes.SHA256()).hex(),
    }


def _validity(certificate: "Certificate") -> str:
    now = datetime.now(UTC)
    if now < certificate.not_valid_before_utc:
        return "not valid yet"
    left = certificate.not_valid_after_utc - now
    if left.total_seconds() >= 0:
        return f"valid, {left.days} days left"
    return f"expired on {certificate.not_valid_after_utc:%Y-%m-%d}"
