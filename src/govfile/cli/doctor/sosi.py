"""The checks of a set-up for the Danish token service, in the order in which a card would meet the faults."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import attrs

from govfile import errors
from govfile.cli.doctor.checks import REMEDIES as SHARED
from govfile.cli.doctor.checks import Checks
from govfile.cli.doctor.steps import Found

if TYPE_CHECKING:
    from datetime import datetime

    from govfile.cli.doctor.checks import Plan
    from govfile.sosi import IdCard
    from govfile.sosi.environments import Environment
    from govfile.sosi.trust import StsTrust
    from govfile.transports.base import MessageTransport, Reply, Timeouts

_ENDS_SOON = timedelta(days=30)
#: Cards begin five minutes before they are signed; a clock that is off by so much is refused sooner or later.
_TOLERANCE = timedelta(minutes=2)

#: In the order of the checks.
REMEDIES = {
    "configuration": SHARED["configuration"],
    "trust": "ask the service's support for today's signing certificate of this environment, and name it in `pinned`",
    "tokens": "give a folder of this user's, and a key by reference; make one: openssl rand -base64 32",
    "passphrase": SHARED["passphrase"],
    "certificate": SHARED["certificate"],
    "validity": "renew it in MitID Erhverv; cards signed before stay good for their day",
    "kind": "use an employee's certificate for a user's card, an organisation's or a system's for a system's",
    "environment": "choose the environment the certificate was issued for, or the certificate for this environment",
    "card": "correct `card` in the profile; `docs/reference/cli.md` lists its keys",
    "name lookup": f"{SHARED['name lookup']}; production is found on the health data network alone",
    "port": "have the firewall let this machine open connections to this host and port (or to the proxy)",
    "server identity": "check `tls` in the profile, and whether something on the way opens TLS; never switch it off",
    "signing": "as the STS says; its codes are explained in `docs/troubleshooting.md`",
    "signer": "compare the signer with the certificate the authority gave you; never believe one for being there",
    "clock": SHARED["clock"],
}


@attrs.frozen
class _Conversation:
    timeouts: Timeouts


@attrs.frozen(kw_only=True)
class _Door:
    """Where this machine connects to: the service, or the proxy before it."""

    name: str
    host: str
    port: int
    policy: _Conversation

    @classmethod
    def of(cls, environment: Environment) -> _Door:
        proxy = environment.policy.proxy
        address = urlsplit(proxy.url if proxy else environment.base_url)
        return cls(
            name=environment.name,
            host=address.hostname or "",
            port=address.port or (443 if address.scheme == "https" else 80),
            policy=_Conversation(environment.timeouts),
        )


class _Watched:
    """A transport that remembers what time the service has."""

    def __init__(self, inner: MessageTransport, seen: list[datetime]) -> None:
        self._inner = inner
        self._seen = seen
        self.endpoint = inner.endpoint

    def post(self, path: str, body: bytes, **options: Any) -> Reply:
        """Hand on."""
        reply = self._inner.post(path, body, **options)
        if reply.date is not None:
            self._seen.append(reply.date)
        return reply

    def close(self) -> None:
        """Hand on."""
        self._inner.close()


class Examination(Checks):
    """The checks of a profile; one card is asked for, once."""

    remedies = REMEDIES

    def plan(self) -> Plan:
        """Which checks there are, in their order."""
        return [
            ("configuration", self.configuration, ()),
            ("trust", self.trust, ("configuration",)),
            ("tokens", self.tokens, ("configuration",)),
            ("passphrase", self.passphrase, ("configuration",)),
            ("certificate", self.certificate, ("passphrase",)),
            ("validity", self.validity, ("certificate",)),
            ("kind", self.kind, ("certificate",)),
            ("environment", self.environment, ("certificate",)),
            ("card", self.card, ("kind", "validity")),
            ("name lookup", self.name_lookup, ("configuration",)),
            ("port", self.control_port, ("name lookup",)),
            ("server identity", self.server, ("port", "trust", "validity", "kind", "environment", "card")),
            ("signing", self.signing, ("server identity",)),
            ("signer", self.signer, ("signing",)),
            ("clock", self.clock, ("configuration",)),
        ]

    # --- what lies on this machine ------------------------------------------------------------------------------

    @property
    def _environment(self) -> Environment:
        return self._session.sosi_environment

    @property
    def _place(self) -> _Door:
        return _Door.of(self._environment)

    @property
    def _trust(self) -> StsTrust:
        from govfile.cli.sosi.service import trust

        return trust(self._session)

    def trust(self) -> Found:
        """The profile says whose cards count, by certificates that have not ended."""
        trust, now = self._trust, self._clock()
        certificates = (*trust.anchors.anchors, *trust.pinned)
        lasting = [found for found in certificates if found.not_valid_after_utc > now]
        if not lasting:
            raise errors.ConfigurationError("every certificate that is to be believed has expired")
        by = f"; the signer is {trust.common_name!r} with CVR {trust.cvr}" if trust.anchors.anchors else ""
        text = f"{len(trust.anchors.anchors)} authorities, {len(trust.pinned)} pinned certificates{by}"
        if trust.allow_sha1:
            text += "; SHA-1 counts"
        ends = max(found.not_valid_after_utc for found in lasting)
        if trust.pinned and ends - now < _ENDS_SOON:
            return Found(text, f"the last of them ends on {ends:%Y-%m-%d}: {REMEDIES['trust']}")
        return Found(text)

    def tokens(self) -> Found:
        """The folder for tokens can be used; or there is none."""
        from govfile.cli.sosi.service import token_store

        store = token_store(self._session)
        if store is None:
            return Found("no folder is configured; every command asks for a card of its own")
        return Found(f"{self._session.profile.places.path(self._session.profile.table, 'tokens')}, encrypted")

    def kind(self) -> Found:
        """The certificate is one that cards are signed with."""
        from govfile.certificates.usage import check_signs_documents
        from govfile.sosi.card import SIGNED_LEVEL
        from govfile.sosi.holder import holder_of

        holder = holder_of(self._credential.certificate)
        check_signs_documents(self._credential.certificate)
        return Found(f"a {holder.type.value}'s, of {holder.cvr}: cards of level {SIGNED_LEVEL[holder.type]}")

    def environment(self) -> Found:
        """The certificate was not issued for the other kind of environment."""
        self._environment.check_credential(self._credential)
        issued = {True: "test", False: "production", None: "an unknown use"}[self._credential.is_test]
        return Found(f"the certificate was issued for {issued}")

    @cached_property
    def _card(self) -> IdCard:
        from govfile.cli.sosi.card import described

        return described(self._session)

    def card(self) -> Found:
        """The card of the profile fits the certificate, and the key signs it."""
        from govfile.certificates.signer import SignatureAlgorithm
        from govfile.sosi.cards import build

        algorithm = SignatureAlgorithm.usual_for(self._credential.public_key)
        written = build(self._card, self._credential, at=self._clock(), algorithm=algorithm)
        return Found(f"a {written.type.value}'s card of level {written.level} for {written.it_system}")

    # --- what the service says ----------------------------------------------------------------------------------

    @cached_property
    def _attempt(self) -> errors.GovfileError | str:
        """The one card that is asked for: who signed it, or why there is none."""
        from govfile.cli.sosi.telling import signer
        from govfile.sosi.sts import SecurityTokenService, over_https

        seen: list[datetime] = []
        environment = attrs.evolve(self._environment, attempts=1)
        credential = self._credential
        try:
            with SecurityTokenService(
                environment,
                credential,
                clock=self._clock,
                transport=lambda: _Watched(over_https(environment, credential), seen),
            ) as sts:
                return signer(sts.issue(self._card).signer)
        except errors.GovfileError as error:
            return error
        finally:
            self._newest = max(seen, default=None)

    def server(self) -> Found:
        """The server is who it should be."""
        found = self._attempt
        if isinstance(found, errors.TransportError):
            raise found
        return Found("chain and host name of the server's certificate hold")

    def signing(self) -> Found:
        """The service signs the card."""
        found = self._attempt
        if isinstance(found, errors.GovfileError) and not isinstance(found, errors.TrustError):
            raise found
        return Found("the service answered with a card")

    def signer(self) -> Found:
        """The card is signed by whom the profile believes."""
        found = self._attempt
        if isinstance(found, errors.GovfileError):
            raise found
        return Found(f"signed by {found}")

    def clock(self) -> Found:
        """This computer's clock agrees with the service's, as far as that has been heard."""
        now = self._clock()
        if self._newest is not None and abs(now - self._newest) > _TOLERANCE:
            raise errors.ConfigurationError(
                f"the service's clock says {self._newest:%Y-%m-%d %H:%M:%S} UTC, ours {now:%H:%M:%S}: cards and "
                "answers would be refused"
            )
        return super().clock()
