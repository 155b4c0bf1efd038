"""Where the sandbox's STS is and who is there from the start, as a client is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from govfile.certificates.trust import Trust
from govfile.sandbox import pki
from govfile.sandbox.sosi import stock
from govfile.sandbox.sosi.people import Authorisation, CertificateKind, new_holder
from govfile.sandbox.sosi.settings import Audience, Settings, SigningAlgorithm

if TYPE_CHECKING:
    from govfile.sandbox.sosi.people import Holder
    from govfile.sosi.environments import Environment
    from govfile.sosi.trust import StsTrust

CVR, COMPANY = "20301823", "Example Laboratory"
CPR = "0101001234"
#: The service provider whose consumer the sandbox plays.
PROVIDER = "https://sp.example.dk"
#: Roles that are given by the health service rather than by an authorisation.
NATIONAL_ROLE = "urn:dk:healthcare:national-federation-role:code:41002:value:SundAssistR2"

_ENDPOINTS = {
    "issue": "new",
    "issue_legacy": "legacy",
    "identity_token": "its",
    "to_oiosaml": "to_oiosaml",
    "from_oiosaml": "from_oiosaml",
    "from_bootstrap_token": "bst_to_sosi",
    "citizen_token": "bst_to_idws",
    "from_jwt": "jwt_to_idws",
    "jwt_to_oiosaml": "jwt_to_oiosaml",
}
_AUDIENCES = (
    *("https://fmk", "https://fsk", "https://minlog2", "https://ddv", "https://audience.nspop.dk/dds"),
    *("https://audience.nspop.dk/minspaerring", "https://audience.nspop.dk/minlog"),
)


def environment(base_url: str, settings: Settings, trust: StsTrust) -> Environment:
    """The STS as `sosi.SecurityTokenService` takes it."""
    from govfile.sosi.environments import Endpoints, Environment

    endpoints = Endpoints()
    changed = {
        name: attrs.evolve(getattr(endpoints, name), path=getattr(settings.paths, ours))
        for name, ours in _ENDPOINTS.items()
    }
    return Environment(
        name="sandbox",
        base_url=base_url,
        is_test=None,
        endpoints=attrs.evolve(endpoints, **changed),
        trust=trust,
        tls=Trust.only(pki.pem(pki.authority(pki.Issuer.SERVERS).certificate)),
    )


def trust(settings: Settings, anchors: bytes) -> StsTrust:
    """Whose signatures count: the sandbox's STS, by the sandbox's authorities."""
    from govfile.sosi.trust import StsTrust

    allow_sha1 = settings.signs_with is SigningAlgorithm.RSA_SHA1
    return StsTrust.of(anchors, common_name=stock.STS_NAME, cvr=stock.OPERATOR_CVR, allow_sha1=allow_sha1)


def first_employee() -> Holder:
    """An invented physician."""
    return new_holder(
        CertificateKind.MOCES3,
        cvr=CVR,
        company=COMPANY,
        rid="25351738",
        cpr=CPR,
        given_name="Test",
        surname="Person",
        authorisations=[Authorisation(code="8B7X2", education="7170")],
        use="sosi employee",
    )


def first_system() -> Holder:
    """A laboratory's system."""
    return new_holder(CertificateKind.VOCES3, cvr=CVR, company=COMPANY, use="sosi system")


def audiences() -> list[Audience]:
    """The receivers registered from the start; the last one's assertions are encrypted for it."""
    plain = [Audience(audience=each) for each in _AUDIENCES]
    provider = Audience(
        audience=PROVIDER,
        public_key=stock.provider().certificate,
        recipient_url=f"{PROVIDER}/saml/consumer",
    )
    return [*plain, provider]
