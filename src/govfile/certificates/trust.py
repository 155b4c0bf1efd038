"""Which certificate authorities are believed, per environment."""

from __future__ import annotations

import ssl

import attrs
from cryptography import x509

from govfile.certificates._files import Source, read_source
from govfile.errors import ConfigurationError

#: The system's own bundle has some 250 KiB.
_LARGEST = 8 * 1024 * 1024


@attrs.frozen
class Trust:
    """The anchors a server's certificate must chain to: the system's store, certificates given here, or both."""

    system: bool = True
    anchors: tuple[x509.Certificate, ...] = attrs.field(default=(), repr=lambda found: f"<{len(found)} certificates>")

    @classmethod
    def only(cls, pem: Source) -> Trust:
        """Only the certificates of a PEM bundle (or the one of a DER file), given as bytes or as a path.

        Raises `ConfigurationError` when it holds none or cannot be read.
        """
        return cls(system=False, anchors=_read(pem))

    @classmethod
    def system_and(cls, pem: Source) -> Trust:
        """The system's store and what `only` takes: a PEM bundle or one DER certificate, as bytes or as a path.

        Raises `ConfigurationError` when it holds none or cannot be read.
        """
        return cls(system=True, anchors=_read(pem))

    @staticmethod
    def system_files() -> tuple[str | None, str | None]:
        """The bundle and the folder the system keeps its anchors in, None where there is none."""
        places = ssl.get_default_verify_paths()
        return places.cafile, places.capath


def _read(source: Source) -> tuple[x509.Certificate, ...]:
    bundle = read_source(source, "trust bundle", limit=_LARGEST, error=ConfigurationError)
    try:
        if b"-----BEGIN " in bundle:
            return tuple(x509.load_pem_x509_certificates(bundle))
        return (x509.load_der_x509_certificate(bundle),)
    except (ValueError, x509.InvalidVersion) as error:
        raise ConfigurationError(
            "the trust bundle holds no readable certificate",
            advice="give a PEM file with CERTIFICATE blocks, or one certificate in DER",
        ) from error
