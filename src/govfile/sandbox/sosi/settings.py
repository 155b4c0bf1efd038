"""How the sandbox's STS behaves: what the documents leave open is a switch here, with the likeliest default."""

from __future__ import annotations

import enum
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import attrs

if TYPE_CHECKING:
    from cryptography import x509


class SigningAlgorithm(enum.Enum):
    """What the STS signs with: SHA-1 is what it was seen to use."""

    RSA_SHA1 = "rsa-sha1"
    RSA_SHA256 = "rsa-sha256"


class Encryption(enum.Enum):
    """How an audience's assertions are encrypted: content and key. The first is what was seen."""

    AES128_CBC_RSA15 = ("aes128-cbc", "rsa-1_5")
    AES256_CBC_RSA15 = ("aes256-cbc", "rsa-1_5")
    AES128_CBC_OAEP = ("aes128-cbc", "rsa-oaep-mgf1p")
    AES256_CBC_OAEP = ("aes256-cbc", "rsa-oaep-mgf1p")
    AES128_GCM_OAEP = ("aes128-gcm", "rsa-oaep-mgf1p")
    AES256_GCM_OAEP = ("aes256-gcm", "rsa-oaep-mgf1p")


def normalised(audience: str) -> str:
    """An audience as the STS compares it: scheme and authority in lower case, a path of only a slash left out."""
    parts = urlsplit(audience)
    if not parts.scheme or "://" not in audience:
        return audience
    rest = audience[audience.index("://") + 3 :]
    ends = [at for at in (rest.find(mark) for mark in "/?#") if at >= 0]
    cut = min(ends, default=len(rest))
    authority, after = rest[:cut].lower(), rest[cut:]
    if after == "/" or after[:2] in ("/?", "/#"):
        after = after[1:]
    return f"{parts.scheme.lower()}://{authority}{after}"


@attrs.frozen(kw_only=True)
class Audience:
    """A receiver the STS knows, with the seven settings it is registered with, and how old a card may be for it.

    `audience` is its name, compared after normalisation; `public_key` the certificate to encrypt for (None: assertions
    are sent plain); `recipient_url` where its assertion consumer is; `includes_bootstrap` puts the ID card into the
    assertion. The offsets count from now: `deliver_by` is how long the assertion may be delivered, `not_before` (taken
    away) and `not_on_or_after` its validity.
    """

    audience: str = attrs.field(converter=normalised)
    public_key: x509.Certificate | None = None
    recipient_url: str = ""
    includes_bootstrap: bool = False
    deliver_by: timedelta = timedelta(minutes=5)
    not_before: timedelta = timedelta(minutes=5)
    not_on_or_after: timedelta = timedelta(hours=12)
    encryption: Encryption = Encryption.AES128_CBC_RSA15
    oldest_card: timedelta = timedelta(hours=24)
    identity_life: timedelta = timedelta(minutes=5)


@attrs.frozen(kw_only=True)
class Paths:
    """Where the services are below the base URL; the spelling is the one clients use, and any case of it is served.

    That of ITS is not published. By default it shares the path of the legacy card service, as old samples address it;
    the namespace of the request tells them apart.
    """

    legacy: str = "/sts/services/SecurityTokenService"
    new: str = "/sts/services/NewSecurityTokenService"
    its: str = "/sts/services/SecurityTokenService"
    to_oiosaml: str = "/sts/services/Sosi2OIOSaml"
    from_oiosaml: str = "/sts/services/OIOSaml2Sosi"
    bst_to_sosi: str = "/sts/services/BST2SOSI"
    bst_to_idws: str = "/sts/services/Bst2Idws"
    jwt_to_idws: str = "/sts/services/JWT2Idws"
    jwt_to_oiosaml: str = "/sts/services/JWT2OIOSaml"
    dgws: str = "/dgws/echo"
    idws: str = "/idws/echo"
    consumer: str = "/sp/consumer"


@attrs.frozen(kw_only=True)
class Settings:
    """The STS's habits.

    `port` 0 takes any free one; `tls=False` is plain HTTP. `issuer` is the name it signs cards with. `signs_with` is
    its algorithm; the default is the one seen in all published messages. `requester_sha1` takes requests signed with
    SHA-1. `knows_authorisations` is whether this environment has the register. `envelopes_signed` demands a signed
    envelope for ITS and Sosi2OIOSaml too (the others always do). `tolerance` is how far clocks may differ,
    `card_life` the longest life of a card. `token_life` is that of an identity token from a bootstrap token.
    `signs_identity_answers` is whether ITS signs its envelopes: an old sample shows none, and Seal.Java reads no signed
    ones.
    `names_key_only` signs ITS tokens with the name of the certificate instead of the certificate.

    The services to call: `demands_level` refuses DGWS calls without a SecurityLevel, `wants_hsuid` those without a
    HSUID header; `repeats_replies` answers a repeated MessageID by the first reply. The IDWS service takes tokens for
    `service_audience`.
    """

    port: int = 0
    tls: bool = True
    issuer: str = "SANDBOX-NSP-STS"
    signs_with: SigningAlgorithm = SigningAlgorithm.RSA_SHA1
    requester_sha1: bool = True
    knows_authorisations: bool = True
    envelopes_signed: bool = False
    tolerance: timedelta = timedelta(minutes=5)
    card_life: timedelta = timedelta(hours=24)
    token_life: timedelta = timedelta(hours=1)
    signs_identity_answers: bool = True
    names_key_only: bool = False
    demands_level: bool = True
    wants_hsuid: bool = False
    repeats_replies: bool = True
    service_audience: str = "https://fmk"
    paths: Paths = attrs.field(factory=Paths)
