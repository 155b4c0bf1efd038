"""Which certificate authorities are believed, per environment."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
from cryptography import x509

from govfile.errors import ConfigurationError

if TYPE_CHECKING:
    import os


@attrs.frozen
class Trust:
    """The anchors a server's certificate must chain to: the system's store, certificates given here, or both."""

    system: bool = True
    anchors: tuple[x509.Certificate, ...] = attrs.field(default=(), repr=lambda found: f"<{len(found)} certificates>")

    @classmethod
    def only(cls, pem: bytes | str | os.PathLike[str]) -> Trust:
        """Only the certificates of a PEM bundle, given as bytes or as a path.

        Raises `ConfigurationError` when it holds none or cannot be read.
        """
        return cls(system=False, anchors=_read(pem))

    @classmethod
    def system_and(cls, pem: bytes | str | os.PathLike[str]) -> Trust:
        """The system's store and the certificates of a PEM bundle, given as bytes or as a path.

        Raises `ConfigurationError` when it holds none or cannot be read.
        """
        return cls(system=True, anchors=_read(pem))

    @staticmethod
    def system_files() -> tuple[str | None, str | None]:
        """The bundle and the folder the system keeps its anchors in, None where there is none."""
        places = ssl.get_default_verify_paths()
        return places.cafile, places.capath


def _read(pem: bytes | str | os.PathLike[str]) -> tuple[x509.Certificate, ...]:
    try:
        bundle = pem if isinstance(pem, bytes) else Path(pem).read_bytes()
        return tuple(x509.load_pem_x509_certificates(bundle))
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"no trust anchors could be read: {error}", advice="give a PEM file with CERTIFICATE blocks"
        ) from error
