"""A service provider's assertion consumer: takes the form a browser posts, decrypts, verifies, and says hello."""

from __future__ import annotations

import base64
import binascii
import threading
from collections import deque
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import attrs

from govfile.sandbox.sosi import names, stock, times
from govfile.sandbox.sosi.encrypting import decrypted
from govfile.sandbox.sosi.names import DK, tag
from govfile.sandbox.sosi.reading import Unreadable, attributes, child, ids, maybe, parse, value
from govfile.sandbox.sosi.settings import normalised
from govfile.sandbox.sosi.verifying import BadSignature, verify_enveloped
from govfile.sandbox.web import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from lxml import etree

    from govfile.sandbox.sosi.settings import Audience
    from govfile.sandbox.web import Request

_SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
_FORM = "application/x-www-form-urlencoded"


@attrs.frozen(kw_only=True)
class Login:
    """Somebody who came in by the browser."""

    assertion_id: str
    common_name: str = attrs.field(repr=False)
    cvr: str
    relay_state: str
    was_encrypted: bool


class Consumer:
    """Lets in whoever brings an assertion of the STS's for this provider: once, in time, to the right address."""

    def __init__(
        self,
        *,
        audiences: Mapping[str, Audience],
        clock: Callable[[], datetime],
        provider: str = "https://sp.example.dk",
    ) -> None:
        self.logins: deque[Login] = deque(maxlen=1000)
        self.findings: deque[str] = deque(maxlen=1000)
        self._audiences = audiences
        self._clock = clock
        self._provider = normalised(provider)
        self._seen: set[str] = set()
        self._lock = threading.Lock()

    def take(self, request: Request) -> Response:
        """Answer a posted form with a page."""
        try:
            login = self._login(request)
        except (Unreadable, BadSignature, ValueError) as error:
            self.findings.append(str(error))
            return _page(403, "No entry", "The answer of the identity provider was not accepted.")
        self.logins.append(login)
        return _page(200, "Welcome", f"Logged in as {login.common_name}.")

    def _login(self, request: Request) -> Login:
        if request.media_type != _FORM:
            raise Unreadable(f"a form was expected, not {request.media_type}")
        form = parse_qs(request.body.decode("ascii"), strict_parsing=True)
        if len(form.get("SAMLResponse", [])) != 1:
            raise Unreadable("one SAMLResponse was expected")
        try:
            response = parse(base64.b64decode(form["SAMLResponse"][0], validate=True))
        except binascii.Error as error:
            raise Unreadable("SAMLResponse is no Base64") from error
        assertion, was_encrypted = _assertion(response)
        destination = response.get("Destination")
        if destination is not None and destination != self._audiences[self._provider].recipient_url:
            raise Unreadable(f"the response is for {destination}")
        self._check(assertion)
        found = attributes(assertion)
        return Login(
            assertion_id=assertion.get("ID") or "",
            common_name=found.get("urn:oid:2.5.4.3", ""),
            cvr=found.get(DK + "CvrNumberIdentifier", ""),
            relay_state=form.get("RelayState", [""])[0],
            was_encrypted=was_encrypted,
        )

    def _check(self, assertion: etree._Element) -> None:
        at, audience = self._clock(), self._audiences[self._provider]
        signed = verify_enveloped(assertion)
        if not stock.is_sts(signed.certificate):
            raise BadSignature("the assertion is not the STS's")
        conditions = child(assertion, "saml:Conditions")
        start, end = (times.loose(conditions.get(name) or "") for name in ("NotBefore", "NotOnOrAfter"))
        if not start <= at < end:
            raise Unreadable("the assertion is over, or not valid yet")
        if normalised(value(conditions, "saml:AudienceRestriction", "saml:Audience")) != self._provider:
            raise Unreadable("the assertion is for somebody else")
        confirmation = child(assertion, "saml:Subject", "saml:SubjectConfirmation")
        data = child(confirmation, "saml:SubjectConfirmationData")
        if confirmation.get("Method") != names.BEARER or data.get("Recipient") != audience.recipient_url:
            raise Unreadable(f"the assertion is to be delivered to {data.get('Recipient')}")
        if times.loose(data.get("NotOnOrAfter") or "") <= at:
            raise Unreadable("the assertion is delivered too late")
        with self._lock:
            identifier = str(assertion.get("ID"))
            if identifier in self._seen:
                raise Unreadable("the assertion was used before")
            self._seen.add(identifier)


def _assertion(response: etree._Element) -> tuple[etree._Element, bool]:
    ids(response)
    if response.tag != tag("samlp:Response") or response.get("Version") != "2.0" or not response.get("ID"):
        raise Unreadable("no SAML 2.0 response")
    if child(response, "samlp:Status", "samlp:StatusCode").get("Value") != _SUCCESS:
        raise Unreadable("the response is no success")
    times.loose(response.get("IssueInstant") or "")
    value(response, "saml:Issuer")
    sealed, plain = maybe(response, "saml:EncryptedAssertion"), maybe(response, "saml:Assertion")
    if (sealed is None) is (plain is None):
        raise Unreadable("one assertion was expected")
    if plain is not None:
        return plain, False
    assert sealed is not None
    return decrypted(sealed, stock.rsa_key_of(stock.provider())), True


def _page(status: int, title: str, words: str) -> Response:
    body = f"<!DOCTYPE html><html><head><title>{escape(title)}</title></head><body><p>{escape(words)}</p></body></html>"
    return Response(status=status, body=body.encode(), content_type="text/html; charset=utf-8")
