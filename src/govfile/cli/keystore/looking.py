"""`govfile keys list`, `show`: what the key store holds. No key is opened."""

from typing import TYPE_CHECKING, Annotated

import typer

from govfile.cli import exits
from govfile.cli.commands import command
from govfile.cli.escape import printable
from govfile.cli.exits import Exit
from govfile.cli.generations import generation_fields
from govfile.cli.keystore import app
from govfile.cli.keystore.expiries import now
from govfile.cli.keystore.place import find_slot
from govfile.cli.output import moment
from govfile.cli.session import Session
from govfile.errors import CredentialError

if TYPE_CHECKING:
    from govfile.certificates.keystore import Generation, KeyStore, Pending, SlotId

#: Notes that say nothing to a person: an answer as it came, and by what spent codes are known again.
_UNTOLD = frozenset({"kept", "kept_type", "kept_status", "spent"})

SlotArgument = Annotated[
    str, typer.Argument(metavar="SLOT|HOLDER", help="authority/environment/holder, or the holder alone.")
]


@command(app, "list")
def list_(session: Session) -> Exit:
    """List the slots of the key store: whose they are, what is in use and until when, and what waits.

    A slot that cannot be read is named, and the others are listed; the exit code is then 5.
    """
    store = session.open_keys()
    rows: list[tuple[object, ...]] = []
    codes = [Exit.DONE]
    for slot in store.slots():
        try:
            rows.append(_row(session, store, slot))
        except CredentialError as error:
            session.out.error(error, about=slot)
            codes.append(exits.of_error(error))
    for stray in store.strays():
        session.out.note(f"govfile: {printable(stray)}")
        codes.append(Exit.CREDENTIAL)
    if rows:
        session.out.table(("slot", "generation", "expires (UTC)", "days", "pending"), rows)
    session.out.say(f"{len(rows)} slot{'' if len(rows) == 1 else 's'}")
    return exits.worst(codes)


def _row(session: Session, store: "KeyStore", slot: "SlotId") -> tuple[object, ...]:
    current, pending = store.current(slot), store.pending(slot)
    days = None if current is None else (current.expires - now()).days
    session.out.record(
        "slot",
        slot=str(slot),
        authority=slot.authority,
        environment=slot.environment,
        holder=slot.holder,
        generation=current.number if current else None,
        expires=current.expires if current else None,
        days=days,
        pending=pending.number if pending else None,
    )
    number, expires = (current.number, moment(current.expires)) if current else ("none", "")
    return slot, number, expires, "" if days is None else days, pending.number if pending else ""


@command(app, "show")
def show(session: Session, which: SlotArgument) -> Exit:
    """Show one slot: every generation with its dates, fingerprint and files, and the request that waits."""
    store = session.open_keys()
    slot = find_slot(store, which)
    found, pending = store.generations(slot), store.pending(slot)
    session.out.say(printable(slot))
    for generation in found:
        _generation(session, generation)
    if pending is not None:
        _pending(session, pending)
    if not any(generation.is_current for generation in found):
        session.out.say("  nothing is in use")
    return Exit.DONE


def _generation(session: Session, found: "Generation") -> None:
    state = "in use" if found.is_current else "kept"
    if found.expires < now():
        state += ", expired"
    session.out.say(f"  generation {found.number} ({state})")
    for label, value in (
        ("valid from", f"{moment(found.valid_from)} UTC"),
        ("expires", f"{moment(found.expires)} UTC"),
        ("subject", found.certificate.subject.rfc4514_string()),
        ("issuer", found.certificate.issuer.rfc4514_string()),
        ("sha256", found.fingerprint),
        ("folder", found.folder),
    ):
        session.out.say(f"    {label + ':':<12}{printable(value)}")
    session.out.record("generation", **generation_fields(found))


def _pending(session: Session, found: "Pending") -> None:
    notes = {key: value for key, value in found.notes.items() if value and key not in _UNTOLD}
    session.out.say(f"  generation {found.number} (pending since {moment(found.created)} UTC)")
    for key, value in sorted(notes.items()):
        session.out.say(f"    {printable(key) + ':':<14}{printable(value)}")
    session.out.record("pending", slot=str(found.slot), generation=found.number, created=found.created, notes=notes)
