"""Where things are after a login: service folders and `out`, whatever folder the gateway starts a login in.

The authority's pages give the path `/CVR_<8>/<KIND>_<id>/<service>` and say that `out` stands beside the service
folders; they do not say which of these levels a login starts in. So it is found out, after every login.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

import attrs

from govfile.errors import NotAuthorised, ProtocolError
from govfile.transports.base import join

if TYPE_CHECKING:
    from collections.abc import Mapping

    from govfile.skat.username import Login
    from govfile.transports.base import FileTransport, RemoteFile

OUT = "out"

COMPANY_FOLDER = re.compile(r"CVR_[0-9]{8}", re.IGNORECASE)
CERTIFICATE_FOLDER = re.compile(r"(UID|RID|FID|UI)_[0-9A-Za-z-]+", re.IGNORECASE)
_LEVELS = 4


@attrs.frozen(kw_only=True)
class Layout:
    """The certificate's folder, the service folders seen in it (name → path), and the path of `out` (None: absent)."""

    home: str
    services: Mapping[str, str]
    out: str | None = None

    def folder_of(self, service: str, *, endpoint: str = "") -> str:
        """The path of a service's folder; raises `NotAuthorised`, listing what is visible, when it is not there."""
        found = self.services.get(service)
        if found is None:
            raise not_visible(service, tuple(self.services), endpoint=endpoint)
        return found


def discover(transport: FileTransport, login: Login) -> Layout:
    """Walk from the folder a login starts in to the certificate's own; one listing a level, nothing remembered.

    Raises what `FileTransport.list` raises, and `ProtocolError` when the folders never end.
    """
    here = transport.home()
    for _ in range(_LEVELS):
        entries = transport.list(here)
        names = {entry.name: entry for entry in entries}
        if OUT in names:
            return _layout(here, entries)
        below = _inner(names, login)
        if below is None:
            return _layout(here, entries)
        here = join(here, below)
    raise ProtocolError(
        f"no certificate folder was found within {_LEVELS} levels below the start folder",
        operation="discover",
        endpoint=transport.endpoint,
    )


def not_visible(service: str, visible: tuple[str, ...], *, endpoint: str = "") -> NotAuthorised:
    """The error for a service whose folder is not there, with the ways round."""
    seen = ", ".join(visible) if visible else "none"
    return NotAuthorised(
        f"the service {service!r} is not visible for this certificate; visible: {seen}",
        visible=visible,
        certain="nothing was sent",
        advice=(
            "check the spelling (case counts) and the certificate's roles; roles reach the gateway once an hour, so "
            "wait that long after a change; a company whose duty is registered on an SE number cannot use the gateway "
            "itself: let the legal unit with the CVR number file as its agent"
        ),
        operation="submit",
        endpoint=endpoint,
    )


def _inner(names: Mapping[str, RemoteFile], login: Login) -> str | None:
    """The folder one level further in, when this is not the certificate's own yet."""
    for wanted in (login.folder, login.company_folder):
        if wanted is None:
            continue
        if wanted in names:
            return wanted
        alike = [name for name in names if name.casefold() == wanted.casefold()]
        if len(alike) == 1:
            return alike[0]
    if login.folder is not None:
        return None
    for form in (CERTIFICATE_FOLDER, COMPANY_FOLDER):  # nothing known of ourselves: follow the only way there is
        fitting = [name for name in names if form.fullmatch(name)]
        if len(fitting) == 1 and len(names) == 1:
            return fitting[0]
    return None


def _layout(here: str, entries: list[RemoteFile]) -> Layout:
    """Servers that list bare names do not tell folders from files; then every name counts as a folder."""
    typed = any(entry.is_folder or entry.size is not None for entry in entries)
    folders = [entry.name for entry in entries if entry.is_folder or not typed]
    hidden = {OUT, ".", ".."}
    services = {
        name: join(here, name)
        for name in folders
        if name not in hidden and not COMPANY_FOLDER.fullmatch(name) and not CERTIFICATE_FOLDER.fullmatch(name)
    }
    return Layout(home=here, services=MappingProxyType(services), out=join(here, OUT) if OUT in folders else None)
