"""Every exchange of the token service, each as a call, for tests that run them all against the sandbox."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from govfile.errors import Rejected
from govfile.sosi.card import IdCard
from govfile.sosi.care_provider import CareProvider
from govfile.sosi.claims import Custody, OnBehalfOf
from govfile.sosi.sts import SecurityTokenService

if TYPE_CHECKING:
    from collections.abc import Callable

    from govfile.sandbox.sosi import SosiSandbox
    from govfile.sosi.signed_card import SignedCard

CVR, CPR, WARD = "20301823", "0101001234", "0202101234"
FMK = "https://fmk"
PROVIDER = "HTTPS://SP.Example.dk/"


def client(authority: SosiSandbox, credential: Any = None, **changes: Any) -> SecurityTokenService:
    """A client of the sandbox that asks once; `changes` are fields of its environment."""
    environment = attrs.evolve(authority.environment, **{"attempts": 1, "pause": timedelta(0), **changes})
    return SecurityTokenService(environment, credential or authority.credential, clock=authority.clock)


USER = IdCard.user(
    issuer="ExampleLab",
    it_system="Example Lab",
    care_provider=CareProvider.cvr(CVR, "Example Laboratory"),
    cpr=CPR,
    given_name="Test",
    surname="Person",
    role="7170",
)

EXCHANGES: dict[str, Callable[[SecurityTokenService, SosiSandbox, SignedCard], object]] = {
    "issue": lambda sts, _, __: sts.issue(USER),
    "issue legacy": lambda sts, _, __: sts.issue(USER, legacy=True),
    "identity token": lambda sts, _, card: sts.identity_token(card, audience=FMK),
    "identity token, card in header": lambda sts, _, card: sts.identity_token(card, audience=FMK, card_in_header=True),
    "to_oiosaml, encrypted": lambda sts, _, card: sts.to_oiosaml(card, audience=PROVIDER),
    "to_oiosaml, in the clear": lambda sts, _, card: sts.to_oiosaml(card, audience=FMK),
    "from_oiosaml": lambda sts, box, _: sts.from_oiosaml(box.oiosaml_assertion(), it_system="Example Lab", role="7170"),
    "from_bootstrap_token": lambda sts, box, _: sts.from_bootstrap_token(
        box.bootstrap_token(), it_system="Example Lab", role="7170"
    ),
    "from_bootstrap_token, encrypted": lambda sts, box, _: sts.from_bootstrap_token(
        box.bootstrap_token(is_encrypted=True), it_system="Example Lab", authorisation_code="8B7X2"
    ),
    "citizen_token": lambda sts, box, _: sts.citizen_token(box.citizen_bootstrap_token(), cpr=CPR, audience=FMK),
    "citizen_token, encrypted": lambda sts, box, _: sts.citizen_token(
        box.citizen_bootstrap_token(is_encrypted=True), cpr=CPR, audience=FMK
    ),
    "citizen_token, procuration": lambda sts, box, _: sts.citizen_token(
        box.citizen_bootstrap_token(), cpr=CPR, audience=FMK, on_behalf_of=OnBehalfOf.procuration(WARD)
    ),
    "citizen_token, custody": lambda sts, box, _: sts.citizen_token(
        box.citizen_bootstrap_token(), cpr=CPR, audience=FMK, on_behalf_of=OnBehalfOf.custody(Custody.PARENTAL, WARD)
    ),
    "from_jwt": lambda sts, box, _: sts.from_jwt(box.jwt(), cpr=CPR, audience=FMK),
    "jwt_to_oiosaml": lambda sts, box, _: sts.jwt_to_oiosaml(box.jwt(), cpr=CPR, audience=PROVIDER),
}
#: One of each kind of answer whose token's signature is read here: a card in either dialect, a token, an assertion.
READ_HERE = ("issue", "identity token", "to_oiosaml, in the clear", "from_oiosaml", "citizen_token")
#: One of each kind of answer with addressing headers.
IN_ENVELOPES = ("identity token", "to_oiosaml, encrypted", "from_oiosaml", "citizen_token")


def refused(call: Callable[[], object]) -> Rejected:
    """The refusal of a call, which names nobody."""
    with pytest.raises(Rejected) as caught:
        call()
    for personal in (CPR, WARD, "8B7X2", "Person", "25351738"):
        assert personal not in f"{caught.value} {vars(caught.value)}"
    return caught.value
