"""Which certificate authorities a Finnish environment believes, and how their certificates are told from others.

The Tax Administration publishes the certificates of its authorities on its certificate service's documentation page.
This package holds their SHA-256 fingerprints, not the certificates: whoever uses it downloads them once, and what was
downloaded is believed only where a fingerprint fits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from cryptography.hazmat.primitives import hashes

from govfile.certificates.trust import Trust
from govfile.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography import x509

    from govfile.certificates._files import Source

#: Where the authority publishes its certificates.
PUBLISHED_AT = "vero.fi/en/About-us/it_developer/certificate-service/documentation"


@attrs.frozen(kw_only=True)
class Pin:
    """A certificate known by its fingerprint: the authority's common `name`, and `sha256` of the certificate's DER form
    (64 lower-case hexadecimal digits).
    """

    name: str
    sha256: str

    def __str__(self) -> str:
        return f"{self.name} (SHA-256 {self.sha256})"


@attrs.frozen(kw_only=True)
class Pins:
    """The authorities of one environment: `answers` issue the certificates that sign answers, `issued` those of the
    customers. Both are issuing authorities, not roots: what is pinned is the one right above.
    """

    answers: tuple[Pin, ...] = ()
    issued: tuple[Pin, ...] = ()

    def sort(self, source: Source) -> tuple[Trust, Trust]:
        """From a PEM bundle, or one DER certificate, those that sign answers and those that issue, as anchors.

        Certificates above them, such as the root, may be in it and are left out. Raises `ConfigurationError` when one
        of the two kinds is missing.
        """
        offered = {found.fingerprint(hashes.SHA256()).hex(): found for found in Trust.only(source).anchors}
        return _picked(offered, self.answers, "sign answers"), _picked(offered, self.issued, "issue certificates")


def _picked(offered: dict[str, x509.Certificate], pins: Iterable[Pin], what: str) -> Trust:
    pins = tuple(pins)
    found = tuple(offered[pin.sha256] for pin in pins if pin.sha256 in offered)
    if not found:
        wanted = " or ".join(map(str, pins)) or "any: this environment names none"
        raise ConfigurationError(
            f"none of the certificates given is of an authority known to {what} here",
            certain="nothing was sent",
            advice=f"download {wanted} from {PUBLISHED_AT}; where the authority has replaced it, check the new "
            "fingerprint there and set the environment's anchors yourself",
        )
    return Trust(system=False, anchors=found)


PRODUCTION = Pins(
    answers=(
        Pin(
            name="IR Services Issuing CA v1",
            sha256="816e39fbb49a29ee4b104b7bf9bba063f30e2452496df4bcf37fc1f219215f55",
        ),
    ),
    issued=(
        Pin(
            name="Data Providers Issuing CA v1",
            sha256="4a262a71b1d62fb3e42953c5030ab2a4e38d1f828ae1fadb4234862dfdb9e878",
        ),
    ),
)

TEST = Pins(
    answers=(
        Pin(
            name="IR Services Test Issuing CA v1",
            sha256="4676f9ea35cf4a5b0d2ef58080501db7cbb5e059d21f4654b7423a22d5c95368",
        ),
    ),
    issued=(
        Pin(
            name="Data Providers Test Issuing CA v1",
            sha256="d439a1c14bf333dfcd4a47bfb587b217ee1f49eb46d4362f98f09f4bec224ee3",
        ),
    ),
)
