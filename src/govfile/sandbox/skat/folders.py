"""What one login sees: folders by layout and role, uploads still waiting, and `out`."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

import attrs

from govfile.sandbox.skat.services import ALL
from govfile.sandbox.skat.settings import Layout

if TYPE_CHECKING:
    from datetime import datetime

    from govfile.sandbox.skat.backend import BackEnd
    from govfile.sandbox.skat.faults import Faults
    from govfile.sandbox.skat.identities import Identity, Registry
    from govfile.sandbox.skat.settings import Settings

OUT = "out"
LOGIN_INFORMATION = ("NyFTPSLoginInfo", "Ny_FTPS_Login_Info.txt")


class Place(enum.Enum):
    """What a path leads to."""

    FOLDER = "a folder on the way"
    SERVICE = "a service folder"
    OUT = "out"
    IN_SERVICE = "a file in a service folder"
    IN_OUT = "a file in out"
    INFORMATION = "the login information"
    NOWHERE = "nothing this login can see"


@attrs.frozen(kw_only=True)
class Entry:
    """One line of a listing."""

    name: str
    is_folder: bool
    size: int
    modified: datetime


@attrs.frozen(kw_only=True)
class Spot:
    """A path, understood: whose certificate folder, which folder in it, which file."""

    place: Place
    identity: Identity | None = None
    folder: str = ""
    name: str = ""


@attrs.frozen(kw_only=True)
class View:
    """The tree as one identity sees it. Paths are absolute, as the FTP client writes them."""

    identity: Identity
    registry: Registry
    back_end: BackEnd
    settings: Settings
    faults: Faults

    # --- which folders

    def services(self, owner: Identity) -> tuple[str, ...]:
        """The service folders visible in `owner`'s certificate folder."""
        if self.faults.roles_gone:
            return ()
        if self.settings.all_folders_visible:
            return ALL
        registration = self.registry.get(owner.username)
        return registration.visible(self.back_end.run_due()) if registration else ()

    def _owners(self) -> dict[str, Identity]:
        """Certificate folders in the company's folder: one's own, or on the retired gateway all of them."""
        if not self.settings.all_folders_visible:
            return {self.identity.certificate_folder: self.identity}
        found = (registration.identity for registration in self.registry.of_company(self.identity.cvr))
        return {identity.certificate_folder: identity for identity in found}

    def _has_out(self, owner: Identity) -> bool:
        return self.settings.out_from_start or bool(self.back_end.outbox(owner))

    # --- understanding a path

    def spot(self, path: str) -> Spot:
        """What `path` leads to."""
        parts = [part for part in path.split("/") if part]
        if self.settings.layout is Layout.ROOT:
            if not parts:
                return Spot(place=Place.FOLDER)
            if parts.pop(0) != self.identity.company_folder:
                return Spot(place=Place.NOWHERE)
        if self.settings.layout is Layout.CERTIFICATE:
            return self._inside(self.identity, parts)
        if not parts:
            return Spot(place=Place.FOLDER)
        owner = self._owners().get(parts.pop(0))
        return self._inside(owner, parts) if owner else Spot(place=Place.NOWHERE)

    def _inside(self, owner: Identity, parts: list[str]) -> Spot:
        if not parts:
            return Spot(place=Place.FOLDER, identity=owner)
        folder, *rest = parts
        if len(rest) > 1:
            return Spot(place=Place.NOWHERE)
        name = rest[0] if rest else ""
        if folder == OUT and self._has_out(owner):
            return Spot(place=Place.IN_OUT if rest else Place.OUT, identity=owner, folder=folder, name=name)
        if folder in self.services(owner):
            return Spot(place=Place.IN_SERVICE if rest else Place.SERVICE, identity=owner, folder=folder, name=name)
        if self.settings.all_folders_visible and folder == LOGIN_INFORMATION[0]:
            if not rest:
                return Spot(place=Place.FOLDER, identity=owner, folder=folder)
            if name == LOGIN_INFORMATION[1]:
                return Spot(place=Place.INFORMATION, identity=owner, folder=folder, name=name)
        return Spot(place=Place.NOWHERE)

    # --- what is there

    def entries(self, path: str) -> list[Entry] | None:
        """The entries of a folder; None when `path` is not one."""
        spot, now = self.spot(path), self.back_end.run_due()
        if spot.place is Place.OUT and spot.identity:
            files = self.back_end.outbox(spot.identity)
            return [
                Entry(name=name, is_folder=False, size=len(found.seen(now)), modified=found.modified)
                for name, found in sorted(files.items())
            ]
        if spot.place is Place.SERVICE and spot.identity:
            held = self.back_end.held(spot.identity, spot.folder)
            return [Entry(name=name, is_folder=False, size=size, modified=now) for name, size in sorted(held.items())]
        if spot.place is not Place.FOLDER:
            return None
        if spot.folder == LOGIN_INFORMATION[0]:
            size = len(self.login_information(spot.identity or self.identity))
            return [Entry(name=LOGIN_INFORMATION[1], is_folder=False, size=size, modified=now)]
        return [Entry(name=name, is_folder=True, size=0, modified=now) for name in self._subfolders(path, spot)]

    def _subfolders(self, path: str, spot: Spot) -> list[str]:
        if spot.identity is not None:
            information = [LOGIN_INFORMATION[0]] if self.settings.all_folders_visible else []
            out = [OUT] if self._has_out(spot.identity) else []
            return sorted([*self.services(spot.identity), *information, *out])
        if self.settings.layout is Layout.ROOT and not path.strip("/"):
            return [self.identity.company_folder]
        return sorted(self._owners())

    def read(self, path: str) -> bytes | None:
        """The bytes of a file that may be fetched; None when there is none."""
        spot, now = self.spot(path), self.back_end.run_due()
        if spot.place is Place.INFORMATION:
            return self.login_information(spot.identity or self.identity)
        if spot.place is not Place.IN_OUT or spot.identity is None or self.faults.vanishing:
            return None
        found = self.back_end.outbox(spot.identity).get(spot.name)
        return found.seen(now) if found else None

    def login_information(self, owner: Identity) -> bytes:
        """The file that carried the new gateway's password during the migration; its format is not published."""
        text = f"Brugernavn: {owner.username}\r\nAdgangskode: {owner.password.reveal()}\r\n"
        return text.encode("latin-1")
