"""The token service a profile means, its card, and where tokens are kept between two commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from govfile.cli.sosi.card import Options, described
from govfile.errors import ConfigurationError

if TYPE_CHECKING:
    from govfile.cli.session import Session
    from govfile.sosi import CardSource, SecurityTokenService
    from govfile.sosi.cache_store import TokenStore
    from govfile.sosi.trust import StsTrust


def open_service(session: Session) -> SecurityTokenService:
    """The service of the session's profile; a context manager. Raises `ConfigurationError` or `CredentialError`."""
    from govfile.sosi import SecurityTokenService

    trust(session)
    return SecurityTokenService(session.sosi_environment, session.credential)


def trust(session: Session) -> StsTrust:
    """Whose signatures count; raises `ConfigurationError` where the profile does not say."""
    from govfile.cli.sosi.environment import check_trust

    return check_trust(session.profile, session.sosi_environment)


def card_source(session: Session, sts: SecurityTokenService, options: Options, *, legacy: bool = False) -> CardSource:
    """The profile's card, kept in the profile's folder for tokens where it has one."""
    from govfile.sosi import CardSource, TokenCache

    cache = TokenCache(clock=sts.clock, store=token_store(session))
    return CardSource(sts, described(session, options), cache=cache, legacy=legacy)


def token_store(session: Session) -> TokenStore | None:
    """The profile's folder for tokens; None where it has none."""
    from govfile.sosi import TokenStore

    profile = session.profile
    folder, key = profile.places.path(profile.table, "tokens"), profile.places.secret(profile.table, "tokens_key")
    if folder is None and key is None:
        return None
    if folder is None or key is None:
        raise ConfigurationError(
            f"{profile.table.where}: tokens and tokens_key go together",
            advice='e.g. tokens = "tokens" and tokens_key = {env = "TOKENS_KEY"}; make a key: openssl rand -base64 32',
        )
    return TokenStore(folder, key.resolve())
