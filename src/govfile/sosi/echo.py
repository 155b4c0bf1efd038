"""Whether what the STS handed out is about whom it was asked for, and was not handed out before."""

from __future__ import annotations

import base64
import binascii
import re
import threading
from typing import TYPE_CHECKING

from govfile.errors import TrustError
from govfile.sosi.care_provider import NameFormat
from govfile.transports.forks import renew_in_children

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography import x509

    from govfile.sosi.assertions import Assertion
    from govfile.sosi.claims import OnBehalfOf
    from govfile.sosi.signed_card import SignedCard

_SYSTEM_ATTRIBUTE = "dk:healthcare:saml:attribute:ITSystemName"
_CVR_ATTRIBUTES = ("dk:gov:saml:attribute:CvrNumberIdentifier", "https://data.gov.dk/model/core/eid/professional/cvr")
_NUMBER = re.compile(rb"(?<![0-9])[0-9]{10}(?![0-9])")
#: How many tokens are remembered at most; those seen live for minutes.
_MOST = 50_000


def check_card_as_asked(found: SignedCard, asked: SignedCard) -> None:
    """Raise `TrustError` unless the service signed the card it was sent; it may have added what it knows."""
    same = {
        "id": (found.id, asked.id),
        "type": (found.type, asked.type),
        "level": (found.level, asked.level),
        "version": (found.version, asked.version),
        "system": (found.it_system, asked.it_system),
        "care provider": (_number(found), _number(asked)),
        "person": (found.cpr, asked.cpr or found.cpr),
    }
    _refuse_differences(same)


def check_card_of(found: SignedCard, about: Assertion | None, it_system: str) -> None:
    """The same for a card made of an assertion; `about` is None where only the service could read it."""
    same: dict[str, tuple[object, object]] = {
        "type": (found.type.value, "user"),
        "system": (found.it_system, it_system),
    }
    if about is not None:
        cvr = about.first(_CVR_ATTRIBUTES)
        same["person"] = (found.cpr, about.cpr or found.cpr)
        if found.care_provider.format is NameFormat.CVR:
            same["care provider"] = (found.care_provider.id, cvr or found.care_provider.id)
    _refuse_differences(same)


def check_token_of(found: Assertion, card: SignedCard) -> None:
    """Raise `TrustError` where a token names another person, organisation or system than the card it was made from."""
    cvr = found.first(_CVR_ATTRIBUTES) if card.care_provider.format is NameFormat.CVR else None
    same: dict[str, tuple[object, object]] = {
        "care provider": (cvr or card.care_provider.id, card.care_provider.id),
        "system": (found.value(_SYSTEM_ATTRIBUTE) or card.it_system, card.it_system),
    }
    if found.cpr != card.name_id:  # an alternative identifier may look like a CPR number
        same["person"] = (found.cpr or card.cpr, card.cpr or found.cpr)
    _refuse_differences(same)


def check_token_as_asked(
    found: Assertion,
    *,
    cpr: str | None,
    holder: x509.Certificate | None = None,
    on_behalf_of: OnBehalfOf | None = None,
) -> None:
    """Raise `TrustError` unless the token is that person's, bound to our key, and in the place of whom it was asked.

    What a token does not say is not held against it, but for the last: without it, it would be for somebody else.
    """
    if cpr is not None and found.cpr is not None:
        _refuse_differences({"person": (found.cpr, cpr.replace("-", ""))})
    if holder is not None:
        _check_holder(found, holder)
    if on_behalf_of is not None:
        _check_place(found.value(on_behalf_of.attribute), on_behalf_of.claim.rpartition(":")[2])


def _check_holder(found: Assertion, holder: x509.Certificate) -> None:
    """Raise `TrustError` unless the token is bound to a key, and to ours where it shows the certificate."""
    if not found.needs_holder:
        raise TrustError(
            "the token is bound to no key: whoever sees it could call services with it",
            certain="the token was thrown away",
            advice="tell the service's support",
        )
    if found.holder is not None and found.holder != holder:
        raise TrustError(
            "the token is bound to another certificate than ours: calls made with it would be refused",
            advice="ask for it with the credential that will sign the calls",
        )


def _check_place(said: str | None, asked: str) -> None:
    """Raise `TrustError` where nobody's place is named, or only other persons' than `asked` (Base64 around XML)."""
    if not said:
        raise TrustError(
            "the token does not say in whose place the person acts: it would count for that person alone",
            advice="look whether the right was given, and ask again",
        )
    try:
        persons = set(_NUMBER.findall(base64.b64decode(said)))
    except binascii.Error:
        return  # nobody has published every form
    if persons and _NUMBER.fullmatch(asked.encode()):
        _refuse_differences({"person in whose place it is": (asked.encode() in persons, True)})


class Replays:
    """Tokens that were handed out before. Threads may share it."""

    def __init__(self) -> None:
        self._seen: dict[str, datetime] = {}
        self.begin_anew()
        renew_in_children(self)

    def begin_anew(self) -> None:
        """In a forked process: what was seen stays so."""
        self._lock = threading.Lock()

    def check(self, token_id: str, expires: datetime, at: datetime) -> None:
        """Raise `TrustError` for a token that was seen before; what has expired is forgotten."""
        with self._lock:
            if self._seen.get(token_id, at) > at:
                raise TrustError(
                    "the answer, which nobody signed, holds a token that was handed out before: it is an old answer",
                    advice="ask again; if it happens twice, look who stands between you and the STS",
                )
            if len(self._seen) >= _MOST:
                self._seen = {name: end for name, end in self._seen.items() if end > at}
            self._seen[token_id] = expires


def _number(card: SignedCard) -> tuple[object, str]:
    return card.care_provider.format, card.care_provider.id.strip()


def _bare(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


def _refuse_differences(pairs: dict[str, tuple[object, object]]) -> None:
    """Names what differs, never the values: they may be personal. White space around a value says nothing."""
    different = [what for what, (found, wanted) in pairs.items() if _bare(found) != _bare(wanted)]
    if different:
        raise TrustError(
            f"the STS answered about something else than it was asked: the {', the '.join(different)} differ"
            f"{'s' if len(different) == 1 else ''}",
            certain="the answer was thrown away",
            advice="ask again; if it happens twice, tell the service's support",
        )
