"""The Danish gateway a profile means: one of the authority's own by name, a variant of one, or a local one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from govfile.cli.described import chosen, own_name
from govfile.cli.pace import patience, timeouts

if TYPE_CHECKING:
    from govfile.cli.checked import Table
    from govfile.cli.config import Places, Profile
    from govfile.skat.environments import Environment

POLICY_KEYS = frozenset(
    {
        "trust",
        "accepts_unknown_issuers",
        "tls_start",
        "tls_floor",
        "tls_ceiling",
        "session_reuse",
        "passive",
        "data_ports",
        "timeouts",
    }
)  # fmt: skip
VARIANT_KEYS = POLICY_KEYS | {"base", "patience"}
LOCAL_KEYS = POLICY_KEYS | {"name", "host", "port", "is_test", "patience"}


def known() -> dict[str, Environment]:
    """The authority's own gateways by name."""
    from govfile.skat import environments as found

    own = (found.PRODUCTION, found.TEST, found.PRODUCTION_RETIRED, found.TEST_RETIRED)
    return {environment.name: environment for environment in own}


def of(profile: Profile) -> Environment:
    """The environment of a profile; raises `ConfigurationError`."""
    profile.require("skat")
    return chosen(profile, known(), _described)


def _described(table: Table, places: Places) -> Environment:
    from govfile.skat.environments import Environment

    base = table.choice("base", known())
    if base is not None:
        table.allow(VARIANT_KEYS)  # neither host nor name: a variant of production must not lead elsewhere
    else:
        table.allow(LOCAL_KEYS | {"base"})
        base = Environment(
            name=own_name(table, known(), "gateway"),
            host=table.need("host", str),
            port=table.port("port") or 6381,
            is_test=table.get("is_test", bool),
        )
    changes: dict[str, Any] = {"policy": attrs.evolve(base.policy, **_policy(table, places, base))}
    unknown = table.get("accepts_unknown_issuers", bool)
    if unknown is not None:
        changes["accepts_unknown_issuers"] = unknown
    changes["patience"] = patience(table, base.patience)
    return attrs.evolve(base, **changes)


def _policy(table: Table, places: Places, base: Environment) -> dict[str, Any]:
    from govfile.transports.ftps_policy import Passive, SessionReuse, TlsStart, TlsVersion

    versions = {version.value: version for version in TlsVersion}
    found: dict[str, Any] = {
        "tls_start": table.choice("tls_start", {start.value: start for start in TlsStart}),
        "floor": table.choice("tls_floor", versions),
        "ceiling": table.choice("tls_ceiling", versions),
        "session_reuse": table.choice("session_reuse", {reuse.value: reuse for reuse in SessionReuse}),
        "passive": table.choice("passive", {way.value: way for way in Passive}),
        "data_ports": table.pair("data_ports", int),
    }
    bundle = places.path(table, "trust")
    if bundle is not None:
        from govfile.certificates.trust import Trust

        # A variant of an authority's gateway keeps the system's anchors; a local one believes its own only.
        found["trust"] = (Trust.system_and if "base" in table.values else Trust.only)(bundle)
    found["timeouts"] = timeouts(table, base.policy.timeouts)
    return {key: value for key, value in found.items() if value is not None}
