"""What can go wrong, on request: switches that may be set before or while the sandbox runs."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

import attrs

from govfile.sandbox.pki import ServerCertificate
from govfile.sandbox.switches import Switches

if TYPE_CHECKING:
    from datetime import datetime, timedelta


class LinkLoss(enum.Enum):
    """When the control connection is cut during an upload, and whether the file is there afterwards."""

    AT_STOR = "after 150, before any byte"
    DURING_DATA = "in the middle of the data"
    AFTER_DATA_KEPT = "before 226, file kept"
    AFTER_DATA_LOST = "before 226, file gone"


class Damage(enum.Enum):
    """What is wrong with the status files."""

    EMPTY = "no bytes"
    TRUNCATED = "the first half only"
    OVERSIZED = "32 MiB of blanks in it"
    DOCTYPE = "a document type"
    ENTITIES = "entities that grow a billionfold and one that names a local file"
    NOT_XML = "something else"
    UNKNOWN_ELEMENTS = "elements nobody published"


@attrs.define(kw_only=True)
class Faults(Switches):
    """Each switch stays on until it is set back; `during(...)` does both, `clear()` resets all.

    The conversation:
        `replies`: what is answered instead of doing the command, once for each entry, e.g.
            `{"STOR": ["450 Try later."], "AUTH": ["502 No."]}`. `"220"` stands for the greeting and `"226"` for the
            words after an upload's data (`keep_refused` says whether the file stays then). A reply is sent as it is:
            it may hold line ends, or 1 MB of them.
        `silent_at`: commands never answered; also `"220"`, `"TLS"` (AUTH is answered, the handshake is not) and
            `"226"`.
        `reply_delay`: seconds before every reply.
        `refuse_login`: the words in answer to the next passwords, whatever they are.
        `link_loss`: cut the control connection during uploads.
        `cut_downloads`: close the data connection of a download after so many bytes, without a TLS shutdown.
        `no_close_notify`: close data connections without a TLS shutdown.
        `disk_full`: uploads end with 552.
        `passive_address`, `passive_port`: what the PASV reply says instead of the truth (EPSV: the port only).
        `server_certificate`: what the server shows.
    Folders and listings:
        `roles_gone`: no service folder is visible.
        `extra_entries`: names that listings of `out` show beside the files; they cannot be fetched.
        `flood`: so many more such entries, each a status file's name.
        `raw_listing`: sent in place of every listing.
        `vanishing`: files in `out` are listed and gone when they are fetched.
    The back end:
        `away_until`: nothing is handed over before then; no status 0 says so.
        `statuses_late`: added to the time of every status.
        `missing`: status numbers that are never written.
        `reversed_statuses`: 3 comes first, 1 last.
        `repeat_statuses`: every status is written a second time, later.
        `damage`: what is wrong with the status files.
        `refuse_with`: a code; uploads are answered by a status 0 that carries it.
        `lose_files`: uploads are confirmed and never heard of again.
        `replace_answers`: an answer is replaced by another of the same name.
        `growing`: an answer is half written for so long after it first shows.
    """

    replies: dict[str, list[str]] = attrs.field(factory=dict)
    keep_refused: bool = False
    silent_at: frozenset[str] = frozenset()
    reply_delay: float = 0.0
    refuse_login: str | None = None
    link_loss: LinkLoss | None = None
    cut_downloads: int | None = None
    no_close_notify: bool = False
    disk_full: bool = False
    passive_address: str | None = None
    passive_port: int | None = None
    server_certificate: ServerCertificate = ServerCertificate.GOOD

    roles_gone: bool = False
    extra_entries: tuple[str, ...] = ()
    flood: int = 0
    raw_listing: bytes | None = None
    vanishing: bool = False

    away_until: datetime | None = None
    statuses_late: timedelta | None = None
    missing: frozenset[int] = frozenset()
    reversed_statuses: bool = False
    repeat_statuses: bool = False
    damage: Damage | None = None
    refuse_with: str | None = None
    lose_files: bool = False
    replace_answers: bool = False
    growing: timedelta | None = None

    def next_reply(self, command: str) -> str | None:
        """Take the next reply laid up for `command`, if there is one."""
        waiting = self.replies.get(command)
        return waiting.pop(0) if waiting else None
