"""How the institution answers, on request: what is set when a GO comes in holds for all answers to its set."""

from __future__ import annotations

import contextlib
import enum
from typing import TYPE_CHECKING, Any

import attrs

from govfile.sandbox.onss.settings import Layout

if TYPE_CHECKING:
    from collections.abc import Iterator


class Packing(enum.Enum):
    """How an answer is compressed: a CO file instead of an FO. Which one the authority uses is not published."""

    ZIP = "zip"
    GZIP = "gzip"
    ZLIB = "zlib"


@attrs.frozen(kw_only=True)
class Anomaly:
    """One finding about a form; `anomaly_class` is B, P, NP, D, W, I or NB."""

    error_id: str = "00011-155"
    tag: str = "NOSSRegistrationNbr"
    value: str = "1"
    anomaly_class: str = "W"
    label: str = "Sample anomaly"
    correction: str = ""


@attrs.define(kw_only=True)
class Replies:
    """Each setting stays until it is set again; `during(...)` sets some for the length of a `with` block.

    Acknowledgements:
        `refuse_with`: codes of annex 30 (three digits) that every set earns in addition to its own.
        `names_declaration`: they name the FI, not the GO.
        `has_ticket`: they carry the file's ticket.
        `provisional_first`: a provisional one (PA) comes before the final one (FA).
    Notifications:
        `results`: the result codes of the forms, in turn: 0 not accepted, 1 accepted, 2 a proposal to validate,
            3 temporary, 4 timed out.
        `anomalies`: attached to every form. `diagnosis`: attached to forms with result 0.
        `file_reference`: they name the file they answer; `ticket_reference`: by its ticket; `own_reference`: by the
            references inside; `original_form`: by identification, date and hour of the form.
        `split`: one notification per form instead of one for all.
        `final_after`: a second, final notification with these results follows.
        `packing`: they come compressed; `signs_expanded`: their FS is over the expanded bytes.
    Signatures:
        `timestamped`: with a time stamp token (CAdES-T). `layout` of the base64.
    """

    refuse_with: tuple[str, ...] = ()
    names_declaration: bool = False
    has_ticket: bool = True
    provisional_first: bool = False

    results: tuple[int, ...] = (1,)
    anomalies: tuple[Anomaly, ...] = ()
    diagnosis: int | None = None
    file_reference: bool = True
    ticket_reference: bool = True
    own_reference: bool = True
    original_form: bool = True
    split: bool = False
    final_after: tuple[int, ...] = ()
    packing: Packing | None = None
    signs_expanded: bool = False

    timestamped: bool = False
    layout: Layout = Layout.SINGLE

    @contextlib.contextmanager
    def during(self, **settings: Any) -> Iterator[Replies]:
        """Set some for the length of a `with` block."""
        before = {name: getattr(self, name) for name in settings}
        try:
            for name, value in settings.items():
                setattr(self, name, value)
            yield self
        finally:
            for name, value in before.items():
                setattr(self, name, value)
