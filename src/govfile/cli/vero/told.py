"""Certificates, requests and windows as lines and records, the same in every command for Finland."""

from __future__ import annotations

from typing import TYPE_CHECKING

from govfile.cli.escape import printable
from govfile.cli.generations import generation_fields
from govfile.cli.output import moment

if TYPE_CHECKING:
    from govfile.certificates.keystore import Generation, SlotId
    from govfile.certificates.renewal import RenewalWindow
    from govfile.cli.output import Output
    from govfile.vero import Application


def credential(out: Output, found: Generation, what: str) -> None:
    """A generation that is in use now."""
    out.say(f"{what}: {printable(found.slot)} until {moment(found.expires)} UTC (generation {found.number})")
    out.say(f"  certificate: {printable(found.certificate_file)}")
    out.record("credential", what=what, **generation_fields(found))


def window(out: Output, slot: SlotId, found: RenewalWindow, *, is_asked_for: bool) -> None:
    """When a certificate can be renewed; whether a request waits is told apart."""
    if found.has_passed:
        words = "over: enrol anew"
    elif found.is_open:
        words = f"open until {moment(found.closes)} UTC{', urgent' if found.is_urgent else ''}"
        words += "" if is_asked_for else ": renew now"
    else:
        words = f"opens {moment(found.opens)} UTC"
    out.say(f"  renewal:     {words}")
    out.record(
        "window",
        slot=str(slot),
        opens=found.opens,
        closes=found.closes,
        is_open=found.is_open,
        is_urgent=found.is_urgent,
        has_passed=found.has_passed,
    )


def application(out: Output, slot: SlotId, found: Application) -> None:
    """A request that waits, and how far it has come."""
    asked = f" of {moment(found.asked)} UTC" if found.asked else ""
    codes = f" ({', '.join(map(printable, found.codes))})" if found.codes else ""
    out.say(f"  pending:     {found.kind.value}{asked}: {_STEPS[found.step.value]}{codes}")
    if found.retrieval_id:
        out.say(f"  retrieval:   {printable(found.retrieval_id)}")
    out.record(
        "application",
        slot=str(slot),
        request=found.kind,
        step=found.step,
        created=found.created,
        asked=found.asked,
        retrieval_id=found.retrieval_id,
        codes=list(found.codes),
        is_kept=found.is_kept,
    )


_STEPS = {
    "ready": "nothing has left yet",
    "asking": "it is NOT KNOWN whether the service took it; see `govfile vero settle`",
    "asked": "the service took it; `govfile vero fetch` looks for the certificate",
    "refused": "refused",
}
