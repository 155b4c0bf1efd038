"""How the sandbox behaves where the authority's papers are silent, and what they say where they are not."""

from __future__ import annotations

import enum
from datetime import timedelta

import attrs

from govfile.sandbox.vero.signing import Form


class Code(enum.Enum):
    """The sandbox's error codes, in the authority's form. Its own list is not public: the numbers here are made up."""

    WRONG_ENVIRONMENT = "PKI901"
    UNKNOWN_CODES = "PKI902"
    USED_CODES = "PKI903"
    LAPSED_CODES = "PKI904"
    UNREADABLE_REQUEST = "PKI905"
    UNPROVEN_KEY = "PKI906"
    WRONG_KEY_SIZE = "PKI907"
    BAD_SIGNATURE = "PKI908"
    FOREIGN_CERTIFICATE = "PKI909"
    EXPIRED_CERTIFICATE = "PKI910"
    TOO_EARLY = "PKI911"
    SAME_KEY = "PKI912"
    WRONG_CUSTOMER = "PKI913"
    UNKNOWN_RETRIEVAL = "PKI914"
    RENEWED_ALREADY = "PKI915"
    NOT_READY = "PKI920"


@attrs.frozen(kw_only=True)
class Settings:
    """`port` and `register_port` are those of the two servers on `host`; 0 takes a free one.

    `element` is the `Environment` demanded of requests. `codes_last` and `opens_before` are published: 14 days for
    transfer codes, 60 days before its end for the renewal of a certificate. Published is also that keys of 2048 bits
    are supported, and that a certificate runs two years. A certificate is there after `ready_after` by the sandbox's
    clock and after `polls_before_ready` questions for it. `renews_once` refuses a second renewal of one certificate.
    `form` is the canonical XML of answers.

    The register works on a record for `processing`, by the sandbox's clock. `checks_creator` demands that a record's
    creator and sender are the holder of the certificate.
    """

    host: str = "127.0.0.1"
    port: int = 0
    register_port: int = 0
    element: str = "TEST"
    codes_last: timedelta = timedelta(days=14)
    opens_before: timedelta = timedelta(days=60)
    key_sizes: frozenset[int] = frozenset({2048})
    years: int = 2
    ready_after: timedelta = timedelta()
    polls_before_ready: int = 1
    renews_once: bool = False
    form: Form = Form.INCLUSIVE
    processing: timedelta = timedelta(milliseconds=100)
    checks_creator: bool = True

    @classmethod
    def lifelike(cls, *, port: int = 0, register_port: int = 0) -> Settings:
        """A certificate after forty seconds, a record after twenty minutes; both figures are the sandbox's own."""
        return cls(
            port=port,
            register_port=register_port,
            ready_after=timedelta(seconds=40),
            polls_before_ready=0,
            processing=timedelta(minutes=20),
        )
