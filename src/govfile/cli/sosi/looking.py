"""`govfile sosi verify` and `show`: whose a card or token is, and what it says. Nobody is asked."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import attrs
import typer

from govfile.cli.commands import command
from govfile.cli.exits import Exit
from govfile.cli.session import Session
from govfile.cli.show import parse_moment
from govfile.cli.sosi import app, files, telling
from govfile.cli.sosi.forms import Form, form_of
from govfile.cli.sosi.issue import PersonOption
from govfile.errors import ConfigurationError, InvalidContent

if TYPE_CHECKING:
    from govfile.sosi.trust import StsTrust

FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="An ID card, an assertion, or a call with one; `-` is standard input.")
]


@attrs.frozen(kw_only=True)
class _Asked:
    content: bytes
    trust: "StsTrust"
    at: datetime
    audience: str | None
    person: bool

    def need_audience(self) -> str:
        if self.audience is None:
            raise ConfigurationError(
                "a call with a token is verified for one service", advice="give --audience, the address it has"
            )
        return self.audience


@command(app, "verify")
def verify(
    session: Session,
    file: FileArgument,
    audience: Annotated[
        str | None, typer.Option(metavar="URL", help="The service that tokens must be for; not compared without.")
    ] = None,
    pinned: Annotated[
        Path | None,
        typer.Option("--pinned", metavar="PATH", help="PEM file with the certificates of the signers to believe."),
    ] = None,
    allow_sha1: Annotated[
        bool, typer.Option("--allow-sha1", help="With --pinned: also believe signatures by SHA-1.")
    ] = False,
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="Judge as of this time (ISO 8601); now without.")
    ] = None,
    person: PersonOption = False,
) -> Exit:
    """Verify an ID card, an assertion, or a call with one of them, by whom the profile (or --pinned) believes.

    Signature, signer, times and, where given, the audience; of a call everything that a service looks at. Asks nobody;
    revocation is not looked up. Exits with 9 when it is not to be believed.
    """
    content = files.read(file)
    asked = _Asked(
        content=content,
        trust=_trust(session, pinned, allow_sha1=allow_sha1),
        at=parse_moment(at, "--at") or datetime.now(UTC),
        audience=audience,
        person=person,
    )
    form = form_of(content)
    if form is Form.ENCRYPTED:
        raise InvalidContent(
            "an encrypted assertion can be verified by its service provider alone",
            advice="decrypt it with the provider's key: OiosamlAssertion.decrypt",
        )
    fields = _JUDGES[form](asked)
    telling.tell(session, {**fields, "token": form})
    return Exit.DONE


@command(app, "show", profile=False)
def show(session: Session, file: FileArgument, person: PersonOption = False) -> Exit:
    """Say what a card, a token or an assertion says. Nothing is verified: anybody may have written it."""
    content = files.read(file)
    form = form_of(content)
    if form in (Form.DGWS_CALL, Form.IDWS_CALL):
        raise InvalidContent("this is a whole call", advice="govfile sosi verify says what is in it")
    telling.tell(session, {**_shown(form, content, person=person), "token": form})
    return Exit.DONE


def _trust(session: Session, pinned: Path | None, *, allow_sha1: bool) -> "StsTrust":
    from govfile.cli.sosi.service import trust
    from govfile.sosi.trust import StsTrust

    if pinned is not None:
        return StsTrust.pinned_to(pinned, allow_sha1=allow_sha1)
    if allow_sha1:
        raise ConfigurationError("--allow-sha1 goes with --pinned", advice="write allow_sha1 = true in the profile")
    return trust(session)


def _card(asked: _Asked) -> dict[str, Any]:
    from govfile.sosi import verify_card

    return telling.card(verify_card(asked.content, trust=asked.trust, at=asked.at), person=asked.person)


def _assertion(asked: _Asked) -> dict[str, Any]:
    from govfile.sosi import Audience
    from govfile.sosi.assertions import assertion_of
    from govfile.sosi.verifying import check_audience, verify_assertion

    verified = verify_assertion(asked.content, trust=asked.trust, at=asked.at, may_hold_card=True)
    found = assertion_of(verified.element, verified.parts[0].original)
    if asked.audience is not None:
        check_audience(found, Audience.parse(asked.audience))
    fields = telling.assertion(found, verified=True, person=asked.person)
    return {**fields, "signer": telling.signer(verified.certificate)}


def _dgws_call(asked: _Asked) -> dict[str, Any]:
    from govfile.sosi import verify_request

    call = verify_request(asked.content, trust=asked.trust, at=asked.at)
    return {
        **telling.card(call.card, person=asked.person),
        "message_id": call.header.message_id,
        "created": call.created,
        "unsigned_body": f"{len(call.unsigned_body)} bytes, not signed",
    }


def _idws_call(asked: _Asked) -> dict[str, Any]:
    from govfile.sosi import verify_idws_request

    call = verify_idws_request(asked.content, trust=asked.trust, audience=asked.need_audience(), at=asked.at)
    return {
        **telling.assertion(call.token, verified=True, person=asked.person),
        "action": call.action,
        "message_id": call.message_id,
        "created": call.created,
        "body": f"{len(call.body)} bytes, signed",
    }


_JUDGES: dict[Form, Callable[[_Asked], dict[str, Any]]] = {
    Form.CARD: _card,
    Form.ASSERTION: _assertion,
    Form.DGWS_CALL: _dgws_call,
    Form.IDWS_CALL: _idws_call,
}


def _shown(form: Form, content: bytes, *, person: bool) -> dict[str, Any]:
    from govfile.sosi import read_assertion, read_card

    if form is Form.CARD:
        return telling.card(read_card(content), person=person)
    if form is Form.ASSERTION:
        return telling.assertion(read_assertion(content), verified=False, person=person)
    return {"token": form, "verified": False}
