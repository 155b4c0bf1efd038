"""What a SAML 2.0 assertion says, as a value that keeps the assertion's bytes.

Reading is not believing: `read_assertion` checks no signature. What the STS hands out is verified before it is read
here. Sources: SAML 2.0 core; OIO Web SSO and OIO IDWS profiles for the attributes.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

import attrs

from govfile.certificates._carried import carried_certificate
from govfile.errors import CredentialError, InvalidContent, ProtocolError
from govfile.sosi import times
from govfile.sosi.claims import CPR_ATTRIBUTES, CPR_CLAIM
from govfile.sosi.constants import ASSERTION, DS, HOLDER_OF_KEY, SAML

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from cryptography import x509

    from govfile.xml.parse import Element

ENCRYPTED_ASSERTION = f"{{{SAML}}}EncryptedAssertion"
#: Our own bound on a token, in bytes; those seen have some ten thousand.
LARGEST = 1024 * 1024
#: A name that is a CPR number, as ITS and the test identity provider write it.
_CPR_NAME = re.compile(rf"(?:{CPR_CLAIM}:)?([0-9]{{6}})-?([0-9]{{4}})")


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Assertion:
    """A SAML assertion: its bytes (`xml`, kept as they came) and what stands in it.

    `valid_from` (None where it does not say) and `expires` are aware UTC; of several ends the earliest counts.
    `audiences` as written. `attributes` by name, each with its values. `holder` is the certificate whose key the
    bearer must have, None where the assertion names none. Neither person nor attributes are in the repr.
    """

    xml: bytes
    id: str
    issuer: str
    name_id: str
    name_id_format: str
    valid_from: datetime | None
    expires: datetime
    audiences: tuple[str, ...]
    attributes: Mapping[str, tuple[str, ...]]
    holder: x509.Certificate | None = None
    needs_holder: bool = False

    def value(self, name: str) -> str | None:
        """The first value of an attribute, None where it is missing."""
        return next(iter(self.attributes.get(name, ())), None)

    def first(self, names: tuple[str, ...]) -> str | None:
        """The first value of the first of these attributes that has one, None where none has."""
        return next((value for value in map(self.value, names) if value), None)

    @property
    def cpr(self) -> str | None:
        """The person's CPR number, from an attribute or else from the name; None where neither is one."""
        if found := self.first(CPR_ATTRIBUTES):
            return found.replace("-", "")
        match = _CPR_NAME.fullmatch(self.name_id)
        return match[1] + match[2] if match else None

    def __eq__(self, other: object) -> bool:
        return self.xml == other.xml if type(other) is type(self) and isinstance(other, Assertion) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.xml)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} by {self.issuer}, until {self.expires:%Y-%m-%d %H:%M:%S} UTC>"


def read_assertion(xml: bytes, *, what: str = "the assertion") -> Assertion:
    """What an assertion says that came from elsewhere. Nothing is verified.

    Raises `InvalidContent` when it is not one assertion, or says less than every assertion does; `what` names it.
    """
    found = own_element(xml, what)
    if found.name == ENCRYPTED_ASSERTION:
        raise InvalidContent(f"{what} is encrypted: what it says can be read by its service alone")
    try:
        return assertion_of(found.element, found.xml)
    except ProtocolError as error:
        raise InvalidContent(f"{what} cannot be used: {error.what}") from error


@attrs.frozen(kw_only=True)
class OwnElement:
    """A token somebody handed us: its root's `{namespace}local` name, its value, and its bytes without what stood
    around it (an XML declaration, white space).
    """

    name: str
    element: Element = attrs.field(repr=False)
    xml: bytes = attrs.field(repr=False)


def own_element(xml: bytes, what: str) -> OwnElement:
    """A token to be passed on, which must be one SAML assertion, encrypted or not; raises `InvalidContent`."""
    from govfile.xml.parse import Limits
    from govfile.xml.unsigned import read_unsigned

    if not isinstance(xml, bytes):
        raise InvalidContent(f"{what} must be bytes, as it was received", advice="never decode or prettify signed XML")
    try:
        found = read_unsigned(xml, limits=Limits(size=LARGEST), what=what)
    except ProtocolError as error:
        raise InvalidContent(f"{what} cannot be used: {error.what}") from error
    if found.name not in {ASSERTION, ENCRYPTED_ASSERTION}:
        raise InvalidContent(f"{what} is no SAML 2.0 assertion but an element {found.name.rpartition('}')[2]}")
    return OwnElement(name=found.name, element=found.element, xml=found.original)


def assertion_of(element: Element, xml: bytes) -> Assertion:
    """The value for an assertion that was read before; raises `ProtocolError`."""
    subject = _one(element, "Subject")
    name_id = _optional(subject, "NameID")
    conditions = _one(element, "Conditions")
    confirmations = tuple(_children(subject, "SubjectConfirmation"))
    ends = [conditions.attributes.get("NotOnOrAfter"), *map(_end_of, confirmations)]
    moments = [times.read(end, "NotOnOrAfter") for end in ends if end]
    if not moments:
        raise ProtocolError("the assertion does not say until when it holds")
    begin = conditions.attributes.get("NotBefore")
    return Assertion(
        xml=xml,
        id=element.attributes.get("ID", ""),
        issuer=_one(element, "Issuer").text.strip(),
        name_id=name_id.text.strip() if name_id else "",
        name_id_format=name_id.attributes.get("Format", "") if name_id else "",
        valid_from=times.read(begin, "NotBefore") if begin else None,
        expires=min(moments),
        audiences=tuple(
            found.text.strip()
            for restriction in _children(conditions, "AudienceRestriction")
            for found in _children(restriction, "Audience")
        ),
        attributes=_attributes(element),
        holder=next((found for found in map(_holder_of, confirmations) if found), None),
        needs_holder=any(found.attributes.get("Method") == HOLDER_OF_KEY for found in confirmations),
    )


def _attributes(element: Element) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for statement in _children(element, "AttributeStatement"):
        for attribute in _children(statement, "Attribute"):
            name = attribute.attributes.get("Name", "")
            values = tuple(value.text.strip() for value in _children(attribute, "AttributeValue"))
            found[name] = (*found.get(name, ()), *values)
    return MappingProxyType(found)


def _end_of(confirmation: Element) -> str | None:
    data = _optional(confirmation, "SubjectConfirmationData")
    return data.attributes.get("NotOnOrAfter") if data else None


def _holder_of(confirmation: Element) -> x509.Certificate | None:
    if confirmation.attributes.get("Method") != HOLDER_OF_KEY:
        return None
    texts = [found.text for found in confirmation.walk() if (found.namespace, found.name) == (DS, "X509Certificate")]
    if not texts:
        return None
    try:
        return carried_certificate(texts[0])
    except CredentialError as error:
        raise ProtocolError("the certificate of the assertion's holder cannot be read") from error


def _children(element: Element, name: str) -> Iterator[Element]:
    return (found for found in element.children if found.name == name and found.namespace == SAML)


def _optional(element: Element, name: str) -> Element | None:
    found = list(_children(element, name))
    if len(found) > 1:
        raise ProtocolError(f"the assertion has {len(found)} elements {name}, not one")
    return found[0] if found else None


def _one(element: Element, name: str) -> Element:
    found = _optional(element, name)
    if found is None:
        raise ProtocolError(f"the assertion has no element {name}")
    return found
