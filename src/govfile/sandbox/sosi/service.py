"""The STS: from the bytes of a request to those of its answer."""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import TYPE_CHECKING

import attrs
from lxml import etree

from govfile.sandbox.sosi import (
    card_exchanges,
    cards,
    citizens,
    employees,
    encrypting,
    envelopes,
    judging,
    refusals,
    subjects,
    tampering,
)
from govfile.sandbox.sosi.names import tag
from govfile.sandbox.sosi.reading import Unreadable, child, ids, parse, text

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from govfile.sandbox.sosi.exchanges import Exchange, Grant
    from govfile.sandbox.sosi.faults import Faults
    from govfile.sandbox.sosi.people import Registers
    from govfile.sandbox.sosi.settings import Audience, Settings

_log = logging.getLogger("govfile.sandbox")
_TOKEN = (
    *("soap:Body", "wst:RequestSecurityTokenResponseCollection", "wst:RequestSecurityTokenResponse"),
    *("wst:RequestedSecurityToken", "saml:Assertion"),
)
_EXCHANGES: dict[str, Exchange] = {
    "its": card_exchanges.identity_token,
    "to_oiosaml": card_exchanges.to_oiosaml,
    "from_oiosaml": employees.from_oiosaml,
    "bst_to_sosi": employees.from_bootstrap_token,
    "bst_to_idws": citizens.from_bootstrap_token,
    "jwt_to_idws": citizens.from_jwt,
    "jwt_to_oiosaml": citizens.jwt_to_oiosaml,
}
#: The names of all services of the STS, as `only` and `answered` use them.
SERVICES = ("new", "legacy", *_EXCHANGES)


@attrs.frozen(kw_only=True)
class Answered:
    """One request and what became of it. `refusal` is None when a token was issued."""

    service: str
    request: bytes = attrs.field(repr=False)
    response: bytes = attrs.field(repr=False)
    refusal: refusals.Refused | None


class TokenService:
    """Judges requests and issues tokens; safe for several threads."""

    def __init__(
        self,
        *,
        settings: Settings,
        registers: Registers,
        audiences: dict[str, Audience],
        faults: Faults,
        clock: Callable[[], datetime],
    ) -> None:
        self.settings = settings
        self.registers = registers
        self.audiences = audiences
        self.faults = faults
        self.answered: deque[Answered] = deque(maxlen=1000)
        self._clock = clock
        self._last: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def answer(self, service: str, body: bytes) -> bytes:
        """The envelope that answers `body`, be it a token or a fault."""
        faults = self.faults.for_service(service)
        at = self._clock() + faults.date_off
        relates_to: str | None = None
        repeated = envelopes.Repeated()
        refusal: refusals.Refused | None = None
        try:
            root = parse(body)
            relates_to, repeated = _message_id(root), envelopes.repeated(root)
            response = self._issued(service, root, faults, at)
        except (Unreadable, refusals.Refused) as error:
            refusal = error if isinstance(error, refusals.Refused) else refusals.malformed(str(error))
            _log.debug(
                "%s refused: %s from %s: %s", service, refusal.code, refusal.actor, refusal.why or "see its words"
            )
            response = envelopes.fault(refusal, relates_to=relates_to, to=repeated, at=at).encode()
        with self._lock:
            if refusal is None:
                genuine, response = response, self._last.get(service, response) if faults.replay else response
                self._last[service] = genuine
            self.answered.append(Answered(service=service, request=body, response=response, refusal=refusal))
        return response

    def _issued(self, service: str, root: etree._Element, faults: Faults, at: datetime) -> bytes:
        if faults.refuse is not None:
            raise refusals.Refused(*faults.refuse, "on request")
        ids(root)
        office = judging.Office(
            settings=self.settings, registers=self.registers, faults=faults, audiences=self.audiences
        )
        exchange = _EXCHANGES.get(service)
        if exchange is None:
            return self._signed_card(root, office, at, keeps_name_id=service == "legacy")
        asked = envelopes.exchange_request(root)
        return self._answered(asked, exchange(asked, office, at), office, at - faults.stale)

    # --- dialect A

    def _signed_card(self, root: etree._Element, office: judging.Office, at: datetime, *, keeps_name_id: bool) -> bytes:
        assertion, token_type = envelopes.card_request(root)
        asked, certificate = judging.judged(assertion, office, at=at)
        at -= office.faults.stale
        card = stamped(asked, self.settings, at)
        if not keeps_name_id:
            card = attrs.evolve(card, name_id=subjects.name_id(certificate), name_id_format="medcom:other")
        card = tampering.other_card(card, office.faults.other)
        written = envelopes.card_response(
            cards.write(card),
            to=envelopes.repeated(root),
            token_type=token_type,
            issuer=card.issuer,
            at=at,
        )
        answer = parse(written.encode())
        path = ("soap:Body", "wst05:RequestSecurityTokenResponse", "wst05:RequestedSecurityToken", "saml:Assertion")
        token = child(answer, *path)
        tampering.sign_token(token, self.settings, office.faults, id="OCESSignature")
        return serialised(answer)

    # --- dialect B

    def _answered(self, asked: envelopes.Asked, grant: Grant, office: judging.Office, at: datetime) -> bytes:
        faults = office.faults
        grant, asked = tampering.other_grant(grant, asked, faults.other)
        is_sealed = grant.encrypts_for is not None
        written = envelopes.exchange_response(
            self._sealed(grant, office) if is_sealed else grant.token,
            relates_to=asked.message_id,
            context=asked.context,
            audience=grant.audience,
            lifetime=grant.lifetime,
            at=at if grant.is_answer_signed else None,
            attached=grant.attached,
        )
        answer = parse(written.encode())
        if not is_sealed:
            self._sign(child(answer, *_TOKEN), grant, faults)
        if grant.is_answer_signed:
            tampering.sign_envelope(answer, self.settings, faults)
        return serialised(answer)

    def _sign(self, token: etree._Element, grant: Grant, faults: Faults) -> None:
        named = dict([grant.signature_id] if grant.signature_id else [])
        tampering.sign_token(token, self.settings, faults, index=grant.index, key_info=grant.key_info, **named)

    def _sealed(self, grant: Grant, office: judging.Office) -> str:
        """The token, signed by itself and encrypted for its audience."""
        audience = grant.encrypts_for
        assert audience is not None
        assert audience.public_key is not None
        keeper = parse(envelopes.standing_alone(grant.token).encode())
        self._sign(keeper[0], grant, office.faults)
        plain = etree.tostring(keeper[0], with_tail=False)
        return encrypting.encrypted(plain, audience.public_key, audience.encryption)


def stamped(card: cards.Card, settings: Settings, at: datetime) -> cards.Card:
    """The card with the STS's own name and times: from five minutes ago for a day."""
    start = (at - settings.tolerance).replace(microsecond=0)
    return attrs.evolve(card, issuer=settings.issuer, issued=start, start=start, end=start + settings.card_life)


def serialised(root: etree._Element) -> bytes:
    """The document's bytes."""
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def _message_id(root: etree._Element) -> str | None:
    """MessageID of a request in the second dialect; None for the first."""
    found = root.find(f"{tag('soap:Header')}/{tag('wsa:MessageID')}")
    return None if found is None else text(found)
