"""Services a profile adds or changes: `[profiles.NAME.services.SERVICE]`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from govfile.errors import ConfigurationError

if TYPE_CHECKING:
    from govfile.cli.checked import Table
    from govfile.cli.config import Profile
    from govfile.skat import ServiceProfile

SERVICE_KEYS = frozenset({"like", "folder", "transfer", "record_length", "largest"})


def own_services(profile: Profile) -> tuple[ServiceProfile, ...]:
    """The services a profile describes itself; raises `ConfigurationError`."""
    described = profile.table.table("services")
    return tuple(_service(name, described.table(name)) for name in described.values)


def _service(name: str, table: Table) -> ServiceProfile:
    from govfile.skat.classic import RecordRules
    from govfile.skat.services import PROFILES, ServiceProfile
    from govfile.transports.base import TransferType

    table.allow(SERVICE_KEYS)
    like = table.choice("like", PROFILES) or PROFILES.get(name)  # one that ships keeps what is not changed
    changes: dict[str, Any] = {
        "name": name,
        "folder": table.get("folder", str) or name,
        "transfer": table.choice("transfer", {kind.value: kind for kind in TransferType}),
        "largest": _count(table, "largest"),
    }
    length = _count(table, "record_length")
    if length is not None:
        if like is None or not isinstance(like.content_check, RecordRules):
            raise ConfigurationError(
                f"{table.where}: record_length is for services with records", advice='add like = "CPS"'
            )
        changes["content_check"] = attrs.evolve(like.content_check, length=length)
    given = {key: value for key, value in changes.items() if value is not None}
    return ServiceProfile(**given) if like is None else attrs.evolve(like, **given)


def _count(table: Table, key: str) -> int | None:
    number = table.get(key, int)
    if number is not None and number <= 0:
        raise ConfigurationError(f"{table.where}: {key} must be above 0", advice="correct it, or leave it out")
    return number
