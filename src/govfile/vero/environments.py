"""The three environments of the certificate service, each with its part of the Incomes Register.

Sources: the Tax Administration's pages on retrieving a certificate for the addresses, its test-bench document and a
published client for the bench, published clients for the waiting times and the register's hosts. What they leave open
is a setting here, with its mark in `docs/protocols/vero.md`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import attrs

from govfile.certificates.trust import Trust
from govfile.errors import ConfigurationError
from govfile.filing.patience import Patience as Patience
from govfile.transports.https_policy import MESSAGE_TIMEOUTS, HttpsPolicy
from govfile.vero import anchors
from govfile.vero.anchors import Pin as Pin
from govfile.vero.anchors import Pins as Pins

if TYPE_CHECKING:
    from govfile.certificates._files import Source
    from govfile.transports.base import Timeouts


def _service_patience() -> Patience:
    """No figure of the authority's is published; published clients wait 30 s at first and look every 30 to 45 s."""
    return Patience(
        first=timedelta(seconds=30),
        usual=timedelta(seconds=40),
        slow_after=timedelta(hours=1),
        slow=timedelta(minutes=30),
        give_up=timedelta(minutes=10),
    )


def _register_patience() -> Patience:
    """The register asks for five minutes before the first look and between looks, and for a call after two hours."""
    return Patience(
        first=timedelta(minutes=5),
        usual=timedelta(minutes=5),
        slow_after=timedelta(hours=2),
        slow=timedelta(minutes=30),
        silence=timedelta(hours=2),
        give_up=timedelta(days=1),
    )


@attrs.frozen(kw_only=True)
class Register:
    """The web services of the Incomes Register: `url` is scheme and host, `path` what stands before `/<Service>.svc`.

    `trust` is for the server's TLS certificate, `policy` for the conversation (a proxy, TLS versions), `timeouts` in
    seconds. `is_production` is what a record's
    `ProductionEnvironment` must say here.
    """

    url: str
    path: str = "/20170526"
    is_production: bool
    trust: Trust = attrs.field(factory=Trust)
    policy: HttpsPolicy = attrs.field(factory=HttpsPolicy)
    timeouts: Timeouts = MESSAGE_TIMEOUTS
    patience: Patience = attrs.field(factory=_register_patience)


@attrs.frozen(kw_only=True)
class Environment:
    """One environment. Derive a variant with `attrs.evolve`, and give it its anchors with `trusting`.

    `name` is part of every key store slot and ledger record, so that a test certificate never replaces a real one.
    `element` is what a request's `Environment` says. `url` is scheme and host, `path` the service's own. `tls` is for
    the server's certificate, `policy` for the conversation (a proxy, TLS versions), `timeouts` in seconds. Signers of
    answers must lead up to an anchor in `answer_signers`, issued certificates to one in `issuers`; without them no
    service is opened. `issuer_name` is the common name right above a certificate.

    `opens_before` is how long before its end a certificate can be renewed; None: at any time. `overdue` is how long a
    request may wait for its certificate before a `Renewer` reports it as failed: how long a RetrievalId stays good is
    not published. `repeats` says that the
    environment gives the same answer to the same call again, as the test bench does with its canned certificates.
    `not_ready` are error codes known to mean that a certificate is not there yet, `refusals` those known to mean that
    it never will be; the authority's list is not public, so both are empty, and any other code leaves it open.
    """

    name: str
    element: str
    url: str
    path: str = "/2017/10/CertificateServices"
    pins: Pins = attrs.field(factory=Pins)
    answer_signers: Trust | None = None
    issuers: Trust | None = None
    issuer_name: str | None = None
    tls: Trust = attrs.field(factory=Trust)
    policy: HttpsPolicy = attrs.field(factory=HttpsPolicy)
    timeouts: Timeouts = MESSAGE_TIMEOUTS
    patience: Patience = attrs.field(factory=_service_patience)
    opens_before: timedelta | None = timedelta(days=60)
    overdue: timedelta = timedelta(days=3)
    repeats: bool = False
    not_ready: frozenset[str] = frozenset()
    refusals: frozenset[str] = frozenset()
    register: Register | None = None

    @property
    def is_test(self) -> bool:
        """Whether what happens here counts for nothing."""
        return self.element != "PRODUCTION"

    def trusting(self, certificates: Source) -> Environment:
        """This environment with the authority's certificates as its anchors: a PEM bundle, as bytes or as a path.

        Only those whose fingerprints are among `pins` are believed. Raises `ConfigurationError` when the bundle lacks
        the one that vouches for answers, or the one that issues certificates.
        """
        answers, issuers = self.pins.sort(certificates)
        return attrs.evolve(self, answer_signers=answers, issuers=issuers)

    def anchors(self) -> tuple[Trust, Trust]:
        """The anchors for answers and for issued certificates; raises `ConfigurationError` while there are none."""
        if self.answer_signers is None or self.issuers is None:
            wanted = "; ".join(map(str, (*self.pins.answers, *self.pins.issued)))
            raise ConfigurationError(
                f"the environment {self.name} has no anchors: no answer could be believed",
                certain="nothing was sent",
                advice=f"download the authority's certificates from {anchors.PUBLISHED_AT} into one PEM file and use "
                f"environment.trusting(file): {wanted}",
            )
        return self.answer_signers, self.issuers


PRODUCTION = Environment(
    name="production",
    element="PRODUCTION",
    url="https://pkiws.vero.fi",
    pins=anchors.PRODUCTION,
    issuer_name="Data Providers Issuing CA v1",
    register=Register(url="https://ws.tulorekisteri.fi", is_production=True),
)
TEST = Environment(
    name="test",
    element="TEST",
    url="https://pkiws-testi.vero.fi",
    pins=anchors.TEST,
    issuer_name="Data Providers Test Issuing CA v1",
    register=Register(url="https://ws-testi-2.tulorekisteri.fi", is_production=False),
)
#: Canned answers to canned codes and keys, again and again. Its certificates work nowhere else, so it has no register.
TEST_BENCH = attrs.evolve(
    TEST,
    name="test-bench",
    path="/DEV/2017/10/CertificateServices",
    opens_before=None,
    repeats=True,
    register=None,
)
