"""What can go wrong, on request: switches that may be set before or while the sandbox runs."""

from __future__ import annotations

import enum
import threading
from datetime import timedelta

import attrs

from govfile.sandbox.switches import Switches


class Spoilt(enum.Enum):
    """What is wrong with the signature of a token (a card, an assertion)."""

    ALTERED = "a value changed after signing"
    REINDENTED = "pretty-printed after signing"
    UNSIGNED = "no signature"
    EMPTY = "an empty signature value"
    OTHER_KEY = "another key signed under the STS's certificate"
    STRANGER = "signed by somebody else of the same name"
    WRONG_SUBJECT = "signed by a good certificate that is no STS's"
    EXPIRED = "the STS's certificate is over"
    TWICE = "two signatures"
    COMMENTED = "a comment within a value, which canonical XML leaves out"


class Envelope(enum.Enum):
    """What is wrong with the signature of the answer's envelope."""

    UNSIGNED = "no signature"
    ALTERED = "a header changed after signing"
    BODY_LEFT_OUT = "the body is not among the signed parts"
    STRANGER = "signed by somebody else of the same name"
    OTHER_BODY = "the signed body moved into the header, another in its place"


class Wrapping(enum.Enum):
    """Where the genuine token went after a forged one took its place; the numbers are those of the literature."""

    XSW1 = "forged around the signature, the genuine one inside it"
    XSW2 = "forged, with a detached signature beside the genuine one"
    XSW3 = "forged before the genuine one"
    XSW4 = "forged around the genuine one"
    XSW5 = "forged keeps the signature, the genuine one follows without"
    XSW6 = "forged keeps the signature, and the genuine one inside it"
    XSW7 = "forged within an extension before the genuine one, same id"
    XSW8 = "genuine within an Object of the forged one's signature"
    XSW10 = "the signature moved up, the genuine one within an Object"


class Other(enum.Enum):
    """What an answer has that was not asked for."""

    ID = "another card id"
    CVR = "another company"
    CPR = "another person"
    TYPE = "a system card for a user card and the reverse"
    LEVEL = "another level"
    VERSION = "another DGWS version"
    AUDIENCE = "another audience in AppliesTo and in the token"
    CONTEXT = "another Context"
    RELATION = "RelatesTo names another message"


@attrs.define(kw_only=True)
class Faults(Switches):
    """Each switch stays on until it is set back; `during(...)` does both, `clear()` resets all.

    They hold for requests to the services named in `only` (names as in `SosiSandbox.answered`; all where empty).

    The line:
        `delay`: seconds before every answer; `piece` and `pause`: an answer in pieces of so many bytes, so many
            seconds apart.
        `drop_before`, `drop_after`: the connection breaks once the request was read, before or after it was handled.
        `cut_after`: it breaks after so many bytes of the answer.
        `flood`: so many blanks follow the answer.
    HTTP:
        `status`: the status of every answer, refusals and tokens alike.
        `page`: an HTML page in place of every answer.
        `empty`: no body.
        `redirect`: 307 to this address.
        `retry_after`: seconds in a Retry-After header, to go with `status`.
        `content_type`: another one than `text/xml`.
        `mtom`: the answer is the root of a multipart message; `optimised` makes a part of its first certificate.
        `soap12`: the answer's envelope is one of SOAP 1.2.
        `doctype`: a document type stands before it.
    Times:
        `date_off`: the HTTP Date and all times of the STS are off by so much: its clock is wrong, or yours is.
        `stale`: only the times in answers (timestamp, lifetime, token) are moved back by so much.
    Content:
        `spoilt`, `envelope`, `wrapped`, `other`: see `Spoilt`, `Envelope`, `Wrapping`, `Other`.
        `renewed`: the STS signs with its next certificate, of the same name and with another key.
        `replay`: the last good answer of the service comes again, word for word.
        `refuse`: (code, actor, words) of a fault to answer every request with.
        `lookup_failures`: so many times the register behind the STS does not answer.
    """

    only: frozenset[str] = frozenset()

    delay: float = 0.0
    piece: int = 1 << 16
    pause: float = 0.0
    drop_before: bool = False
    drop_after: bool = False
    cut_after: int | None = None
    flood: int = 0

    status: int | None = None
    page: bool = False
    empty: bool = False
    redirect: str | None = None
    retry_after: int | None = None
    content_type: str | None = None
    mtom: bool = False
    optimised: bool = False
    soap12: bool = False
    doctype: bool = False

    date_off: timedelta = timedelta()
    stale: timedelta = timedelta()

    spoilt: Spoilt | None = None
    envelope: Envelope | None = None
    wrapped: Wrapping | None = None
    other: Other | None = None
    renewed: bool = False
    replay: bool = False
    refuse: tuple[str, str, str] | None = None
    lookup_failures: int = 0

    def takes_lookup_failure(self) -> bool:
        """Use up one failure of the register, where there is one left."""
        with _counting:
            if self.lookup_failures <= 0:
                return False
            self.lookup_failures -= 1
            return True

    def for_service(self, name: str) -> Faults:
        """These faults where they hold for the service, none otherwise."""
        return self if not self.only or name in self.only else Faults()


_counting = threading.Lock()
