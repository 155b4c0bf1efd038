"""The Finnish environment a profile means: one of the authority's own with its anchors, or a local one."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import attrs

from govfile.cli.described import chosen, own_name
from govfile.cli.pace import patience, timeouts
from govfile.errors import ConfigurationError

if TYPE_CHECKING:
    from govfile.cli.checked import Table
    from govfile.cli.config import Places, Profile
    from govfile.vero.environments import Environment

CONVERSATION_KEYS = frozenset(
    {
        "authorities",
        "answer_pins",
        "issuer_pins",
        "tls",
        "not_ready",
        "refusals",
        "opens_before",
        "timeouts",
        "patience",
    }
)  # fmt: skip
VARIANT_KEYS = CONVERSATION_KEYS | {"base"}
LOCAL_KEYS = CONVERSATION_KEYS | {"name", "element", "url", "path", "register"}

_ELEMENTS = {"PRODUCTION": "PRODUCTION", "TEST": "TEST"}
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


def known() -> dict[str, Environment]:
    """The authority's own environments by name; none of them has its anchors yet."""
    from govfile.vero import environments as found

    own = (found.PRODUCTION, found.TEST, found.TEST_BENCH)
    return {environment.name: environment for environment in own}


def of(profile: Profile) -> Environment:
    """The environment of a profile; raises `ConfigurationError`."""
    profile.require("vero")
    return chosen(profile, known(), _described)


def _described(table: Table, places: Places) -> Environment:
    base = table.choice("base", known())
    if base is not None:
        table.allow(VARIANT_KEYS)  # neither address nor name: a variant of production must not lead elsewhere
    else:
        table.allow(LOCAL_KEYS | {"base"})
        base = _local(table)
    changes = {**_trust(table, places), **_rules(table)}
    changes["timeouts"] = timeouts(table, base.timeouts)
    changes["patience"] = patience(table, base.patience)
    return _believing(attrs.evolve(base, **changes), table, places)


def _local(table: Table) -> Environment:
    from govfile.vero.environments import Environment, Register

    element = table.choice("element", _ELEMENTS) or "TEST"
    register = table.get("register", str)
    found = Environment(
        name=own_name(table, known(), "environment"),
        element=element,
        url=table.need("url", str),
        register=None if register is None else Register(url=register, is_production=element == "PRODUCTION"),
    )
    path = table.get("path", str)
    return found if path is None else attrs.evolve(found, path=path)


def _trust(table: Table, places: Places) -> dict[str, Any]:
    """Anchors for the servers: added to the system's in a variant, the only ones of a local environment."""
    bundle = places.path(table, "tls")
    if bundle is None:
        return {}
    from govfile.certificates.trust import Trust

    return {"tls": (Trust.system_and if "base" in table.values else Trust.only)(bundle)}


def _rules(table: Table) -> dict[str, Any]:
    changes: dict[str, Any] = {
        key: frozenset(table.texts(key)) for key in ("not_ready", "refusals") if key in table.values
    }
    days = table.get("opens_before", float)
    if days is not None:
        if not 0 < days < 10_000:
            raise ConfigurationError(f"{table.where}: opens_before must be a number of days above 0")
        changes["opens_before"] = timedelta(days=days)
    return changes


def _believing(environment: Environment, table: Table, places: Places) -> Environment:
    """The environment with its anchors, where the table names the file that holds them."""
    from govfile.vero.environments import Pins

    changes: dict[str, Any] = {}
    if "tls" in table.values and environment.register is not None:
        changes["register"] = attrs.evolve(environment.register, trust=environment.tls)
    answers, issued = _pins(table, "answer_pins"), _pins(table, "issuer_pins")
    if answers or issued:
        was = environment.pins
        changes["pins"] = Pins(answers=was.answers + answers, issued=was.issued + issued)
    if issued:
        changes["issuer_name"] = None  # the authority that is pinned here may have another name than the one known
    environment = attrs.evolve(environment, **changes)
    file = places.path(table, "authorities")
    return environment if file is None else environment.trusting(file)


def _pins(table: Table, key: str) -> tuple[Any, ...]:
    from govfile.vero.environments import Pin

    found = [text.replace(":", "").lower() for text in table.texts(key)]
    for text in found:
        if not _FINGERPRINT.fullmatch(text):
            raise ConfigurationError(
                f"{table.where}: {key} holds what is no SHA-256 fingerprint",
                advice="64 hexadecimal digits: govfile cert export --format fingerprint FILE",
            )
    return tuple(Pin(name="an authority pinned in the profile", sha256=text) for text in found)
