"""The public half of a credential: what an authority needs to register it, and never the private key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from govfile.certificates._files import Source, read_source
from govfile.certificates._pem import open_certificates
from govfile.certificates.subject import Subject
from govfile.errors import CredentialError, InvalidName

if TYPE_CHECKING:
    from cryptography import x509

    from govfile.certificates.credential import Credential


@attrs.frozen
class PublicHalf:
    """A certificate, in the forms in which authorities and servers want it."""

    certificate: x509.Certificate

    @classmethod
    def of(cls, credential: Credential) -> PublicHalf:
        """That of a credential, also of one whose key lives in a token."""
        return cls(credential.certificate)

    @classmethod
    def read(cls, source: Source) -> PublicHalf:
        """From a certificate alone, PEM or DER, given as bytes or as a path; of a bundle the first one.

        Raises `CredentialError` when there is none.
        """
        return cls(open_certificates(read_source(source, "certificate"), "certificate")[0])

    @property
    def pem(self) -> bytes:
        """The certificate as PEM text, without the chain."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def der(self) -> bytes:
        """The certificate as DER, which Windows calls `.cer`."""
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the DER form: 64 lower-case hexadecimal digits."""
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    @property
    def fingerprint_with_colons(self) -> str:
        """The same, in pairs of upper-case digits, as `openssl x509 -fingerprint -sha256` prints it."""
        return self.certificate.fingerprint(hashes.SHA256()).hex(":").upper()

    @property
    def subject(self) -> Subject:
        """What the subject says; raises `CredentialError` for a personal certificate."""
        return Subject.of(self.certificate)

    @property
    def identifier(self) -> str | None:
        """What to type where UID, RID, FID or UUID is asked for, as it stands in the certificate.

        None when the certificate names no company in a known form.
        """
        return self.subject.identifier

    def ssh_line(self, comment: str = "") -> str:
        """The public key as one line of an `authorized_keys` file (RFC 4253, RFC 5656), without a line end.

        Raises `InvalidName` for a comment that is not one printable line, and `CredentialError` for a key that SSH
        does not know.
        """
        if not comment.isprintable():
            raise InvalidName("the comment of an SSH key must be one printable line", advice="leave it out")
        try:
            line = self.certificate.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode("ascii")
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise CredentialError(
                "SSH knows no key of this type", advice="use RSA, or EC on P-256, P-384 or P-521"
            ) from error
        return f"{line} {comment}".rstrip()
