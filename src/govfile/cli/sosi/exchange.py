"""`govfile sosi exchange`: one kind of token for another."""

import enum
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import attrs
import typer

from govfile.cli.commands import command
from govfile.cli.exits import Exit
from govfile.cli.session import Session
from govfile.cli.sosi import app, files, telling
from govfile.cli.sosi.card import Options, it_system
from govfile.cli.sosi.files import Target
from govfile.cli.sosi.issue import (
    AuthorisationOption,
    OutOption,
    PersonOption,
    ReplaceOption,
    RoleOption,
    SystemOption,
)
from govfile.cli.sosi.service import card_source, open_service
from govfile.errors import ConfigurationError

if TYPE_CHECKING:
    from govfile.sosi import OnBehalfOf, SecurityTokenService, SignedCard


class Way(enum.Enum):
    """The exchanges, by the names of the methods that make them."""

    IDENTITY_TOKEN = "identity-token"  # noqa: S105 a word
    TO_OIOSAML = "to-oiosaml"
    FROM_OIOSAML = "from-oiosaml"
    FROM_BOOTSTRAP_TOKEN = "from-bootstrap-token"  # noqa: S105
    CITIZEN_TOKEN = "citizen-token"  # noqa: S105
    FROM_JWT = "from-jwt"
    JWT_TO_OIOSAML = "jwt-to-oiosaml"


class ActsBy(enum.Enum):
    """By which right a citizen acts for another person."""

    PROCURATION = "procuration"
    PARENTAL = "parental-custody"
    WARD = "ward-custody"
    PARTLY_WARD = "partly-ward-custody"


CprEnvOption = Annotated[
    str | None, typer.Option("--cpr-env", metavar="NAME", help="Environment variable with the citizen's CPR number.")
]
CprFileOption = Annotated[
    Path | None, typer.Option("--cpr-file", metavar="PATH", help="File with the citizen's CPR number.")
]
ActsByOption = Annotated[
    ActsBy | None, typer.Option("--acts-by", help="The citizen acts for another person, by this right.")
]
OtherCprEnvOption = Annotated[
    str | None, typer.Option("--other-cpr-env", metavar="NAME", help="Environment variable with that person's number.")
]
OtherCprFileOption = Annotated[
    Path | None, typer.Option("--other-cpr-file", metavar="PATH", help="File with that person's number.")
]

_FROM_CARD = frozenset({Way.IDENTITY_TOKEN, Way.TO_OIOSAML})
_TO_CARD = frozenset({Way.FROM_OIOSAML, Way.FROM_BOOTSTRAP_TOKEN})
_CITIZENS = frozenset({Way.CITIZEN_TOKEN, Way.FROM_JWT, Way.JWT_TO_OIOSAML})


@attrs.frozen(kw_only=True)
class _Asked:
    """What the command line says, beside the token to exchange."""

    session: Session
    way: Way
    audience: str | None
    it_system: str | None
    role: str | None
    authorisation_code: str | None
    cpr: str | None
    on_behalf_of: "OnBehalfOf | None"

    def check(self) -> None:
        """Raise `ConfigurationError` for an option that this exchange does not take, and for one it needs."""
        takes = {
            "--audience": _FROM_CARD | _CITIZENS,
            "--it-system": _TO_CARD | _FROM_CARD,
            "--role": _TO_CARD | _FROM_CARD,
            "--authorisation-code": _TO_CARD | _FROM_CARD,
            "--cpr-env or --cpr-file": _CITIZENS,
            "--acts-by": _CITIZENS,
        }
        given = (self.audience, self.it_system, self.role, self.authorisation_code, self.cpr, self.on_behalf_of)
        for (option, ways), value in zip(takes.items(), given, strict=True):
            if value is not None and self.way not in ways:
                raise ConfigurationError(f"{self.way.value} takes no {option}")
        needs = {"--audience": self.audience} if self.way not in _TO_CARD else {}
        if self.way in (Way.CITIZEN_TOKEN, Way.FROM_JWT):
            needs["--cpr-env or --cpr-file"] = self.cpr
        for option, value in needs.items():
            if value is None:
                raise ConfigurationError(f"{self.way.value} needs {option}")

    def check_file(self, file: Path | None) -> None:
        """Raise `ConfigurationError` where it is missing, or where options speak of another card than the one in it."""
        if file is None and self.way not in _FROM_CARD:
            raise ConfigurationError(f"{self.way.value} needs the FILE with what is to be exchanged")
        described = (self.it_system, self.role, self.authorisation_code)
        if file is not None and self.way in _FROM_CARD and any(value is not None for value in described):
            raise ConfigurationError(
                "the card in FILE says its system, role and authorisation itself",
                advice="leave the options or FILE out",
            )


@command(app, "exchange")
def exchange(
    session: Session,
    way: Annotated[Way, typer.Argument(metavar="WAY", help="What for what; see the reference.")],
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="Card, assertion, bootstrap token or JWT; `-` is standard input."),
    ] = None,
    audience: Annotated[
        str | None, typer.Option(metavar="URL", help="The service, or the service provider, it is for.")
    ] = None,
    out: OutOption = None,
    replace: ReplaceOption = False,
    it_system: SystemOption = None,
    role: RoleOption = None,
    authorisation_code: AuthorisationOption = None,
    cpr_env: CprEnvOption = None,
    cpr_file: CprFileOption = None,
    acts_by: ActsByOption = None,
    other_cpr_env: OtherCprEnvOption = None,
    other_cpr_file: OtherCprFileOption = None,
    person: PersonOption = False,
) -> Exit:
    """Exchange a card or token for another at the token service, and check what comes back.

    Without FILE, `identity-token` and `to-oiosaml` take the profile's card, as `issue` does.
    """
    asked = _Asked(
        session=session,
        way=way,
        audience=audience,
        it_system=it_system,
        role=role,
        authorisation_code=authorisation_code,
        cpr=_number(cpr_env, cpr_file),
        on_behalf_of=_in_whose_place(acts_by, _number(other_cpr_env, other_cpr_file)),
    )
    asked.check()
    asked.check_file(file)
    target = Target(session, out, replace=replace)
    given = None if file is None else files.read(file)
    with open_service(session) as sts:
        found = _WAYS[way](sts, asked, given)
    target.write(found.xml)
    if not target.is_standard_output:
        telling.tell(session, _fields(found, person=person), path=target.path)
    return Exit.DONE


def _card(sts: "SecurityTokenService", asked: _Asked, given: bytes | None) -> "SignedCard":
    """The card to exchange: the one in the file, verified, or the profile's."""
    if given is None:
        options = Options(it_system=asked.it_system, role=asked.role, authorisation_code=asked.authorisation_code)
        return card_source(asked.session, sts, options)()
    from govfile.sosi import verify_card

    return verify_card(given, trust=sts.environment.required_trust(), at=sts.clock())


def _for_service(sts: "SecurityTokenService", asked: _Asked, given: bytes | None) -> Any:
    return sts.identity_token(_card(sts, asked, given), audience=asked.audience or "")


def _for_provider(sts: "SecurityTokenService", asked: _Asked, given: bytes | None) -> Any:
    return sts.to_oiosaml(_card(sts, asked, given), audience=asked.audience or "")


def _from_oiosaml(sts: "SecurityTokenService", asked: _Asked, given: bytes | None) -> Any:
    return sts.from_oiosaml(
        given or b"",
        it_system=it_system(asked.session, asked.it_system),
        role=asked.role,
        authorisation_code=asked.authorisation_code,
    )


def _from_bootstrap_token(sts: "SecurityTokenService", asked: _Asked, given: bytes | None) -> Any:
    return sts.from_bootstrap_token(
        given or b"",
        it_system=it_system(asked.session, asked.it_system),
        role=asked.role,
        authorisation_code=asked.authorisation_code,
    )


def _for_citizen(sts: "SecurityTokenService", asked: _Asked, given: bytes | None) -> Any:
    return sts.citizen_token(
        given or b"", cpr=asked.cpr or "", audience=asked.audience or "", on_behalf_of=asked.on_behalf_of
    )


def _from_jwt(sts: "SecurityTokenService", asked: _Asked, given: bytes | None) -> Any:
    return sts.from_jwt(
        (given or b"").strip(), cpr=asked.cpr or "", audience=asked.audience or "", on_behalf_of=asked.on_behalf_of
    )


def _jwt_to_oiosaml(sts: "SecurityTokenService", asked: _Asked, given: bytes | None) -> Any:
    return sts.jwt_to_oiosaml(
        (given or b"").strip(), audience=asked.audience or "", cpr=asked.cpr, on_behalf_of=asked.on_behalf_of
    )


_WAYS: dict[Way, Callable[["SecurityTokenService", _Asked, bytes | None], Any]] = {
    Way.IDENTITY_TOKEN: _for_service,
    Way.TO_OIOSAML: _for_provider,
    Way.FROM_OIOSAML: _from_oiosaml,
    Way.FROM_BOOTSTRAP_TOKEN: _from_bootstrap_token,
    Way.CITIZEN_TOKEN: _for_citizen,
    Way.FROM_JWT: _from_jwt,
    Way.JWT_TO_OIOSAML: _jwt_to_oiosaml,
}


def _fields(found: Any, *, person: bool) -> dict[str, Any]:
    from govfile.sosi import OiosamlAssertion, SignedCard

    if isinstance(found, SignedCard):
        return telling.card(found, person=person)
    if isinstance(found, OiosamlAssertion):
        return telling.oiosaml(found, person=person)
    return telling.assertion(found, verified=True, person=person)


def _number(from_env: str | None, from_file: Path | None) -> str | None:
    """A CPR number; never from the command line itself, which every user of the machine can read."""
    from govfile.certificates.secret import Secret

    if from_env is not None:
        return Secret.from_env(from_env).reveal().strip()
    return Secret.from_file(from_file).reveal().strip() if from_file is not None else None


def _in_whose_place(right: ActsBy | None, cpr: str | None) -> "OnBehalfOf | None":
    from govfile.sosi import Custody, OnBehalfOf

    if right is None and cpr is None:
        return None
    if right is None or cpr is None:
        raise ConfigurationError("--acts-by goes together with --other-cpr-env or --other-cpr-file")
    if right is ActsBy.PROCURATION:
        return OnBehalfOf.procuration(cpr)
    return OnBehalfOf.custody(Custody[right.name], cpr)
