"""What can go wrong, on request: switches that may be set before or while the sandbox runs."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

import attrs

from govfile.sandbox.pki import ServerCertificate
from govfile.sandbox.switches import Switches

if TYPE_CHECKING:
    from datetime import timedelta


class Lost(enum.Enum):
    """Whether a request was carried out when the link was lost."""

    BEFORE = "before it is carried out"
    AFTER = "carried out, before the answer"
    DURING = "carried out, in the middle of the answer"


class Damage(enum.Enum):
    """What comes in place of an answer. The request was carried out all the same."""

    HTML = "502 with a page in HTML"
    EMPTY = "200 without a body"
    NO_CONTENT = "204"
    REDIRECT = "307 to another host"
    GZIP_BOMB = "200 MB of blanks in a gzip"
    WRONG_CHARSET = "Latin-1 that says it is UTF-8"
    ENDLESS = "a chunk that never ends"
    NOT_XML = "something else"
    TRUNCATED = "the first half only, with a length that fits"
    DOCTYPE = "a document type"
    ENTITIES = "entities that grow a billionfold and one that names a local file"
    DEEP = "300 levels of elements in it"
    HUGE = "200 MB of blanks after it"
    SOAP_12 = "an envelope of SOAP 1.2"


class Spoilt(enum.Enum):
    """What is wrong with an answer's signature."""

    MISSING = "there is none"
    TAMPERED = "a value was changed after signing"
    TWICE = "there are two of them"
    WRAPPED = "the signed answer lies inside another that nobody signed"
    STRANGER = "made by somebody the authority does not know"
    WRONG_AUTHORITY = "made with a certificate of the customers' authority"
    EXPIRED = "the signer's certificate is over"
    KEY_ONLY = "no certificate in it"


class Wrong(enum.Enum):
    """What is wrong with a signed answer's content."""

    OTHER_OPERATION = "the answer to another operation"
    REPLAYED = "the answer given before"
    UNKNOWN_ELEMENT = "an element nobody published"
    UNKNOWN_STATUS = "a status nobody published"
    NOTHING_IN_IT = "OK, and nothing else"


class Forged(enum.Enum):
    """What is wrong with a certificate when it is issued."""

    OTHER_KEY = "for another key"
    OTHER_CUSTOMER = "for another customer"
    WRONG_AUTHORITY = "issued by the authority that signs answers"
    STRANGER = "issued by somebody nobody knows, under the right name"
    EXPIRED = "over since yesterday"
    NOT_YET = "not valid before tomorrow"
    SHORT = "valid for a month"
    AN_AUTHORITY = "allowed to issue certificates itself"
    JUNK = "no certificate"
    PEM = "in PEM, where DER belongs"


@attrs.frozen(kw_only=True)
class SoapFault:
    """A SOAP fault sent in place of an answer; `code` may have a prefix of its own. The request is not carried out."""

    code: str = "Server"
    words: str = "out of order"
    status: int = 500
    is_12: bool = False


@attrs.define(kw_only=True)
class Faults(Switches):
    """Each switch stays on until it is set back; `during(...)` does both, `clear()` resets all.

    `at`: only these operations (`renewCertificate`, `SendEcho`, …) are touched; none named: all.
    `lost`, `damage`, `spoilt`, `wrong`, `forged`, `soap_fault`: see their types.
    `fail_with`: codes and messages of a signed FAIL; the request is not carried out.
    `never_ready`: certificates are never there.
    `status`: the HTTP status of answers that are otherwise right.
    `retry_after`: 503 with this Retry-After, and nothing is carried out.
    `delay`: seconds before an answer; `pause`: seconds between its pieces of 100 bytes.
    `date_off`: how far the server's Date is from the sandbox's clock.
    `server_certificate`: what both servers show.
    `refuses_clients`: the register lets nobody's certificate in.
    `final_status`: the `DeliveryDataStatus` records end in; `faulty_reports`: the reports found wrong, by `ReportId`.
    """

    at: frozenset[str] = frozenset()
    lost: Lost | None = None
    damage: Damage | None = None
    spoilt: Spoilt | None = None
    wrong: Wrong | None = None
    forged: Forged | None = None
    soap_fault: SoapFault | None = None
    fail_with: tuple[tuple[str, str], ...] = ()
    never_ready: bool = False
    status: int | None = None
    retry_after: str | None = None
    delay: float = 0.0
    pause: float = 0.0
    date_off: timedelta | None = None
    server_certificate: ServerCertificate = ServerCertificate.GOOD
    refuses_clients: bool = False
    final_status: int | None = None
    faulty_reports: frozenset[str] = frozenset()

    def touching(self, operation: str) -> Faults:
        """These faults as far as they touch an operation: all of them, or none."""
        return self if not self.at or operation in self.at else Faults()
