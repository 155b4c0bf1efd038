"""How a profile says which environment it means, whatever the authority: one by name, or a table that describes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from govfile.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from govfile.cli.checked import Table
    from govfile.cli.config import Places, Profile

Environment = TypeVar("Environment")


def chosen(
    profile: Profile, known: Mapping[str, Environment], described: Callable[[Table, Places], Environment]
) -> Environment:
    """The one of `known` that the profile names, or what `described` makes of its table.

    Raises `ConfigurationError` when the profile says neither.
    """
    if isinstance(profile.table.values.get("environment"), dict):
        return described(profile.table.table("environment"), profile.places)
    found = profile.table.choice("environment", known)
    if found is None:
        profile.table.need("environment", str)
    assert found is not None
    return found


def own_name(table: Table, known: Mapping[str, object], what: str) -> str:
    """The name of a local environment; raises `ConfigurationError` when the authority's own `what` bears it."""
    name = table.need("name", str)
    if name in known:
        raise ConfigurationError(
            f"{table.where}: the name {name} belongs to the authority's own {what}",
            advice="give yours another name; the ledger keeps filings apart by it",
        )
    return name
