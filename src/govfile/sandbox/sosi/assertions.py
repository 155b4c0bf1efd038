"""SAML 2.0 assertions as the STS and the identity provider write them; signing comes after."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import attrs

from govfile.sandbox.sosi import names, times
from govfile.sandbox.sosi.building import element, leaf, with_attributes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime


@attrs.frozen(kw_only=True)
class Attribute:
    """One attribute: `content` is text, or XML where `is_xml`; `form` its NameFormat."""

    name: str
    content: str = attrs.field(repr=False)
    friendly: str = ""
    form: str = names.BASIC
    is_typed: bool = True
    is_xml: bool = False

    def written(self) -> str:
        """As XML."""
        typed = {"xsi:type": "xs:string"} if self.is_typed and not self.is_xml else {}
        if self.is_xml:
            value = element("saml:AttributeValue", self.content)
        else:
            value = with_attributes("saml:AttributeValue", typed, escape(self.content))
        friendly = {"FriendlyName": self.friendly} if self.friendly else {}
        return with_attributes("saml:Attribute", {"NameFormat": self.form, "Name": self.name, **friendly}, value)


@attrs.frozen(kw_only=True)
class Assertion:
    """What an assertion says. `confirmation` is the SubjectConfirmation as XML; times are aware. `has_session` gives
    the time of the log-in a session index, as OIOSAML demands and Seal's identity tokens never have.
    """

    issuer: str
    issued: datetime
    name_id: str = attrs.field(repr=False)
    name_id_format: str
    confirmation: str = attrs.field(repr=False)
    start: datetime | None
    end: datetime
    audience: str | None
    attributes: Sequence[Attribute] = ()
    authenticated: datetime | None = None
    has_session: bool = True
    identifier: str = attrs.field(factory=lambda: f"_{uuid.uuid4()}")

    def written(self) -> str:
        """As XML, not signed; the prefixes are declared around it."""
        start = {"NotBefore": times.utc(self.start)} if self.start else {}
        restriction = element("saml:AudienceRestriction", leaf("saml:Audience", self.audience)) if self.audience else ""
        statement = element("saml:AttributeStatement", *(each.written() for each in self.attributes))
        return element(
            "saml:Assertion",
            leaf("saml:Issuer", self.issuer),
            element("saml:Subject", leaf("saml:NameID", self.name_id, Format=self.name_id_format), self.confirmation),
            with_attributes("saml:Conditions", {**start, "NotOnOrAfter": times.utc(self.end)}, restriction),
            self._authentication(),
            statement if self.attributes else "",
            ID=self.identifier,
            IssueInstant=times.utc(self.issued),
            Version="2.0",
        )

    def _authentication(self) -> str:
        if self.authenticated is None:
            return ""
        context = element("saml:AuthnContext", leaf("saml:AuthnContextClassRef", names.X509_CONTEXT))
        session = {"SessionIndex": self.identifier} if self.has_session else {}
        return element("saml:AuthnStatement", context, AuthnInstant=times.utc(self.authenticated), **session)


def holder_of_key(key_info: str, *, recipient: str = "", end: datetime | None = None, is_typed: bool = False) -> str:
    """The confirmation of somebody who has a key: `key_info` is what is inside KeyInfo. `is_typed` names the type of
    its data, as identity providers do and Seal's STS does not.
    """
    typed = {"xsi:type": "saml:KeyInfoConfirmationDataType"} if is_typed else {}
    return _confirmed(names.HOLDER_OF_KEY, {**typed, **_delivery(recipient, end)}, element("ds:KeyInfo", key_info))


def bearer(recipient: str, end: datetime) -> str:
    """The confirmation of whoever brings it."""
    return _confirmed(names.BEARER, _delivery(recipient, end))


def _delivery(recipient: str, end: datetime | None) -> dict[str, str]:
    limit = {"NotOnOrAfter": times.utc(end)} if end else {}
    return {**limit, **({"Recipient": recipient} if recipient else {})}


def _confirmed(method: str, data: Mapping[str, str], *content: str) -> str:
    inner = with_attributes("saml:SubjectConfirmationData", data, *content)
    return element("saml:SubjectConfirmation", inner, Method=method)
