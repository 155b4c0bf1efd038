"""How the transfer point behaves: what the authority leaves open is a switch here, with the likeliest default."""

from __future__ import annotations

import enum
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping


class Circuit(enum.Enum):
    """The letter in a file's name; `inbox` and `outbox` are the folders that go with it."""

    REAL = "R"
    CIRCUIT_TEST = "T"
    DECLARATION_TEST = "S"

    @property
    def inbox(self) -> str:
        """Where declarations go."""
        return _FOLDERS[self.value][0]

    @property
    def outbox(self) -> str:
        """Where answers come."""
        return _FOLDERS[self.value][1]


_FOLDERS = {"R": ("IN", "OUT"), "T": ("INTEST", "OUTTEST"), "S": ("INTEST-S", "OUTTEST-S")}
BY_INBOX = {circuit.inbox: circuit for circuit in Circuit}
FOLDERS = tuple(name for pair in _FOLDERS.values() for name in pair)


class Signing(enum.Enum):
    """Whether FS files must come with a set."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    FORBIDDEN = "forbidden"


class Layout(enum.Enum):
    """How a signature's base64 is laid out: the first two are published, the third is what working clients write."""

    SINGLE = "one line"
    COLUMNS_76_CR = "76 columns, separated by CR"
    COLUMNS_64_CRLF = "64 columns, separated by CR LF"


class NameScope(enum.Enum):
    """Within what, beside the sender, a sequence number is unique for ever."""

    PURPOSE = "purpose, date and environment"
    DAY = "date"


class HostKey(enum.Enum):
    """The kind of host key the server shows."""

    RSA = "ssh-rsa"
    ED25519 = "ssh-ed25519"


def _signing() -> Mapping[Circuit, Signing]:
    return MappingProxyType(
        {
            Circuit.REAL: Signing.REQUIRED,
            Circuit.CIRCUIT_TEST: Signing.OPTIONAL,
            Circuit.DECLARATION_TEST: Signing.OPTIONAL,
        }
    )


@attrs.frozen(kw_only=True)
class Schedule:
    """Seconds on the sandbox's clock; quick by default. Nothing is published about the real pace.

    `pickup` is from the last byte of a GO (or of a file with a wrong name) until its set is taken out of the inbox,
    `acrf` from there to the acknowledgement, `noti` from the acknowledgement to the notification, `more` between
    several. `go_missing` is how long FI and FS lie in the inbox without a GO before they are refused and removed.
    """

    pickup: float = 0.02
    acrf: float = 0.03
    noti: float = 0.06
    more: float = 0.03
    go_missing: float = 3600.0

    @classmethod
    def lifelike(cls) -> Schedule:
        """What flow charts and clients' samples suggest: acknowledged within minutes, answered the next day."""
        return cls(pickup=60, acrf=300, noti=20 * 3600, more=60, go_missing=24 * 3600)


@attrs.frozen(kw_only=True)
class Settings:
    """The transfer point's habits.

    `port` 0 takes any free one. `host_key` is the kind of key it shows. `signing` says per environment whether FS is
    needed; `layouts` are the ways of writing base64 it reads; `accepts_sha1` is its published tolerance of an old
    digest. `any_issuer` takes registered signing certificates whoever issued them. `short_names` allows names that end
    after the environment, as older declarations of social risks did. `oldest` is the age at which a name's date is too
    old. `most_parts`, `most_forms` and `largest` (bytes of one FI) are limits. `encodings` are those of a declaration's
    XML. `schema_required` refuses declarations that name no schema. `frees_refused_names` lets a name be used again
    after a refusal. `answers_cancel` acknowledges a TD by ACRF-277.

    Rights in the inboxes: `may_overwrite`, `may_delete`, `may_rename`; `honours_exclusive` refuses to open an existing
    file with the exclusive flag. `clears_inbox` removes what was taken. In the outboxes `may_delete_answers`, and
    `retention` is the age at which answers vanish (None: never).
    """

    port: int = 0
    host_key: HostKey = HostKey.RSA
    signing: Mapping[Circuit, Signing] = attrs.field(factory=_signing)
    layouts: frozenset[Layout] = frozenset(Layout)
    accepts_sha1: bool = True
    any_issuer: bool = False
    short_names: bool = True
    name_scope: NameScope = NameScope.PURPOSE
    oldest: timedelta = timedelta(days=365)
    most_parts: int = 9
    most_forms: int = 10_000
    largest: int = 35_000_000
    encodings: frozenset[str] = frozenset({"utf-8", "us-ascii", "iso-8859-1"})
    schema_required: bool = False
    frees_refused_names: bool = False
    answers_cancel: bool = True

    may_overwrite: bool = True
    may_delete: bool = False
    may_rename: bool = False
    honours_exclusive: bool = True
    clears_inbox: bool = True
    may_delete_answers: bool = True
    retention: timedelta | None = None
