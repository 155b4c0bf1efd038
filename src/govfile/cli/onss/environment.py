"""The Belgian environment a profile means: one of the authority's own by name, a variant of one, or a local one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from govfile.cli.described import chosen, own_name
from govfile.cli.pace import patience, timeouts
from govfile.errors import ConfigurationError

if TYPE_CHECKING:
    from govfile.cli.checked import Table
    from govfile.cli.config import Places, Profile
    from govfile.onss.environments import Environment
    from govfile.transports.sftp.host_keys import HostKeys

CONVERSATION_KEYS = frozenset(
    {"host_keys", "known_hosts", "rsa_signatures", "signing", "layout", "timeouts", "patience"}
)
VARIANT_KEYS = CONVERSATION_KEYS | {"base"}
LOCAL_KEYS = CONVERSATION_KEYS | {"name", "host", "port", "like"}


def known() -> dict[str, Environment]:
    """The authority's own environments by name."""
    from govfile.onss import environments as found

    own = (found.PRODUCTION, found.CIRCUIT_TEST, found.DECLARATION_TEST)
    return {environment.name: environment for environment in own}


def of(profile: Profile) -> Environment:
    """The environment of a profile; raises `ConfigurationError`."""
    profile.require("onss")
    return chosen(profile, known(), _described)


def _described(table: Table, places: Places) -> Environment:
    base = table.choice("base", known())
    changes: dict[str, Any] = {}
    if base is not None:
        table.allow(VARIANT_KEYS)  # neither host nor name: a variant of production must not lead elsewhere
    else:
        table.allow(LOCAL_KEYS | {"base"})
        base = table.choice("like", known()) or known()["production"]
        name = own_name(table, known(), "environment")
        changes = {"name": name, "host": table.need("host", str), "port": table.port("port") or base.port}
    changes["policy"] = _policy(table, base)
    changes["patience"] = patience(table, base.patience)
    changes.update(_choices(table))
    keys = _host_keys(table, places)
    return attrs.evolve(base, host_keys=keys or base.host_keys, **changes)


def _policy(table: Table, base: Environment) -> Any:
    from govfile.transports.sftp.policy import RsaSignatures

    ways = {way.value: way for way in RsaSignatures}
    return attrs.evolve(
        base.policy,
        timeouts=timeouts(table, base.policy.timeouts),
        rsa_signatures=table.choice("rsa_signatures", ways) or base.policy.rsa_signatures,
    )


def _choices(table: Table) -> dict[str, Any]:
    from govfile.onss.environments import Signing
    from govfile.onss.fs import Layout

    found = {
        "signing": table.choice("signing", {way.value: way for way in Signing}),
        "layout": table.choice("layout", {layout.value: layout for layout in Layout}),
    }
    return {key: value for key, value in found.items() if value is not None}


def _host_keys(table: Table, places: Places) -> HostKeys | None:
    from govfile.transports.sftp.host_keys import HostKeys

    fingerprints, file = table.texts("host_keys"), places.path(table, "known_hosts")
    if fingerprints and file is not None:
        raise ConfigurationError(
            f"{table.where}: host_keys and known_hosts are both there", advice="give the one or the other"
        )
    if file is not None:
        return HostKeys.from_known_hosts(file)
    return HostKeys.pinned(*fingerprints) if fingerprints else None
