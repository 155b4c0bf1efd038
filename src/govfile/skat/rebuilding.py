"""A ledger that knows nothing of a company: which names are used up is learnt from what lies in `out`."""

from __future__ import annotations

import io
import logging
import re
from typing import TYPE_CHECKING

from govfile.errors import GovfileError
from govfile.filing.lost import not_filed_here
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
    return ledger.burn_all(**scope.where(), names=_by_service(_used_names(session, services)), found="out")


def meet(ledger: Ledger, scope: Scope, session: Session, services: Services) -> int:
    """Rebuild before the first filing with a ledger that has never heard of the company; how many names are in use that
    nobody filed with it, 0 where it has heard of the company.
    """
    if ledger.knows_sender(**scope.where()):
        return 0
    in_use = _by_service(_used_names(session, services))
    # All at once: a ledger that holds some of them, after a crash, would look as if it knew the company.
    ledger.burn_all(**scope.where(), names=in_use, found="out")
    names = {name.casefold(): name for some in in_use.values() for name in some}
    return not_filed_here(ledger, scope, names.values())


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


def _by_service(found: Iterator[tuple[str, str]]) -> dict[str, set[str]]:
    by_service: dict[str, set[str]] = {}
    for service, name in found:
        if CAREFUL.allows(name):
            by_service.setdefault(service, set()).add(name)
    return by_service
