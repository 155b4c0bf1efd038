"""A ledger that knows nothing of a company: which names are used up is learnt from what lies in `out`."""

from __future__ import annotations

import io
import logging
import re
from typing import TYPE_CHECKING

from govfile.errors import GovfileError, LedgerError, Retry
from govfile.filing.names import CAREFUL
from govfile.filing.status import STATUS_LIMIT
from govfile.skat.status import StatusFile, StatusName
from govfile.transports.base import join

if TYPE_CHECKING:
    from collections.abc import Iterator

    from govfile.filing.ledger import Ledger
    from govfile.filing.scope import Scope
    from govfile.skat.services import Services
    from govfile.skat.session import Session
    from govfile.transports.base import FileTransport

logger = logging.getLogger("govfile.skat")

_SHORTEST_SUFFIX = 8


def rebuild(ledger: Ledger, scope: Scope, session: Session, services: Services) -> int:
    """Burn every name that `out` shows to be used up; returns how many were new to the ledger."""
    return _burn(ledger, scope, _used_names(session, services))[1]


def meet(ledger: Ledger, scope: Scope, session: Session, services: Services) -> int:
    """Rebuild before the first filing with a ledger that has never heard of the company; how many names are in use
    then, 0 where it has heard of it.
    """
    if ledger.knows_sender(authority=scope.authority, environment=scope.environment, sender=scope.sender):
        return 0
    return _burn(ledger, scope, _used_names(session, services))[0]


def is_lost(scope: Scope, in_use: int) -> LedgerError:
    """What to say before a fresh name is made: nothing else would notice that a document was filed before a ledger was
    lost.
    """
    return LedgerError(
        f"the ledger knows nothing of {scope.sender}, but the gateway shows {in_use} names in use",
        certain="nothing was sent; those names are burnt in the ledger now",
        advice="if a ledger was lost, restore it; if not, submit again: whether the document was filed before "
        "under another name, only you can know",
        operation="submit",
        retry=Retry.AFTER_A_LOOK,
    )


def _used_names(session: Session, services: Services) -> Iterator[tuple[str, str]]:
    """Every (service, upload name) the files in `out` show to be used up. One that cannot be told apart from others is
    given in each way it can be read: a name too many does no harm, one too few does.
    """
    with session.conversation() as transport:
        out, entries = session.list_out(transport)
        known = {*session.layout(transport).services, *services.own}
        for entry in entries:
            name = StatusName.parse(entry.name)
            if name is None:
                yield from _from_answer(entry.name, known)
                continue
            readings = [reading for reading in name.readings() if reading[0] in known]
            yield from readings or _from_content(transport, join(out, entry.name), name)


def _from_content(transport: FileTransport, path: str, name: StatusName) -> Iterator[tuple[str, str]]:
    """A status of a service that is not visible: its content gives the name, or else every reading of its own name."""
    content = io.BytesIO()
    try:
        transport.get(path, content, limit=STATUS_LIMIT)
        status = StatusFile.read(name, content.getvalue())
    except GovfileError as error:
        logger.info("a status file could not be fetched: %s", type(error).__name__)
        yield from name.readings()
        return
    told = [(block.folder or block.service or "unknown", block.upload) for block in status.blocks if block.upload]
    yield from told or name.readings()


def _from_answer(remote_name: str, known: set[str]) -> Iterator[tuple[str, str]]:
    """Answers carry the upload's name behind prefixes, the last of which is a service."""
    for place in reversed([cut.end() for cut in re.finditer("_", remote_name)]):
        service = next((found for found in known if remote_name[:place].endswith(f"{found}_")), None)
        if service is not None and remote_name[place:]:
            yield service, remote_name[place:]
            return
    for place in (cut.end() for cut in re.finditer("_", remote_name)):
        if len(remote_name) - place >= _SHORTEST_SUFFIX:
            yield "unknown", remote_name[place:]


def _burn(ledger: Ledger, scope: Scope, found: Iterator[tuple[str, str]]) -> tuple[int, int]:
    """Claim the names without content, so that nothing is filed under them again; how many there are, and how many were
    new. All at once: a ledger that knows some of them would look as if it knew the company.
    """
    by_service: dict[str, set[str]] = {}
    for service, name in found:
        if CAREFUL.allows(name):
            by_service.setdefault(service, set()).add(name)
    in_use = len({name.casefold() for names in by_service.values() for name in names})
    return in_use, ledger.burn_all(**scope.where(), names=by_service, found="out")
