"""What can go wrong, on request: switches that may be set before or while the sandbox runs."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

import attrs

from govfile.sandbox.switches import Switches

if TYPE_CHECKING:
    from datetime import datetime, timedelta


class When(enum.Enum):
    """Whether a request was carried out when the connection dropped."""

    BEFORE = "before it is carried out"
    AFTER = "carried out, before the reply"


class Damage(enum.Enum):
    """What is wrong with an answer's XML."""

    EMPTY = "no bytes"
    TRUNCATED = "the first half only"
    OVERSIZED = "32 MiB of blanks in it"
    DOCTYPE = "a document type"
    ENTITIES = "entities that grow a billionfold and one that names a local file"
    NOT_XML = "something else"
    UNKNOWN_ELEMENTS = "elements nobody published"
    WRONG_ENCODING = "UTF-16 that says it is UTF-8"


class Spoilt(enum.Enum):
    """What is wrong with an answer's signature."""

    MISSING = "no FS file"
    OTHER_CONTENT = "made over other bytes"
    EXPIRED = "the institution's certificate is over"
    GARBAGE = "base64 of nothing sensible"


class Trick(enum.Enum):
    """What is wrong with a compressed answer (CO)."""

    BOMB = "256 MiB of blanks in one"
    TWO_ENTRIES = "a zip of two files"
    CLIMBING_NAME = "a zip whose entry wants to leave the folder"


@attrs.define(kw_only=True)
class Drop:
    """Cut the connection at the `request`-th SFTP request from now (the first is 1), before or after doing it.

    Only requests of the kind `only` (`open`, `write`, `close`, `stat`, `scandir`, `read`, `remove`, …) count where
    that is given, and only those on names that begin with `on`. It happens once.
    """

    request: int = 1
    when: When = When.BEFORE
    only: str | None = None
    on: str = ""

    def falls_on(self, operation: str, name: str) -> bool:
        """Count a request; True when it is the one."""
        if (self.only is None or operation == self.only) and name.startswith(self.on):
            self.request -= 1
            return self.request == 0
        return False


@attrs.define(kw_only=True)
class Faults(Switches):
    """Each switch stays on until it is set back; `during(...)` does both, `clear()` resets all.

    The connection (those marked * count for connections made after they are set):
        `sha1_only`*: logins are accepted with `ssh-rsa` (SHA-1) signatures only.
        `hides_signatures`*: the server does not say which signatures it accepts (no `server-sig-algs`).
        `other_host_key`*: another host key is shown.
        `refuse_login`: nobody gets in.
        `drop`: see `Drop`.
        `cut_after_received`, `cut_after_sent`*: cut the line after so many bytes from, or to, the client; handshake
            and login count.
        `rekey_after`*: the server asks for new session keys each time it has sent so many bytes.
        `banner`*: a text sent before the login.
        `delay`: seconds before every SFTP request is carried out.
        `silent_at`: kinds of request (as in `Drop`) that are never answered.
        `loses_open_files`: when a line breaks, files that were not closed vanish; else they stay as far as they came.
    Files:
        `forbids_stat`: the attributes of files are nobody's business.
        `hides_sizes`: attributes come without sizes.
        `disk_full_after`: so many bytes of one file can be written, the next write fails.
        `refuse_close`: closing a file that was written fails; the file is gone.
        `refuse_open`: files cannot be opened for writing.
        `missing_folders`: these folders do not exist.
        `extra_entries`: names that listings of the outboxes show beside the files; they cannot be fetched.
        `flood`: so many more such entries, each called like an answer.
        `vanishing`: answers are listed and gone when they are fetched.
        `cut_downloads`: an answer's reading fails after so many bytes.
    The transfer point:
        `moves_at_once`: files leave the inbox the moment they are closed.
        `away_until`: nothing is picked up or answered before then.
        `no_acrf`, `no_noti`: such answers never come.
        `no_go`: answers come without their GO.
        `go_late`: the time between an answer and its GO.
        `growing`: an answer is half written for so long after it first shows.
        `damage`, `spoilt`, `trick`: what is wrong with the content, the signature, the compression of answers.
        `repeat`: every answer comes a second time under another name.
        `strangers`: before each acknowledgement comes one for another sender's file.
    """

    sha1_only: bool = False
    hides_signatures: bool = False
    other_host_key: bool = False
    refuse_login: bool = False
    drop: Drop | None = None
    cut_after_received: int | None = None
    cut_after_sent: int | None = None
    rekey_after: int | None = None
    banner: str | None = None
    delay: float = 0.0
    silent_at: frozenset[str] = frozenset()
    loses_open_files: bool = False

    forbids_stat: bool = False
    hides_sizes: bool = False
    disk_full_after: int | None = None
    refuse_close: bool = False
    refuse_open: bool = False
    missing_folders: frozenset[str] = frozenset()
    extra_entries: tuple[str, ...] = ()
    flood: int = 0
    vanishing: bool = False
    cut_downloads: int | None = None

    moves_at_once: bool = False
    away_until: datetime | None = None
    no_acrf: bool = False
    no_noti: bool = False
    no_go: bool = False
    go_late: timedelta | None = None
    growing: timedelta | None = None
    damage: Damage | None = None
    spoilt: Spoilt | None = None
    trick: Trick | None = None
    repeat: bool = False
    strangers: bool = False
