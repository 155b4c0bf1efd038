"""The identifiers and codes of the certificate service, checked before anything is sent.

Lengths are those of the published schema (package v1.01). What is secret appears in no message of an error.
"""

from __future__ import annotations

import hashlib
import html
import re
from typing import TYPE_CHECKING

import attrs

from govfile.certificates.secret import Secret
from govfile.errors import InvalidName

if TYPE_CHECKING:
    from typing import Self

_BUSINESS_ID = re.compile(r"(\d{7})-(\d)", re.ASCII)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2)
#: A Finnish personal identity code, whose century signs have grown in 2023.
_PERSONAL = re.compile(r"\d{6}[-+A-FU-Y]\d{3}[0-9A-Z]", re.ASCII | re.IGNORECASE)
_NEARLY = re.compile(r"(?:FI)?(\d{7})[- ]?(\d)|(\d{6})-(\d)", re.ASCII | re.IGNORECASE)


@attrs.frozen(order=True)
class CustomerId:
    """Whose certificate it is: normally a Business ID, `1234567-8`. Made by `parse`."""

    text: str

    @classmethod
    def parse(cls, text: str | CustomerId) -> CustomerId:
        """Check an id's form; raises `InvalidName`.

        Other ids than Business IDs pass, since the service takes any 30 characters; a Business ID written otherwise
        than `1234567-8`, and a personal identity code, are refused. The check digit is not enforced: ask
        `has_right_check_digit`. Test environments use artificial ids.
        """
        if isinstance(text, CustomerId):
            return text
        _check(text, "customer id", 30)
        if _PERSONAL.fullmatch(text):
            raise InvalidName(
                "the customer id has the form of a personal identity code", advice="use the organisation's Business ID"
            )
        nearly = _NEARLY.fullmatch(text)
        if nearly and not _BUSINESS_ID.fullmatch(text):
            digits = f"{nearly[1]}-{nearly[2]}" if nearly[1] else f"0{nearly[3]}-{nearly[4]}"
            raise InvalidName(
                f"the customer id {text!r} is a Business ID in another form", advice=f"write it as {digits}"
            )
        return cls(text)

    @property
    def is_business_id(self) -> bool:
        """Whether it has the form `1234567-8`."""
        return _BUSINESS_ID.fullmatch(self.text) is not None

    @property
    def has_right_check_digit(self) -> bool:
        """Whether it is a Business ID whose last digit fits the others (weights 7 9 10 5 8 4 2, modulo 11)."""
        match = _BUSINESS_ID.fullmatch(self.text)
        if match is None:
            return False
        rest = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, match[1], strict=True)) % 11
        return rest != 1 and int(match[2]) == (11 - rest) % 11

    def __str__(self) -> str:
        return self.text


@attrs.frozen
class RetrievalId:
    """What the service gives for a request it took, and takes for the certificate. Made by `parse`."""

    text: str

    @classmethod
    def parse(cls, text: str | RetrievalId) -> RetrievalId:
        """Check an id's form; raises `InvalidName`."""
        if isinstance(text, RetrievalId):
            return text
        _check(text, "retrieval id", 32)
        return cls(text)

    def __str__(self) -> str:
        return self.text


@attrs.frozen(kw_only=True)
class TransferCodes:
    """The one-time codes of a new certificate, as they were sent; they are spent at the first use."""

    transfer_id: Secret
    password: Secret

    @classmethod
    def parse(cls, transfer_id: str | Secret, password: str | Secret) -> Self:
        """Check the codes' form (up to 32 and 16 characters, no spaces); raises `InvalidName`, which shows neither."""
        return cls(transfer_id=_code(transfer_id, "transfer id", 32), password=_code(password, "transfer password", 16))

    def values(self) -> dict[str, str]:
        """The two elements of the message."""
        return {"TransferId": self.transfer_id.reveal(), "TransferPassword": self.password.reveal()}

    def are_in(self, text: str) -> bool:
        """Whether one of the codes stands in a text, as it is or as XML may write it (escaped, or in UTF-16)."""
        texts = (text, html.unescape(text.replace("\0", "")))
        return any(code in found for code in self.values().values() for found in texts)

    def fingerprint(self, holder: str) -> str:
        """By which these codes are known again once they are spent; it does not give them away."""
        text = "\0".join((holder, *self.values().values()))
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def blotted(self, text: str) -> str:
        """A text without the codes."""
        for code in self.values().values():
            text = text.replace(code, "…")
        return text


def check_customer_name(name: str | None) -> str | None:
    """The name, which may be left out, up to 100 characters; raises `InvalidName`."""
    if name is not None:
        _check(name, "customer name", 100)
    return name


def _code(given: str | Secret, what: str, longest: int) -> Secret:
    text = given.reveal() if isinstance(given, Secret) else given
    _check(text, what, longest)
    if any(character.isspace() for character in text):
        raise InvalidName(f"the {what} holds a space", advice="copy it again, without what stands around it")
    return Secret(text)


def _check(text: object, what: str, longest: int) -> None:
    if not isinstance(text, str):
        raise InvalidName(f"the {what} is {type(text).__name__}, not text")
    if not text or text != text.strip():
        raise InvalidName(f"the {what} is empty, or has spaces around it", advice="give it alone")
    if len(text) > longest:
        raise InvalidName(f"the {what} has {len(text)} characters; the service takes up to {longest}")
    if not text.isprintable():
        raise InvalidName(f"the {what} holds a character that cannot be printed")
