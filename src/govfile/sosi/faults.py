"""What the STS says when it says no: codes, advice, and texts without the persons in them.

Sources: the fault pages of the STS's user guide (codes, actors, texts); WS-Trust for the generic codes. Faults are not
signed: they are hints, never statements to rely on. Only a failed look-up behind the STS is worth asking again.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs

from govfile.errors import Phase, Rejected, Retry
from govfile.transports.http_hints import clocks_note
from govfile.xml.parse import blot

if TYPE_CHECKING:
    from datetime import datetime

    from govfile.xml.soap import SoapFault

_ACTORS = "dk:sosi:sts:"
_LONGEST = 400
#: How much of a text is looked at; what is cut off in a list leaves the list open, and so out.
_READ = 2000


@attrs.frozen(kw_only=True)
class KnownFault:
    """One row of the table: a `code` (the local name), the `actor`, a piece of the `text` ("" for any), the `advice`.

    An actor "" stands for any; letters in `text` are compared without case. `may_repeat`: the same request may succeed
    later.
    """

    code: str
    actor: str = ""
    text: str = ""
    advice: str
    may_repeat: bool = False

    def fits(self, code: str, actor: str, text: str) -> bool:
        """Whether a fault is of this row."""
        return self.code == code and self.actor in {"", actor} and self.text.casefold() in text.casefold()


_CODE = "name the authorisation the card is for (authorisation_code=…)"
_CPR = f"{_ACTORS}cvrridcpr"
_REGISTER = f"{_ACTORS}autorisation"
_ITS = f"{_ACTORS}its"
_BST2SOSI = f"{_ACTORS}bst2sosi"

#: The first row that fits counts.
FAULTS: tuple[KnownFault, ...] = (
    KnownFault(
        code="FailedAuthentication",
        actor=_CPR,
        text="mismatch",
        advice="the CPR number on the card is not the one registered for this certificate: mend it, or leave it out",
    ),
    KnownFault(
        code="FailedAuthentication",
        actor=_CPR,
        text="illegal cvrrid",
        advice="the certificate's CVR and RID are unknown to the register: ask your certificate administrator",
    ),
    KnownFault(
        code="RequestFailed",
        actor=_CPR,
        text="lookup failed",
        advice="the register behind the STS did not answer: try again later",
        may_repeat=True,
    ),
    KnownFault(
        code="FailedAuthentication",
        actor=_REGISTER,
        text="missing authorization",
        advice="this person has no authorisation of the kind the card claims: leave role and code out, or mend them",
    ),
    KnownFault(
        code="FailedAuthentication",
        actor=_REGISTER,
        text="authorization not found",
        advice="the authorisation code or education code is not this person's: mend it",
    ),
    KnownFault(code="FailedAuthentication", actor=_REGISTER, text="multiple authorizations", advice=_CODE),
    KnownFault(
        code="FailedAuthentication",
        actor=_REGISTER,
        text="multiple national roles",
        advice="name the one national role the card is for (role=…)",
    ),
    KnownFault(
        code="FailedAuthentication",
        actor=_REGISTER,
        text="invalid role",
        advice="write the role as the list of national roles does",
    ),
    KnownFault(
        code="FailedAuthentication",
        actor=_REGISTER,
        text="does not have the requested role",
        advice="have the role given to this person, or ask for another one",
    ),
    KnownFault(code="InvalidRequest", text="CPR claim missing", advice="say whose token it is (cpr=…)"),
    KnownFault(
        code="InvalidRequest", actor=_ITS, text="CPR/PID mismatch", advice="cpr=… is not the person the token names"
    ),
    KnownFault(code="InvalidRequest", actor=_ITS, text="OnBehalfOf", advice="leave on_behalf_of out, or name a person"),
    KnownFault(
        code="InvalidRequest",
        text="envelope signature",
        advice="look whether something on the way wrote the message anew, and whether the certificate is allowed here",
    ),
    KnownFault(
        code="RequestFailed",
        actor=_ITS,
        text="invalid audience",
        advice="the bootstrap token was made for another service than the STS: ask its issuer for the right audience",
    ),
    KnownFault(
        code="RequestFailed",
        actor=_BST2SOSI,
        text="allowed audience",
        advice="the bootstrap token was made for another service than the STS: ask its issuer for the right audience",
    ),
    KnownFault(
        code="RequestFailed",
        actor=_BST2SOSI,
        text="privilege profile",
        advice="the bootstrap token's privileges cannot be read: tell its issuer",
    ),
    KnownFault(
        code="RequestFailed",
        actor=_BST2SOSI,
        text="userData",
        advice="the STS knows nobody of the token's CPR number: ask the person's local identity provider",
    ),
    KnownFault(
        code="InvalidRequest",
        actor=_BST2SOSI,
        text="only one of",
        advice="give either authorisation_code=… or role=…, not both",
    ),
    KnownFault(code="InvalidRequest", text="IT System must be specified", advice="name the system (it_system=…)"),
    KnownFault(
        code="FailedAuthentication",
        text="untrusted party",
        advice="the token was signed by nobody this STS believes: look whether it is of the same environment",
    ),
    KnownFault(
        code="AuthenticationBadElements",
        advice="the signature does not fit the card: look whether something wrote its XML anew",
    ),
    KnownFault(
        code="InvalidSecurityToken", advice="the certificate may be revoked: ask your certificate administrator"
    ),
    KnownFault(
        code="ExpiredData", advice="what was sent is too old: make a new one, and look at this computer's clock"
    ),
    KnownFault(code="InvalidTimeRange", advice="look at this computer's clock: a card holds for at most 24 hours"),
)


def rejected(
    fault: SoapFault,
    *,
    operation: str,
    endpoint: str,
    clocks: str = "",
) -> Rejected:
    """The fault as an error: code and actor as they came where they are names, the text without persons.

    `clocks` is a sentence on clocks that differ, "" where they agree: the STS judges by its own.
    """
    code, actor, text = shown_name(fault.code_name), shown_name(fault.actor.strip()), fault.text.strip()
    known = next((row for row in FAULTS if row.fits(code, actor, text)), None)
    advice = known.advice if known else "read the text; the code is not one this version has advice on"
    shown = redacted(text)
    return Rejected(
        f"the STS refused: {shown or 'without a word'} ({code or 'no code'}{f', {actor}' if actor else ''})",
        code=code,
        text=shown,
        actor=actor,
        known=known is not None,
        phase=Phase.CONFIRM,
        certain="nothing was issued",
        advice=f"{clocks}: set it right first; {advice}" if clocks else advice,
        operation=operation,
        endpoint=endpoint,
        retry=Retry.SAME_REQUEST if known and known.may_repeat else Retry.NEVER,
    )


def shown_name(text: str) -> str:
    """A code or an actor, which anybody on the way may have written: one line, no number of a person, no novel."""
    return blot(_printable(text))[:_LONGEST]


def _printable(text: str) -> str:
    return "".join(found if found.isprintable() else " " for found in text[:_READ])


def clock_hint(at: datetime | None, their_time: datetime | None) -> str:
    """A sentence on clocks that differ noticeably, ours and theirs (aware), "" where they agree or one is not known."""
    return "" if at is None else clocks_note(their_time, at)


#: What the STS lists: CVR-RID with CPR, a person's authorisations, roles. What is never closed reaches to the end.
_LISTS = re.compile(r"\[[^\[\]()]*(?:\]|\Z)|\([^\[\]()]*(?:\)|\Z)")
_CUT = "\0"
#: Codes of the authorisation register: five letters and digits, some of each.
_AUTHORISATION = re.compile(r"\b(?!OCES[0-9]|SAML[0-9])(?=[A-Z]*[0-9])(?=[0-9]*[A-Z])[A-Z0-9]{5}\b")
_RID = re.compile(r"RID:[^\s,+\]]+", re.IGNORECASE)
_ROLE = re.compile(r"(national-federation-role:)\S+")


def redacted(text: str) -> str:
    """A fault's text as it may be shown and logged: one line, no CPR number, authorisation code, role or RID."""
    line, before = " ".join(_printable(text).split()), ""
    while line != before:  # a list may hold lists
        before, line = line, _LISTS.sub(_CUT, line)
    line = _ROLE.sub(r"\1…", _AUTHORISATION.sub("*****", _RID.sub("RID:***", blot(line)))).replace(_CUT, "[…]")
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


__all__ = ["FAULTS", "KnownFault", "clock_hint", "redacted", "rejected", "shown_name"]
