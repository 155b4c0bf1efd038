"""`govfile sosi issue`: the profile's card, signed by the token service."""

from pathlib import Path
from typing import Annotated

import typer

from govfile.cli.commands import command
from govfile.cli.exits import Exit
from govfile.cli.session import Session
from govfile.cli.sosi import app, telling
from govfile.cli.sosi.card import Options
from govfile.cli.sosi.files import Target
from govfile.cli.sosi.service import card_source, open_service

OutOption = Annotated[
    Path | None,
    typer.Option("--out", metavar="PATH", help="A new file, for your eyes only (0600); `-` is standard output."),
]
ReplaceOption = Annotated[bool, typer.Option("--replace", help="Put it in the place of the file that is there.")]
PersonOption = Annotated[
    bool, typer.Option("--person", help="Also tell whom it is about: names, CPR number, authorisation.")
]
SystemOption = Annotated[
    str | None, typer.Option("--it-system", metavar="NAME", help="The system in use [`card` of the profile].")
]
RoleOption = Annotated[str | None, typer.Option(metavar="CODE", help="Education code, national role, or other text.")]
AuthorisationOption = Annotated[
    str | None, typer.Option("--authorisation-code", metavar="CODE", help="Code from the authorisation register.")
]


@command(app, "issue")
def issue(
    session: Session,
    out: OutOption = None,
    replace: ReplaceOption = False,
    it_system: SystemOption = None,
    role: RoleOption = None,
    authorisation_code: AuthorisationOption = None,
    legacy: Annotated[
        bool, typer.Option("--legacy", help="Ask the old service, whose cards keep NameID as written.")
    ] = False,
    person: PersonOption = False,
) -> Exit:
    """Have the card of the profile signed by the token service, and check what comes back.

    A card holds for a day: where the profile names a folder for tokens, a good one that lies there is taken instead.
    """
    target = Target(session, out, replace=replace)
    options = Options(it_system=it_system, role=role, authorisation_code=authorisation_code)
    with open_service(session) as sts:
        card = card_source(session, sts, options, legacy=legacy)()
    target.write(card.xml)
    if not target.is_standard_output:
        telling.tell(session, telling.card(card, person=person), path=target.path)
    if out is None and "tokens" not in session.profile.table.values:
        session.out.note("govfile: note: the card was not kept; give --out PATH, or tokens in the profile")
    return Exit.DONE
