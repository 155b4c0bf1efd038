"""The token service a profile means: one of the platform's own with those it believes, or a local one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import attrs

from govfile.cli.described import chosen, own_name
from govfile.cli.pace import timeouts
from govfile.errors import ConfigurationError

if TYPE_CHECKING:
    from govfile.cli.checked import Table
    from govfile.cli.config import Places, Profile
    from govfile.sosi.environments import Endpoint, Endpoints, Environment
    from govfile.sosi.trust import StsTrust
    from govfile.transports.https_policy import HttpsPolicy

TRUST_KEYS = frozenset({"federation", "common_name", "cvr", "pinned", "allow_sha1", "skew"})
CONVERSATION_KEYS = TRUST_KEYS | {
    *("tls", "endpoints", "presents_certificate", "answer_skew", "attempts", "pause", "timeouts", "proxy"),
}
VARIANT_KEYS = CONVERSATION_KEYS | {"base"}
LOCAL_KEYS = CONVERSATION_KEYS | {"name", "url", "is_test", "clear_text_hosts"}
ENDPOINT_KEYS = frozenset({"path", "action", "signs_request", "demands_signature"})
PROXY_KEYS = frozenset({"url", "user", "password"})


def known() -> dict[str, Environment]:
    """The platform's own environments by name; none of them says yet whose signatures count."""
    from govfile.sosi import environments as found

    own = (found.TEST1, found.TEST2, found.TRAINING, found.PRODTEST, found.PRODUCTION)
    return {environment.name: environment for environment in own}


def of(profile: Profile) -> Environment:
    """The environment of a profile; raises `ConfigurationError`."""
    profile.require("sosi")
    return chosen(profile, known(), _described)


def check_trust(profile: Profile, environment: Environment) -> StsTrust:
    """Whose signatures count; raises `ConfigurationError` that says how a profile names them."""
    if environment.trust is None:
        raise ConfigurationError(
            f"{profile.table.where}: nobody is named whose signatures count",
            certain="nothing was sent",
            advice=f'write environment = {{base = "{environment.name}", pinned = "sts.pem"}}, with the certificates '
            "the authority gave you; or federation, common_name and cvr",
        )
    return environment.trust


def _described(table: Table, places: Places) -> Environment:
    from govfile.sosi.environments import Environment

    base = table.choice("base", known())
    if base is not None:
        table.allow(VARIANT_KEYS)  # neither address nor name: a variant of production must not lead elsewhere
    else:
        table.allow(LOCAL_KEYS | {"base"})
        base = Environment(
            name=own_name(table, known(), "environment"),
            base_url=table.need("url", str),
            is_test=table.get("is_test", bool),
        )
    changes: dict[str, Any] = {
        "trust": _trust(table, places),
        "presents_certificate": table.get("presents_certificate", bool),
        "attempts": table.get("attempts", int),
        "skew": timedelta(seconds=table.seconds("answer_skew")) if "answer_skew" in table.values else None,
        "pause": timedelta(seconds=table.seconds("pause")) if "pause" in table.values else None,
        "policy": _policy(table, places, base.policy),
        "timeouts": timeouts(table, base.timeouts),
        "endpoints": _endpoints(table.table("endpoints"), base.endpoints),
    }
    bundle = places.path(table, "tls")
    if bundle is not None:
        from govfile.certificates.trust import Trust

        # A variant of a platform's service keeps the system's anchors; a local one believes its own only.
        changes["tls"] = (Trust.system_and if "base" in table.values else Trust.only)(bundle)
    return attrs.evolve(base, **{key: value for key, value in changes.items() if value is not None})


def _trust(table: Table, places: Places) -> StsTrust | None:
    from govfile.certificates.trust import Trust
    from govfile.sosi.trust import StsTrust

    federation, pinned = places.path(table, "federation"), places.path(table, "pinned")
    if federation is None and pinned is None:
        lonely = next((key for key in sorted(TRUST_KEYS) if key in table.values), None)
        if lonely is not None:
            raise ConfigurationError(
                f"{table.where}: {lonely} is there, and neither federation nor pinned",
                advice="name the authorities' certificates (federation), or the service's own (pinned)",
            )
        return None
    found: dict[str, Any] = {
        "anchors": None if federation is None else Trust.only(federation),
        "pinned": None if pinned is None else Trust.only(pinned).anchors,
        "common_name": table.get("common_name", str),
        "cvr": table.get("cvr", str),
        "allow_sha1": table.get("allow_sha1", bool),
        "skew": timedelta(seconds=table.seconds("skew")) if "skew" in table.values else None,
    }
    return StsTrust(**{key: value for key, value in found.items() if value is not None})


def _policy(table: Table, places: Places, usual: HttpsPolicy) -> HttpsPolicy:
    from govfile.transports.https_policy import Proxy

    changes: dict[str, Any] = {}
    if "clear_text_hosts" in table.values:
        changes["clear_text_hosts"] = table.texts("clear_text_hosts")
    if "proxy" in table.values:
        inner = table.table("proxy")
        inner.allow(PROXY_KEYS)
        secret = places.secret(inner, "password")
        changes["proxy"] = Proxy(
            url=inner.need("url", str),
            user=inner.get("user", str) or "",
            password=secret.resolve() if secret else None,
        )
    return attrs.evolve(usual, **changes)


def _endpoints(table: Table, usual: Endpoints) -> Endpoints:
    table.allow([field.name for field in attrs.fields(type(usual))])
    return attrs.evolve(usual, **{name: _endpoint(table, name, getattr(usual, name)) for name in table.values})


def _endpoint(table: Table, name: str, usual: Endpoint) -> Endpoint:
    """A path alone, or a table."""
    if isinstance(table.values[name], str):
        return attrs.evolve(usual, path=table.need(name, str))
    inner = table.table(name)
    inner.allow(ENDPOINT_KEYS)
    kinds: dict[str, type] = {"path": str, "action": str, "signs_request": bool, "demands_signature": bool}
    return attrs.evolve(usual, **{key: inner.need(key, kinds[key]) for key in inner.values})
