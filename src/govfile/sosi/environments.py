"""Where the security token service is: host, paths, trust and patience, together in one value.

Sources: the published clients (Unsealed, the ehdsi national connector, Seal.NET) for hosts, paths and SOAPActions; the
user documentation of the STS for what each endpoint exchanges. What they leave open is a setting here, with its mark
in `docs/protocols/sosi.md`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

import attrs

from govfile.certificates.trust import Trust
from govfile.errors import ConfigurationError
from govfile.transports.https_policy import MESSAGE_TIMEOUTS, HttpsPolicy

if TYPE_CHECKING:
    from govfile.certificates.credential import Credential
    from govfile.sosi.trust import StsTrust
    from govfile.transports.base import Timeouts

#: WS-Trust 1.3: the action of every exchange, request and answer alike.
ISSUE_ACTION = "http://docs.oasis-open.org/ws-sx/ws-trust/200512/RST/Issue"


@attrs.frozen(kw_only=True)
class Endpoint:
    """One exchange's door: its `path` below the base address, and the `action` of its SOAPAction header.

    `signs_request`: the envelope is signed by the caller. `demands_signature`: an answer whose envelope is not signed
    is refused; where False such a one is taken on the strength of its token's own signature.
    """

    path: str
    action: str = ISSUE_ACTION
    signs_request: bool = True
    demands_signature: bool = True

    def __attrs_post_init__(self) -> None:
        if not self.path.startswith("/") or any(character in self.path for character in "?# \r\n"):
            raise ConfigurationError(f"the path {self.path!r} is not one", advice="write it like /sts/services/Name")
        if any(character < " " or character in '"\x7f' for character in self.action):
            raise ConfigurationError("a SOAPAction must not hold quotes or control characters")


@attrs.frozen(kw_only=True)
class Endpoints:
    """All doors of one service. Authors differ in the case of the paths, and nobody publishes that of `identity_token`.

    `issue` signs ID cards and puts the certificate's names into NameID; `issue_legacy` keeps the caller's NameID, and
    its cards cannot be exchanged for OIOSAML assertions.
    """

    issue: Endpoint = Endpoint(path="/sts/services/NewSecurityTokenService", action="Issue", demands_signature=False)
    issue_legacy: Endpoint = Endpoint(
        path="/sts/services/SecurityTokenService", action="Issue", demands_signature=False
    )
    identity_token: Endpoint = Endpoint(
        path="/sts/services/SecurityTokenService", signs_request=False, demands_signature=False
    )
    to_oiosaml: Endpoint = Endpoint(path="/sts/services/Sosi2OIOSaml", action="http://sosi.dk/ibo#Issue")
    from_oiosaml: Endpoint = Endpoint(path="/sts/services/OIOSaml2Sosi")
    from_bootstrap_token: Endpoint = Endpoint(path="/sts/services/BST2SOSI")
    citizen_token: Endpoint = Endpoint(path="/sts/services/Bst2Idws", action="Issue")
    from_jwt: Endpoint = Endpoint(path="/sts/services/JWT2Idws", action="Issue")
    jwt_to_oiosaml: Endpoint = Endpoint(path="/sts/services/JWT2OIOSaml", action="Issue")


@attrs.frozen(kw_only=True)
class Environment:
    """One security token service. Derive a variant with `attrs.evolve`, above all to name whom you believe:
    `attrs.evolve(TEST1, trust=StsTrust(…))`.

    `is_test` decides which certificate authorities a credential may come from; None accepts either, and those that
    this version does not know pass.

    `trust` says whose signatures on cards, tokens and answers count; None: nobody's, and no exchange is made, since
    no pin is published for today's signers. `tls` are the anchors of the server's own certificate.
    `presents_certificate`: show the credential in the TLS handshake too. `policy` holds the proxy, the bounds, and the
    hosts that may be spoken to in the clear; messages carry CPR numbers. `timeouts` bound each attempt. `skew` is how
    far an answer's time stamp may lie from our clock. `attempts` counts how often a request is made where asking again
    is allowed, and `pause` the time before the second, which doubles after each.
    """

    name: str
    base_url: str
    is_test: bool | None
    endpoints: Endpoints = attrs.field(factory=Endpoints)
    trust: StsTrust | None = None
    tls: Trust = attrs.field(factory=Trust)
    presents_certificate: bool = False
    policy: HttpsPolicy = attrs.field(factory=HttpsPolicy)
    timeouts: Timeouts = MESSAGE_TIMEOUTS
    skew: timedelta = timedelta(minutes=5)
    attempts: int = 3
    pause: timedelta = timedelta(seconds=1)

    def __attrs_post_init__(self) -> None:
        address = _address(self.base_url)
        if address is None or address.scheme not in {"https", "http"} or not address.hostname:
            raise ConfigurationError(
                f"the base address of the environment {self.name} is not one", advice="write it like https://host:8443"
            )
        if address.username or address.password or address.query or address.fragment:
            raise ConfigurationError(
                f"the base address of the environment {self.name} holds more than host, port and path"
            )
        if self.attempts < 1:
            raise ConfigurationError("at least one attempt is needed")
        if not timedelta() <= self.skew <= timedelta(minutes=15):
            raise ConfigurationError("the skew must lie between 0 and 15 minutes")

    def check_credential(self, credential: Credential) -> None:
        """Raise `ConfigurationError` for a test certificate in production, and the reverse."""
        if None not in (self.is_test, credential.is_test) and credential.is_test is not self.is_test:
            kind = "a test certificate" if credential.is_test else "a certificate for production"
            raise ConfigurationError(
                f"{kind} cannot be used with the environment {self.name}: the service refuses it",
                certain="no connection was made",
                advice="test and production need certificates of their own; use the other environment or certificate",
            )

    def required_trust(self) -> StsTrust:
        """Whose signatures count; raises `ConfigurationError` where nobody's do."""
        if self.trust is None:
            raise ConfigurationError(
                f"the environment {self.name} names nobody whose signatures count",
                advice="name the certificates you had from the authority: attrs.evolve(environment, trust=StsTrust(…))",
            )
        return self.trust


def _address(url: str) -> SplitResult | None:
    """The parts of an address, None where it has none; the library's own error might show a password."""
    try:
        found = urlsplit(url)
        is_one = found.port != 0  # no number beyond 65535 either
    except ValueError:
        return None
    return found if is_one else None


TEST1 = Environment(name="test1", base_url="https://test1-cnsp.ekstern-test.nspop.dk:8443", is_test=True)
TEST2 = Environment(name="test2", base_url="https://test2-cnsp.ekstern-test.nspop.dk:8443", is_test=True)
TRAINING = Environment(name="training", base_url="https://uddannelse-cnsp.ekstern-test.nspop.dk:8443", is_test=True)
PRODTEST = Environment(name="prodtest", base_url="https://prodtest-cnsp.ekstern-test.nspop.dk:8443", is_test=True)

#: On the health data network alone. The address is the one regions are given for other services of the platform; that
#: the STS answers there is inferred. A published client uses http://cnsp-lb.cnsp.netic.dk:8080.
PRODUCTION = Environment(name="production", base_url="https://cnsp.nsp.dsdn.dk:8443", is_test=False)
