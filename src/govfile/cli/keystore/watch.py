"""`govfile keys watch`: a calendar of expiries, on the terminal or as one page."""

import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from govfile.cli.commands import command
from govfile.cli.escape import printable
from govfile.cli.exits import Exit
from govfile.cli.keystore import app
from govfile.cli.keystore.expiries import expiries, now, windows, within
from govfile.cli.session import Session

if TYPE_CHECKING:
    from datetime import datetime

    from govfile.cli.keystore.expiries import Expiry


@command(app, "watch")
def watch(
    session: Session,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Also write the calendar as one page.")
    ] = None,
    days: Annotated[
        float, typer.Option("--within", min=0, metavar="DAYS", help="Exit with 5 when something ends within so many.")
    ] = 7.0,
) -> Exit:
    """Show when every credential in use ends, whoever issued it, and when it can be renewed. Asks nobody.

    Exits with 5 when one has ended, ends within a week (--within), or cannot be read. The page needs nothing beside
    it; the one of an earlier run is replaced, any other file is not.
    """
    store = session.open_keys()
    at = now()
    found = expiries(store, windows(session), at)
    strays = [str(stray) for stray in store.strays()]
    _calendar(session, found)
    for stray in strays:
        session.out.note(f"govfile: {printable(stray)}")
    if html is not None:
        from govfile.cli.keystore.page import write_page

        write_page(html, found, strays, at)
        session.out.say(f"written: {printable(html)}")
        session.out.record("page", path=html)
    return _summary(session, found, strays, days)


def _calendar(session: Session, found: "list[Expiry]") -> None:
    """Month by month, the nearest end first."""
    for month, ending in itertools.groupby(found, key=lambda one: _month(one.expires)):
        session.out.say(month)
        for one in ending:
            _line(session, one)


def _month(at: "datetime | None") -> str:
    return "cannot be read" if at is None else f"{at:%Y-%m}"


def _line(session: Session, one: "Expiry") -> None:
    day = "" if one.expires is None else f"{one.expires:%d %H:%M}"
    left = "" if one.days is None else f"{one.days} days"
    what = one.problem or one.renewal
    session.out.say(f"  {day:<9}{left:>10}  {one.mark.value:<16}{printable(one.slot)}: {printable(what)}")
    session.out.record(
        "expiry",
        slot=str(one.slot),
        authority=one.slot.authority,
        environment=one.slot.environment,
        holder=one.slot.holder,
        expires=one.expires,
        days=one.days,
        mark=one.mark,
        renewal_opens=one.opens,
        is_pending=one.is_pending,
        problem=one.problem or None,
    )


def _summary(session: Session, found: "list[Expiry]", strays: list[str], days: float) -> Exit:
    near = within(found, days)
    code = Exit.CREDENTIAL if near or strays else Exit.DONE
    session.out.say(f"{len(found)} in use, {len(near)} ended, near their end or unreadable; times are UTC")
    session.out.record("summary", credentials=len(found), near=len(near), strays=len(strays), exit=int(code))
    return code
