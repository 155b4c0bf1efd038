"""`SignedCard`: an ID card as it is on the wire, its bytes and what they say."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import attrs

from govfile.sosi.care_provider import NameFormat

if TYPE_CHECKING:
    from cryptography import x509

    from govfile.sosi.card import CardType
    from govfile.sosi.care_provider import CareProvider
    from govfile.sosi.times import DgwsVersion

#: How the service names the holder of a certificate in the cards it signs.
_CERTIFICATE_NAMES = re.compile(r"SubjectDN=\{.*\},\s*IssuerDN=\{.*\},\s*CertSerial=\{[0-9]+\}", re.DOTALL)


@attrs.frozen(kw_only=True, repr=False)
class WrittenCard:
    """An ID card as it is written.

    `xml` is the `saml:Assertion`, alone, with every namespace it needs; these bytes never change, and two cards are
    equal when theirs are. The other fields are what it says. `id` is unique to the card; `issuer` who made it: the
    service, when it signed it. Times are aware UTC. `certificate_hash` is the caller's, and need not match any
    certificate that can be seen. `name_id_format` is as on the wire, mostly one of `NameFormat`. Fields about the user
    are None where the card does not have them, as in every system's card. Nothing personal is in the repr.
    """

    xml: bytes
    id: str = attrs.field(eq=False)
    version: DgwsVersion = attrs.field(eq=False)
    type: CardType = attrs.field(eq=False)
    level: int = attrs.field(eq=False)
    issuer: str = attrs.field(eq=False)
    issued: datetime = attrs.field(eq=False)
    valid_from: datetime = attrs.field(eq=False)
    expires: datetime = attrs.field(eq=False)
    it_system: str = attrs.field(eq=False)
    care_provider: CareProvider = attrs.field(eq=False)
    name_id: str = attrs.field(eq=False)
    name_id_format: str = attrs.field(eq=False)
    certificate_hash: str | None = attrs.field(default=None, eq=False)
    cpr: str | None = attrs.field(default=None, eq=False)
    given_name: str | None = attrs.field(default=None, eq=False)
    surname: str | None = attrs.field(default=None, eq=False)
    email: str | None = attrs.field(default=None, eq=False)
    role: str | None = attrs.field(default=None, eq=False)
    authorisation_code: str | None = attrs.field(default=None, eq=False)
    occupation: str | None = attrs.field(default=None, eq=False)

    def is_valid_at(self, at: datetime | None = None) -> bool:
        """Whether the card holds at `at` (aware; now, if left out), by this computer's clock."""
        return self.valid_from <= (at or datetime.now(UTC)) < self.expires

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__} {self.id!r}, {self.type.value}, level {self.level}, from {self.issuer!r}, "
            f"until {self.expires:%Y-%m-%d %H:%M:%S} UTC>"
        )


@attrs.frozen(kw_only=True, repr=False)
class SignedCard(WrittenCard):
    """An ID card with a signature in it: the caller's, before the service has signed it, or the service's.

    `signer` is the certificate in the signature. `is_verified` says whether `verify_card` found all in order; of a
    card that was only read, nothing is certain but its bytes.
    """

    signer: x509.Certificate = attrs.field(eq=False)
    is_verified: bool = attrs.field(default=False, eq=False)

    @property
    def names_certificate(self) -> bool:
        """Whether the user or system is named by a certificate, as NewSecurityTokenService names them.

        Only such cards can be exchanged for an OIOSAML assertion.
        """
        return self.name_id_format == NameFormat.OTHER.value and bool(_CERTIFICATE_NAMES.fullmatch(self.name_id))
