"""Where the gateway is: host, ports, TLS rules, anchors and patience, together in one value.

Sources: the authority's page on production access (oid 2244618), its notice on ICS and Manifest (2019) and its news
on the wider port range (2021). What they leave open is a setting here, with its mark in `docs/protocols/skat.md`.
"""

from __future__ import annotations

import attrs

from govfile.filing.patience import Patience as Patience
from govfile.transports.ftps_policy import FtpsPolicy


@attrs.frozen(kw_only=True)
class Environment:
    """One gateway. Derive a variant with `attrs.evolve`, e.g. to cap TLS or to add a trust anchor.

    `name` is part of every ledger record, so that test filings never block real ones. `is_test` decides which
    certificate authorities a credential may come from; None accepts either (for a local gateway). Certificates of
    issuers this version does not know pass while `accepts_unknown_issuers`. No limit on looks is published for this
    gateway; the five minutes of `patience` are what the authority asks for elsewhere (its EMCS service).
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
