"""Where the gateway is: host, ports, TLS rules, anchors and patience, together in one value.

Sources: the authority's page on production access (oid 2244618), its notice on ICS and Manifest (2019) and its news
on the wider port range (2021). What they leave open is a setting here, with its mark in `docs/protocols/skat.md`.
"""

from __future__ import annotations

from datetime import timedelta

import attrs

from govfile.transports.ftps_policy import FtpsPolicy


@attrs.frozen(kw_only=True)
class Patience:
    """How often to look for answers: first after `first`, then every `usual`, after `slow_after` every `slow`.

    No limit is published for this gateway; five minutes is what the authority asks for elsewhere (its EMCS service).
    `silence` is the age after which a submission without a status counts as silent: never as failed. `give_up` is how
    long a wait without a time-out goes on. `second_look` lies between two listings that tell whether a file is still
    being written.
    """

    first: timedelta = timedelta(seconds=30)
    usual: timedelta = timedelta(minutes=5)
    slow_after: timedelta = timedelta(hours=1)
    slow: timedelta = timedelta(minutes=30)
    silence: timedelta = timedelta(hours=6)
    give_up: timedelta = timedelta(days=7)
    second_look: timedelta = attrs.field(
        default=attrs.Factory(lambda self: min(self.first, timedelta(seconds=2)), takes_self=True)
    )

    def pause(self, age: timedelta) -> timedelta:
        """How long to wait before the next look, `age` after the document was sent."""
        if age < self.first:
            return self.first - age
        return self.slow if age >= self.slow_after else self.usual


@attrs.frozen(kw_only=True)
class Environment:
    """One gateway. Derive a variant with `attrs.evolve`, e.g. to cap TLS or to add a trust anchor.

    `name` is part of every ledger record, so that test filings never block real ones. `is_test` decides which
    certificate authorities a credential may come from; None accepts either (for a local gateway). Certificates of
    issuers this version does not know pass while `accepts_unknown_issuers`.
    """

    name: str
    host: str
    port: int = 6381
    is_test: bool | None
    policy: FtpsPolicy = attrs.field(
        factory=lambda: FtpsPolicy(data_ports=(36000, 39999), earlier_data_ports=(36000, 36100))
    )
    patience: Patience = attrs.field(factory=Patience)
    accepts_unknown_issuers: bool = True


PRODUCTION = Environment(name="production", host="secureftpgateway.skat.dk", is_test=False)
TEST = Environment(name="test", host="secureftpgatewaytest.skat.dk", is_test=True)

_RETIRED = FtpsPolicy(data_ports=(35000, 35100))

#: The gateway before 2020, for reading what still lies there. Retired; kept for the migration's second half.
PRODUCTION_RETIRED = attrs.evolve(PRODUCTION, name="production-retired", port=6371, policy=_RETIRED)
TEST_RETIRED = attrs.evolve(TEST, name="test-retired", port=6371, policy=_RETIRED)
