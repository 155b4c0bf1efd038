"""`SecurityTokenService`: ID cards signed, and exchanged in every direction the service offers.

Each call checks before it asks what can be known here, asks in the documented shape, and believes nothing of the
answer that is not signed. Facts and their sources: `docs/protocols/sosi.md`.
"""

from __future__ import annotations

import os
import time
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self, TypeVar

from govfile.certificates.signer import SignatureAlgorithm
from govfile.errors import ProtocolError
from govfile.sosi import preflight
from govfile.sosi.asking import Asker
from govfile.sosi.assertions import assertion_of
from govfile.sosi.audience import Audience
from govfile.sosi.cards import build, verify_card
from govfile.sosi.claims import citizen_claims, cpr_number, employee_claims
from govfile.sosi.context_token import context_token
from govfile.sosi.echo import Replays, check_card_as_asked, check_card_of, check_token_as_asked, check_token_of
from govfile.sosi.envelope import Exchange, card_request, exchange_request
from govfile.sosi.jwt import Jwt
from govfile.sosi.response import card_answer, exchange_answer
from govfile.sosi.signed_card import SignedCard
from govfile.sosi.tokens import IdentityToken, OiosamlAssertion, identity_token_of
from govfile.sosi.verifying import check_audience, verify_assertion

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from govfile.certificates.credential import Credential
    from govfile.sosi.assertions import Assertion
    from govfile.sosi.card import IdCard
    from govfile.sosi.claims import OnBehalfOf
    from govfile.sosi.envelope import Request
    from govfile.sosi.environments import Endpoint, Environment
    from govfile.sosi.response import Answer
    from govfile.transports.base import MessageTransport
    from govfile.xml.soap import SoapMessage

Result = TypeVar("Result")

#: For whom the two exchanges that end in a card are asked, as published clients do.
CARD_AUDIENCE = Audience("http://sosi.dk")
DGWS_AUDIENCE = Audience("https://audience.nspop.dk/dgws")


def _now() -> datetime:
    return datetime.now(UTC)


class SecurityTokenService:
    """The token service of one environment, asked with one credential. Threads may share it; close it, or use `with`.

    Every method raises `ConfigurationError` where the environment names nobody whose signatures count,
    `CredentialError` for a certificate that is expired or of the wrong kind, `InvalidContent` for what the service is
    known to refuse (nothing was sent then), `Rejected` with the service's code when it refuses, `TransportError` when
    it cannot be reached, `OutcomeUnknown` when the answer got lost (ask again: nothing happened), `ProtocolError` when
    the answer is another's or no answer, and `TrustError` when its signature, audience or times do not hold.

    `algorithm` is that of our signatures (RSA with SHA-256 unless named). `transport` opens the connection, by itself
    over HTTPS.
    """

    def __init__(
        self,
        environment: Environment,
        credential: Credential,
        *,
        algorithm: SignatureAlgorithm | None = None,
        clock: Callable[[], datetime] = _now,
        sleep: Callable[[float], None] = time.sleep,
        randomness: Callable[[int], bytes] = os.urandom,
        transport: Callable[[], MessageTransport] | None = None,
    ) -> None:
        environment.check_credential(credential)
        self.environment = environment
        self.credential = credential
        self._trust = environment.required_trust()
        self._algorithm = algorithm or SignatureAlgorithm.usual_for(credential.public_key)
        self.clock = clock
        self._randomness = randomness
        self._replays = Replays()
        self._asker = Asker(environment, transport or self._over_https, clock=clock, sleep=sleep)

    # --- cards --------------------------------------------------------------------------------------------------

    def issue(self, card: IdCard | SignedCard, *, legacy: bool = False) -> SignedCard:
        """The card signed by the service: filled from the credential and signed by its owner first, unless it is.

        It holds for what is left of 24 hours: keep it and use it again (`CardSource` does). `legacy` asks the old
        service, which leaves NameID as the caller wrote it; such cards cannot become OIOSAML assertions. The service
        may add what it knows (CPR number, names, authorisation).
        """
        endpoints = self.environment.endpoints
        at = self._ready()
        if isinstance(card, SignedCard):
            ours = card
        else:
            ours = build(card, self.credential, at=at, randomness=self._randomness, algorithm=self._algorithm)
        preflight.check_signable(ours)

        def read(message: SoapMessage, request: Request) -> SignedCard:
            found = verify_card(card_answer(message, request), trust=self._trust, at=self.clock())
            check_card_as_asked(found, ours)
            return found

        return self._asker.ask(
            "issue",
            endpoints.issue_legacy if legacy else endpoints.issue,
            lambda: card_request(ours, at=self.clock(), randomness=self._randomness),
            read,
        )

    def from_oiosaml(
        self,
        assertion: bytes,
        *,
        it_system: str,
        role: str | None = None,
        authorisation_code: str | None = None,
        given_name: str | None = None,
        surname: str | None = None,
    ) -> SignedCard:
        """A user's card for an OIOSAML 2 assertion that NemLog-in signed (`assertion`, its bytes as received).

        `it_system` is the program in use; `role` an education code, none said when left out. The names given here go
        before those of the assertion. OIOSAML 3 is exchanged by `from_bootstrap_token`.
        """
        at = self._ready()
        about = preflight.oiosaml_to_exchange(assertion, at)
        beside = context_token(
            about,
            token_id=f"_{uuid.UUID(bytes=self._randomness(16), version=4)}",
            at=at,
            it_system=it_system,
            role=role,
            authorisation_code=authorisation_code,
            given_name=given_name,
            surname=surname,
        )
        exchange = Exchange(act_as=(about.xml, beside), audience=CARD_AUDIENCE)
        return self._card_for("from_oiosaml", self.environment.endpoints.from_oiosaml, exchange, about, it_system)

    def from_bootstrap_token(
        self,
        token: bytes,
        *,
        it_system: str,
        role: str | None = None,
        authorisation_code: str | None = None,
        alternative_identifier: str | None = None,
        audience: str | Audience = DGWS_AUDIENCE,
    ) -> SignedCard:
        """A user's card for an employee's bootstrap token (its bytes as received, encrypted or not).

        `role` (an education code or a national role) and `authorisation_code` exclude each other. The token lives for
        seconds: exchange it at once.
        """
        at = self._ready()
        claims = employee_claims(
            it_system=it_system, name_id=alternative_identifier, authorisation_code=authorisation_code, role=role
        )
        xml, about = preflight.token_to_exchange(token, at, self.credential)
        exchange = Exchange(act_as=(xml,), audience=Audience.parse(audience), claims=claims)
        endpoint = self.environment.endpoints.from_bootstrap_token
        return self._card_for("from_bootstrap_token", endpoint, exchange, about, it_system)

    # --- tokens for services ------------------------------------------------------------------------------------

    def identity_token(
        self, card: SignedCard, *, audience: str | Audience, card_in_header: bool = False
    ) -> IdentityToken:
        """An identity token for one service, for a user's card that the service signed.

        `card_in_header` puts the card where a service call would have it, with a reference to it in the body.
        """
        at = self._ready()
        preflight.check_user_card(card, at, self.credential)
        exchange = Exchange(act_as=(card.xml,), audience=Audience.parse(audience), in_header=card_in_header)
        token = self._token_for("identity_token", self.environment.endpoints.identity_token, exchange)
        check_token_of(token, card)
        return token

    def citizen_token(
        self, token: bytes, *, cpr: str, audience: str | Audience, on_behalf_of: OnBehalfOf | None = None
    ) -> IdentityToken:
        """An identity token for a citizen's bootstrap token (its bytes as received, encrypted or not).

        `cpr` must be the person the token names; `on_behalf_of` says in whose place that person acts. Calls made with
        the result are signed with this credential's key.
        """
        claims = citizen_claims(cpr, on_behalf_of)
        xml, about = preflight.token_to_exchange(token, self._ready(), self.credential)
        preflight.check_person(about, cpr_number(cpr))
        exchange = Exchange(act_as=(xml,), audience=Audience.parse(audience), claims=claims)
        found = self._token_for("citizen_token", self.environment.endpoints.citizen_token, exchange)
        check_token_as_asked(found, cpr=cpr, holder=self.credential.certificate, on_behalf_of=on_behalf_of)
        return found

    def from_jwt(
        self, token: str | bytes, *, cpr: str, audience: str | Audience, on_behalf_of: OnBehalfOf | None = None
    ) -> IdentityToken:
        """An identity token for a signed JWT in compact form; otherwise as `citizen_token`."""
        exchange = self._jwt_exchange(token, cpr, audience, on_behalf_of)
        found = self._token_for("from_jwt", self.environment.endpoints.from_jwt, exchange)
        check_token_as_asked(found, cpr=cpr, holder=self.credential.certificate, on_behalf_of=on_behalf_of)
        return found

    # --- assertions for service providers -----------------------------------------------------------------------

    def to_oiosaml(self, card: SignedCard, *, audience: str | Audience) -> OiosamlAssertion:
        """An OIOSAML assertion for the service provider registered as `audience`, for a card of this service.

        Mostly it is encrypted for that provider alone; hand it on as it is (`govfile.sosi.browser`). Cards of the old
        service are refused here.
        """
        preflight.check_for_oiosaml(card, self._ready(), self.credential)
        exchange = Exchange(act_as=(card.xml,), audience=Audience.parse(audience))
        return self._oiosaml_for("to_oiosaml", self.environment.endpoints.to_oiosaml, exchange, card.cpr)

    def jwt_to_oiosaml(
        self,
        token: str | bytes,
        *,
        audience: str | Audience,
        cpr: str | None = None,
        on_behalf_of: OnBehalfOf | None = None,
    ) -> OiosamlAssertion:
        """An OIOSAML assertion for a signed JWT. No public client does this: its frame is inferred from `from_jwt`."""
        exchange = self._jwt_exchange(token, cpr, audience, on_behalf_of)
        return self._oiosaml_for("jwt_to_oiosaml", self.environment.endpoints.jwt_to_oiosaml, exchange, cpr)

    # --- how it is closed ---------------------------------------------------------------------------------------

    def close(self) -> None:
        """End the connections; never raises, and may be called twice."""
        self._asker.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<SecurityTokenService {self.environment.name}, {self.credential!r}>"

    # --- how it is done -----------------------------------------------------------------------------------------

    def _ready(self) -> datetime:
        """The time, at which the certificate is valid."""
        at = self.clock()
        self.credential.check(at)
        return at

    def _card_for(
        self, operation: str, endpoint: Endpoint, exchange: Exchange, about: Assertion | None, it_system: str
    ) -> SignedCard:
        def read(answer: Answer, at: datetime) -> SignedCard:
            found = verify_card(_in_the_clear(answer), trust=self._trust, at=at)
            check_card_of(found, about, it_system)
            return found

        return self._exchanged(operation, endpoint, exchange, read)

    def _token_for(self, operation: str, endpoint: Endpoint, exchange: Exchange) -> IdentityToken:
        def read(answer: Answer, at: datetime) -> IdentityToken:
            xml = _in_the_clear(answer)
            verified = verify_assertion(xml, trust=self._trust, at=at, known=answer.signer)
            found = assertion_of(verified.element, xml)
            check_audience(found, exchange.audience)
            self._check_first(found, answer, at)
            return identity_token_of(found, certificate=verified.certificate, audience=exchange.audience)

        return self._exchanged(operation, endpoint, exchange, read)

    def _oiosaml_for(self, operation: str, endpoint: Endpoint, exchange: Exchange, cpr: str | None) -> OiosamlAssertion:
        def read(answer: Answer, at: datetime) -> OiosamlAssertion:
            if answer.is_encrypted:
                found, begin, end = None, answer.valid_from, answer.expires
            else:
                verified = verify_assertion(answer.xml, trust=self._trust, at=at, may_hold_card=True)
                found = assertion_of(verified.element, answer.xml)
                check_audience(found, exchange.audience)
                check_token_as_asked(found, cpr=cpr)
                self._check_first(found, answer, at)
                begin, end = answer.valid_from, min(answer.expires, found.expires)
            return OiosamlAssertion(
                xml=answer.xml, audience=exchange.audience, valid_from=begin, expires=end, assertion=found
            )

        return self._exchanged(operation, endpoint, exchange, read)

    def _check_first(self, found: Assertion, answer: Answer, at: datetime) -> None:
        """Raise `TrustError` for an assertion that came before, where nobody vouches that this answers our request."""
        if answer.signer is None:
            self._replays.check(found.id, found.expires, at)

    def _exchanged(
        self, operation: str, endpoint: Endpoint, exchange: Exchange, read: Callable[[Answer, datetime], Result]
    ) -> Result:
        def make() -> Request:
            return exchange_request(
                exchange,
                at=self.clock(),
                randomness=self._randomness,
                credential=self.credential if endpoint.signs_request else None,
                algorithm=self._algorithm,
            )

        def checked(message: SoapMessage, request: Request) -> Result:
            at = self.clock()
            answer = exchange_answer(
                message,
                request,
                trust=self._trust,
                at=at,
                skew=self.environment.skew,
                demands_signature=endpoint.demands_signature,
            )
            return read(answer, at)

        return self._asker.ask(operation, endpoint, make, checked)

    def _jwt_exchange(
        self, token: str | bytes, cpr: str | None, audience: str | Audience, on_behalf_of: OnBehalfOf | None
    ) -> Exchange:
        at = self._ready()
        claims = citizen_claims(cpr, on_behalf_of)
        jwt = Jwt.read(token)
        preflight.check_time_left("the JWT", jwt.expires, at)
        return Exchange(act_as=(jwt.written(),), audience=Audience.parse(audience), claims=claims)

    def _over_https(self) -> MessageTransport:
        return over_https(self.environment, self.credential)


def over_https(environment: Environment, credential: Credential) -> MessageTransport:
    """The connection that a service makes by itself; the credential is shown where the environment says so."""
    from govfile.transports.https import HttpsTransport

    return HttpsTransport(
        environment.base_url,
        trust=environment.tls,
        credential=credential if environment.presents_certificate else None,
        policy=environment.policy,
        timeouts=environment.timeouts,
    )


def _in_the_clear(answer: Answer) -> bytes:
    if answer.is_encrypted:
        raise ProtocolError("the STS answered with an encrypted assertion where one in the clear belongs")
    return answer.xml
