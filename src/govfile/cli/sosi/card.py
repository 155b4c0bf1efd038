"""The ID card a profile describes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from govfile.errors import ConfigurationError

if TYPE_CHECKING:
    from govfile.cli.checked import Table
    from govfile.cli.session import Session
    from govfile.sosi.card import IdCard
    from govfile.sosi.care_provider import CareProvider

_TEXTS = (
    *("it_system", "issuer", "role", "authorisation_code", "given_name", "surname"),
    *("email", "occupation", "alternative_identifier"),
)
CARD_KEYS = frozenset({*_TEXTS, "type", "cpr", "care_provider", "version", "certificate_hash"})
_PROVIDERS = ("cvr", "ynumber", "pnumber", "sks")
PROVIDER_KEYS = frozenset({*_PROVIDERS, "name"})


@attrs.frozen(kw_only=True)
class Options:
    """What the command line says of the card, in place of the profile."""

    it_system: str | None = None
    role: str | None = None
    authorisation_code: str | None = None


def described(session: Session, options: Options | None = None) -> IdCard:
    """The card of the session's profile, a user's or a system's as its certificate is.

    Raises `ConfigurationError`, and `InvalidContent` for what no card can say.
    """
    from govfile.sosi.card import CardType, CertificateHash, IdCard
    from govfile.sosi.holder import holder_of
    from govfile.sosi.times import DgwsVersion

    table = session.profile.table.table("card")
    table.allow(CARD_KEYS)
    kind = table.choice("type", {kind.value: kind for kind in CardType})
    kind = kind or holder_of(session.credential.certificate).type
    fields: dict[str, Any] = {key: table.get(key, str) for key in _TEXTS}
    fields.update({key: value for key, value in attrs.asdict(options or Options()).items() if value is not None})
    fields["version"] = table.choice("version", {version.value: version for version in DgwsVersion})
    fields["certificate_hash"] = table.choice("certificate_hash", {how.value: how for how in CertificateHash})
    fields["care_provider"] = _care_provider(table)
    fields["cpr"] = _cpr(session, table)
    _need(table, fields, "it_system")
    if kind is CardType.USER:
        _need(table, fields, "role")
    return IdCard(type=kind, **{key: value for key, value in fields.items() if value is not None})


def it_system(session: Session, given: str | None) -> str:
    """The system's name, as given or of the profile's card."""
    table = session.profile.table.table("card")
    fields = {"it_system": given or table.get("it_system", str)}
    _need(table, fields, "it_system")
    return str(fields["it_system"])


def _need(table: Table, fields: dict[str, Any], key: str) -> None:
    if not fields.get(key):
        raise ConfigurationError(
            f"{table.where}: {key} is missing",
            advice='e.g. card = {it_system = "Example Lab", role = "7170"}; a system\'s card has no role',
        )


def _cpr(session: Session, table: Table) -> str | None:
    secret = session.profile.places.secret(table, "cpr")
    return None if secret is None else secret.resolve().reveal().strip()


def _care_provider(table: Table) -> CareProvider | None:
    from govfile.sosi.care_provider import CareProvider

    if "care_provider" not in table.values:
        return None
    inner = table.table("care_provider")
    inner.allow(PROVIDER_KEYS)
    named = [key for key in _PROVIDERS if key in inner.values]
    if len(named) != 1:
        raise ConfigurationError(
            f"{inner.where}: a care provider is named in one way", advice=f"give one of: {', '.join(_PROVIDERS)}"
        )
    make = getattr(CareProvider, named[0])
    provider: CareProvider = make(inner.need(named[0], str), inner.need("name", str))
    return provider
