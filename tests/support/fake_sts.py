"""A token service within the test's own process: it signs what it is asked for, and errs on request.

It is a `MessageTransport`, so that no socket is needed. It judges nothing; the sandbox does that.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import attrs

from govfile.certificates.trust import Trust
from govfile.sosi.card import IdCard
from govfile.sosi.care_provider import CareProvider
from govfile.sosi.environments import Environment
from govfile.sosi.sts import SecurityTokenService
from govfile.sosi.trust import StsTrust
from govfile.transports.base import Reply
from govfile.xml.signing import Reference, sign
from govfile.xml.splicing import Place
from govfile.xml.unsigned import UnsignedPart, read_unsigned
from support import pki
from support.xml_messages import NOW, SAML, SOAP, WSA, WSSE, WSU, authority, credential_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from govfile.certificates.credential import Credential
    from govfile.certificates.signer import SignatureAlgorithm

WST = "http://docs.oasis-open.org/ws-sx/ws-trust/200512"
WST14 = "http://docs.oasis-open.org/ws-sx/ws-trust/200802"
WST_2005 = "http://schemas.xmlsoap.org/ws/2005/02/trust"
WSP = "http://schemas.xmlsoap.org/ws/2004/09/policy"
WSA_2004 = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
DS = "http://www.w3.org/2000/09/xmldsig#"
ISSUE = f"{WST}/RST/Issue"
CPR = "0101001234"
CVR = "20301823"
CPR_NAME = "dk:gov:saml:attribute:CprNumberIdentifier"
#: A token for whoever holds a key that it does not show.
BOUND = '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"/>'
#: Where a Security header is, for signatures.
SECURITY = (f"{{{SOAP}}}Envelope", f"{{{SOAP}}}Header", f"{{{WSSE}}}Security")

_EARLY, _LATE = datetime(2020, 1, 1, tzinfo=UTC), datetime(2060, 1, 1, tzinfo=UTC)
_SIGNATURE = re.compile(rb"<ds:Signature.*</ds:Signature>", re.DOTALL)
_NAME_ID = re.compile(rb"<saml:NameID[^>]*>[^<]*</saml:NameID>")
_ISSUER = re.compile(rb"<saml:Issuer>[^<]*</saml:Issuer>")
_CERTIFICATE_NAME = (
    b'<saml:NameID Format="medcom:other">SubjectDN={CN=Test Person, O=Example, C=DK},IssuerDN={CN=CA, C=DK},'
    b"CertSerial={4711}</saml:NameID>"
)


def written(at: datetime) -> str:
    """A time as messages have it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@cache
def employee() -> Credential:
    """The caller: an employee's certificate."""
    subject = pki.oces3(cvr=CVR, letter="E", organisation="Example Laboratory", common_name="Test Person")
    return credential_of(authority().issue(subject, key=pki.rsa_key(5), not_before=_EARLY, not_after=_LATE))


@cache
def system() -> Credential:
    """The caller: an organisation's certificate."""
    subject = pki.oces3(cvr=CVR, letter="O", organisation="Example Laboratory", common_name="Example Laboratory")
    return credential_of(authority().issue(subject, key=pki.rsa_key(6), not_before=_EARLY, not_after=_LATE))


@cache
def signer(common_name: str = "SOSI Test Federation", cvr: str = "33257872") -> Credential:
    """Who signs for the service."""
    subject = pki.oces3(cvr=cvr, letter="O", organisation="Service", common_name=common_name)
    return credential_of(authority().issue(subject, key=pki.rsa_key(7), not_before=_EARLY, not_after=_LATE))


def trust(**changes: Any) -> StsTrust:
    """Whose signatures count."""
    anchors = Trust.only(authority().pem)
    return StsTrust(**{"anchors": anchors, "common_name": "SOSI Test Federation", "cvr": "33257872", **changes})


def environment(**changes: Any) -> Environment:
    """Where the fake is."""
    pause = timedelta(seconds=1)
    return Environment(
        **{
            "name": "fake",
            "base_url": "https://sts.test:8443",
            "is_test": None,
            "trust": trust(),
            "pause": pause,
            **changes,
        }
    )


def assertion(
    *,
    audience: str,
    attributes: Mapping[str, str] | None = None,
    name_id: str = CPR,
    token_id: str = "_token",
    at: datetime = NOW,
    life: timedelta = timedelta(minutes=5),
    by: Credential | None = None,
    extra: str = "",
    confirmation: str = BOUND,
    algorithm: SignatureAlgorithm | None = None,
) -> bytes:
    """A SAML assertion signed by the service."""
    each = "".join(
        f'<saml:Attribute Name="{name}"><saml:AttributeValue>{value}</saml:AttributeValue></saml:Attribute>'
        for name, value in (attributes or {CPR_NAME: CPR}).items()
    )
    restriction = f"<saml:AudienceRestriction><saml:Audience>{audience}</saml:Audience></saml:AudienceRestriction>"
    document = (
        f'<saml:Assertion xmlns:saml="{SAML}" ID="{token_id}" Version="2.0" IssueInstant="{written(at)}">'
        f"<saml:Issuer>sts.test</saml:Issuer><saml:Subject><saml:NameID>{name_id}</saml:NameID>{confirmation}"
        f'</saml:Subject><saml:Conditions NotBefore="{written(at)}" NotOnOrAfter="{written(at + life)}">'
        f"{restriction if audience else ''}</saml:Conditions>"
        f"<saml:AttributeStatement>{each}{extra}</saml:AttributeStatement></saml:Assertion>"
    )
    place = Place(path=(f"{{{SAML}}}Assertion",), after=f"{{{SAML}}}Issuer")
    return sign(
        document.encode(), by or signer(), [Reference(id=token_id, is_enveloped=True)], place, algorithm=algorithm
    )


def signed_card(card: bytes, *, keeps_name: bool = False, by: Credential | None = None) -> bytes:
    """The service's copy of a card that a caller signed."""
    bare = _ISSUER.sub(b"<saml:Issuer>TEST-STS</saml:Issuer>", _SIGNATURE.sub(b"", card))
    if not keeps_name:
        bare = _NAME_ID.sub(_CERTIFICATE_NAME, bare)
    place = Place(path=(f"{{{SAML}}}Assertion",))
    references = [Reference(id="IDCard", is_enveloped=True)]
    return sign(bare, by or signer(), references, place, signature_id=("id", "OCESSignature"))


@attrs.frozen(kw_only=True)
class Asked:
    """One request as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    root: UnsignedPart

    def text(self, *names: str) -> str:
        """The text of the one element along a path below the envelope."""
        (found,) = self.root.at(*names)
        return found.element.text

    @property
    def message_id(self) -> str:
        """As sent."""
        return self.text(f"{{{SOAP}}}Header", f"{{{WSA}}}MessageID")

    @property
    def trust_request(self) -> UnsignedPart:
        """The RequestSecurityToken of either dialect."""
        (body,) = self.root.at(f"{{{SOAP}}}Body")
        (found,) = body.children
        return found

    @property
    def audience(self) -> str:
        """As asked for."""
        names = (f"{{{WSP}}}AppliesTo", f"{{{WSA}}}EndpointReference", f"{{{WSA}}}Address")
        (found,) = self.trust_request.at(*names)
        return found.element.text


@attrs.define(kw_only=True)
class FakeSts:
    """Answers as the service would, but for what a test changes.

    `fields` replace what an exchange's answer echoes or says (`relates_to`, `context`, `audience`, `created`, `begins`,
    `ends`, `action`). `token` makes the token from the request. `spoil` changes the bytes of the answer. `instead`
    is tried first: an exception is raised, a `Reply` returned.
    """

    clock: Callable[[], datetime] = lambda: NOW
    fields: dict[str, str] = attrs.field(factory=dict)
    token: Callable[[Asked], bytes] | None = None
    spoil: Callable[[bytes], bytes] = lambda content: content
    instead: list[Exception | Reply] = attrs.field(factory=list)
    signs: Credential | None = attrs.field(factory=signer)
    headers: dict[str, str] = attrs.field(factory=lambda: {"content-type": "text/xml; charset=utf-8"})
    asked: list[Asked] = attrs.field(factory=list)
    pauses: list[float] = attrs.field(factory=list)
    endpoint: str = "sts.test:8443"
    is_closed: bool = False

    def client(self, credential: Credential | None = None, **changes: Any) -> SecurityTokenService:
        """A client of this service; `changes` are fields of its environment."""
        return SecurityTokenService(
            environment(**changes),
            credential or employee(),
            clock=self.clock,
            sleep=self.pauses.append,
            transport=lambda: self,
        )

    def post(self, path: str, body: bytes, *, headers: Mapping[str, str] | None = None, **_: Any) -> Reply:
        """As `MessageTransport.post`."""
        asked = Asked(path=path, headers=dict(headers or {}), body=body, root=read_unsigned(body))
        self.asked.append(asked)
        if self.instead:
            first = self.instead.pop(0)
            if isinstance(first, Exception):
                raise first
            return first
        is_card = asked.trust_request.name == f"{{{WST_2005}}}RequestSecurityToken"
        answer = self._card_answer(asked) if is_card else self._exchange_answer(asked)
        return Reply(status=200, headers=self.headers, body=self.spoil(answer))

    def close(self) -> None:
        """As `MessageTransport.close`."""
        self.is_closed = True

    def _card_answer(self, asked: Asked) -> bytes:
        if self.token is None:
            (claims,) = asked.trust_request.at(f"{{{WST_2005}}}Claims")
            token = signed_card(claims.children[0].original)
        else:
            token = self.token(asked)
        context = self.fields.get("context", "www.sosi.dk")
        before = (
            f'<soap:Envelope xmlns:soap="{SOAP}" xmlns:wst="{WST_2005}" xmlns:wsa="{WSA_2004}" id="Envelope">'
            f'<soap:Header/><soap:Body><wst:RequestSecurityTokenResponse Context="{context}">'
            "<wst:TokenType>urn:oasis:names:tc:SAML:2.0:assertion:</wst:TokenType><wst:RequestedSecurityToken>"
        )
        status = self.fields.get("status", f"{WST_2005}/status/valid")
        after = (
            f"</wst:RequestedSecurityToken><wst:Status><wst:Code>{status}</wst:Code></wst:Status>"
            "</wst:RequestSecurityTokenResponse></soap:Body></soap:Envelope>"
        )
        return before.encode() + token + after.encode()

    def _exchange_answer(self, asked: Asked) -> bytes:
        token = assertion(audience=asked.audience) if self.token is None else self.token(asked)
        fields = {
            "relates_to": asked.message_id,
            "context": asked.trust_request.element.attributes["Context"],
            "audience": asked.audience,
            "created": written(self.clock()),
            "begins": written(self.clock() - timedelta(minutes=5)),
            "ends": written(self.clock() + timedelta(hours=12)),
            "action": ISSUE,
            **self.fields,
        }
        before = (
            f'<soap:Envelope xmlns:soap="{SOAP}" xmlns:wsa="{WSA}" xmlns:wsse="{WSSE}" xmlns:wsu="{WSU}" '
            f'xmlns:wst="{WST}" xmlns:wsp="{WSP}"><soap:Header>'
            '<wsa:Action wsu:Id="action">{action}</wsa:Action><wsa:MessageID wsu:Id="messageID">urn:uuid:1'
            '</wsa:MessageID><wsa:RelatesTo wsu:Id="relatesTo">{relates_to}</wsa:RelatesTo><wsse:Security '
            'mustUnderstand="1"><wsu:Timestamp wsu:Id="timestamp"><wsu:Created>{created}</wsu:Created></wsu:Timestamp>'
            '</wsse:Security></soap:Header><soap:Body wsu:Id="body"><wst:RequestSecurityTokenResponseCollection>'
            '<wst:RequestSecurityTokenResponse Context="{context}"><wst:RequestedSecurityToken>'
        ).format(**fields)
        after = (
            "</wst:RequestedSecurityToken><wsp:AppliesTo><wsa:EndpointReference><wsa:Address>{audience}</wsa:Address>"
            "</wsa:EndpointReference></wsp:AppliesTo><wst:Lifetime><wsu:Created>{begins}</wsu:Created>"
            "<wsu:Expires>{ends}</wsu:Expires></wst:Lifetime></wst:RequestSecurityTokenResponse>"
            "</wst:RequestSecurityTokenResponseCollection></soap:Body></soap:Envelope>"
        ).format(**fields)
        whole = before.encode() + token + after.encode()
        if self.signs is None:
            return whole
        names = ("action", "messageID", "relatesTo", "timestamp", "body")
        return sign(whole, self.signs, [Reference(id=name) for name in names], Place(path=SECURITY))


def fault(code: str, actor: str, text: str, *, status: int = 200, **headers: str) -> Reply:
    """A fault as the service words it."""
    body = (
        f'<soap:Envelope xmlns:soap="{SOAP}" xmlns:wst="{WST}"><soap:Header/><soap:Body><soap:Fault>'
        f"<faultcode>wst:{code}</faultcode><faultstring>{text}</faultstring><faultactor>{actor}</faultactor>"
        "</soap:Fault></soap:Body></soap:Envelope>"
    )
    return Reply(status=status, headers={"content-type": "text/xml; charset=utf-8", **headers}, body=body.encode())


def user_card(**changes: object) -> IdCard:
    """A card of a user of an invented laboratory, not signed yet."""
    fields = {
        "issuer": "ExampleLab",
        "it_system": "Example Lab",
        "care_provider": CareProvider.cvr(CVR, "Example Laboratory"),
        "cpr": CPR,
        "given_name": "Test",
        "surname": "Person",
        "role": "7170",
        **changes,
    }
    return IdCard.user(**fields)  # type: ignore[arg-type]
