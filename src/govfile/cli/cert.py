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
from govfile.cli.new_files import new_file
from govfile.cli.output import moment
from govfile.cli.passphrases import FromEnvOption, FromFileOption, referred
from govfile.cli.session import Session
from govfile.errors import ConfigurationError, CredentialError, InvalidName

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography.x509 import Certificate

    from govfile.certificates.public import PublicHalf

app = new_app("Certificates: what one says, and its public half for registration.")

_File = Annotated[
    Path | None,
    typer.Argument(metavar="FILE", help="PKCS#12, PEM or DER; the profile's credential without."),
]


@command(app, "inspect")
def inspect(
    session: Session, file: _File = None, passphrase_env: FromEnvOption = None, passphrase_file: FromFileOption = None
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
    SSH_RFC4716 = "ssh-rfc4716"
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
    passphrase_env: FromEnvOption = None,
    passphrase_file: FromFileOption = None,
) -> Exit:
    """Write the public half of a certificate or an SSH key, for registration. The private key is never written.

    PEM or DER (`.cer`) certificate, SSH public key (one line, or the form of RFC 4716), the identifier to register
    (UID, RID, FID or UUID), or the SHA-256 fingerprint. Without FILE, the SSH key is the profile's `ssh_key` where
    there is one. An existing file is never overwritten.
    """
    from govfile.certificates.public import PublicHalf

    if form in (Form.SSH, Form.SSH_RFC4716):
        line = _ssh_line(session, file, comment, passphrase_env, passphrase_file)
        content = f"{line}\n".encode() if form is Form.SSH else rfc4716(line, comment)
    else:
        content = _exported(PublicHalf(_certificates(session, file, passphrase_env, passphrase_file)[0]), form)
    if out is None:
        _to_stdout(session, form, content)
        return Exit.DONE
    with new_file(out) as stream:
        stream.write(content)
    session.out.say(f"written: {printable(out)}")
    session.out.record("export", path=out, format=form)
    return Exit.DONE


def _exported(half: "PublicHalf", form: Form) -> bytes:
    match form:
        case Form.DER:
            return half.der
        case Form.FINGERPRINT:
            return f"{half.fingerprint_with_colons}\n".encode()
        case Form.IDENTIFIER:
            half.subject.require_identity()
            return f"{half.identifier}\n".encode()
    return half.pem


def _ssh_line(session: Session, file: Path | None, comment: str, from_env: str | None, from_file: Path | None) -> str:
    """That of an SSH key where there is one, otherwise of the certificate's key."""
    from govfile.certificates.public import PublicHalf
    from govfile.certificates.ssh import SshKey
    from govfile.cli.keys import load_ssh_key

    if not comment.isprintable():
        raise InvalidName("the comment of an SSH key must be one printable line", advice="leave it out")
    if file is None and "ssh_key" in session.profile.table.values:
        return load_ssh_key(session.profile).public_line(comment)
    if file is not None and _is_key_alone(file):
        return SshKey.from_file(file, referred(from_env, from_file)).public_line(comment)
    return PublicHalf(_certificates(session, file, from_env, from_file)[0]).ssh_line(comment)


def _is_key_alone(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            start = stream.read(64 * 1024)
    except OSError:
        return False  # reading it as a certificate says what is wrong with the file
    return b"PRIVATE KEY-----" in start and b"-----BEGIN CERTIFICATE" not in start


def rfc4716(line: str, comment: str = "") -> bytes:
    """An SSH public key line in the form of RFC 4716, which some portals ask for."""
    encoded = line.split(" ")[1]
    header = _folded(f'Comment: "{comment}"') if comment else ()
    rows = [encoded[start : start + 70] for start in range(0, len(encoded), 70)]
    return "\n".join(["---- BEGIN SSH2 PUBLIC KEY ----", *header, *rows, "---- END SSH2 PUBLIC KEY ----", ""]).encode()


def _folded(header: str) -> "Iterator[str]":
    """A header in lines of at most 72 bytes; a backslash says that the next one goes on (RFC 4716, 3.3)."""
    line = ""
    for character in header:
        if len(f"{line}{character}".encode()) > 71:
            yield f"{line}\\"
            line = ""
        line += character
    yield line


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
    from govfile.certificates._files import NOT_OPENED
    from govfile.cli.keys import certificates_in, load_credential

    if file is None:
        own = load_credential(session.profile, whenever=True)
        return (own.certificate, *own.chain)
    passphrase = referred(from_env, from_file)
    try:
        return certificates_in(file, passphrase)
    except CredentialError as error:
        if passphrase is not None or error.advice != NOT_OPENED or not sys.stdin.isatty():
            raise
    from govfile.certificates.secret import Secret

    return certificates_in(file, Secret(typer.prompt("Passphrase", hide_input=True, err=True)))


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
        "issuer": _issuer(certificate),
        "issued_for": test,
        "valid_from": certificate.not_valid_before_utc,
        "expires": certificate.not_valid_after_utc,
        "validity": _validity(certificate),
        "sha256": certificate.fingerprint(hashes.SHA256()).hex(),
    }


def _issuer(certificate: "Certificate") -> str | None:
    from govfile.certificates._names import issuer_of

    try:
        return issuer_of(certificate).rfc4514_string()
    except ValueError:
        return None


def _validity(certificate: "Certificate") -> str:
    now = datetime.now(UTC)
    if now < certificate.not_valid_before_utc:
        return "not valid yet"
    left = certificate.not_valid_after_utc - now
    if left.total_seconds() >= 0:
        return f"valid, {left.days} days left"
    return f"expired on {certificate.not_valid_after_utc:%Y-%m-%d}"
