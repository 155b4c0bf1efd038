"""A client of the Danish STS that is not ours: messages written as text, signed by hand or by xmlsec1.

By hand is quicker: what was signed so is verified by xmlsec1 in `test_sosi_serves_foreign_clients`.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import http.client
import ssl
import subprocess
import tempfile
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

import attrs
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from support.programs import require

if TYPE_CHECKING:
    from collections.abc import Mapping

    from govfile.sandbox.pki import Issued
    from govfile.sandbox.sosi import Holder, SosiSandbox

NS = {
    "soap": "http://schemas.xmlsoap.org/soap/envelope/",
    "wsse": "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd",
    "wsu": "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd",
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
    "xenc": "http://www.w3.org/2001/04/xmlenc#",
    "wst05": "http://schemas.xmlsoap.org/ws/2005/02/trust",
    "wst": "http://docs.oasis-open.org/ws-sx/ws-trust/200512",
    "wst14": "http://docs.oasis-open.org/ws-sx/ws-trust/200802",
    "wsa": "http://www.w3.org/2005/08/addressing",
    "wsp": "http://schemas.xmlsoap.org/ws/2004/09/policy",
    "auth": "http://docs.oasis-open.org/wsfed/authorization/200706",
    "medcom": "http://www.medcom.dk/dgws/2006/04/dgws-1.0.xsd",
}
_DECLARED = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NS.items())
_SHA = {
    "sha1": (NS["ds"] + "rsa-sha1", NS["ds"] + "sha1"),
    "sha256": ("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", NS["xenc"] + "sha256"),
}
_EXC = "http://www.w3.org/2001/10/xml-exc-c14n#"
_IDS = (
    *("--id-attr:id", f"{NS['saml']}:Assertion", "--id-attr:ID", f"{NS['saml']}:Assertion"),
    *("--id-attr:Id", f"{NS['soap']}:Body", "--id-attr:Id", f"{NS['wsa']}:Action"),
    *("--id-attr:Id", f"{NS['wsa']}:MessageID", "--id-attr:Id", f"{NS['wsa']}:RelatesTo"),
    *("--id-attr:Id", f"{NS['wsa']}:To", "--id-attr:Id", f"{NS['wsu']}:Timestamp"),
)
_ID_NAMES = ("id", "ID", f"{{{NS['wsu']}}}Id")
EXCHANGE = NS["wst"] + "/RST/Issue"


def signature(references: dict[str, bool], *, sha: str = "sha256", transform: str = _EXC, more: str = "") -> str:
    """A signature for xmlsec1 to fill in: id of what is signed, and whether the signature is inside it."""
    method, digest = _SHA[sha]
    listed = "".join(
        f'<ds:Reference URI="#{name}"><ds:Transforms>'
        + (f'<ds:Transform Algorithm="{NS["ds"]}enveloped-signature"/>' if is_within else "")
        + f'<ds:Transform Algorithm="{transform}"/></ds:Transforms>'
        f'<ds:DigestMethod Algorithm="{digest}"/><ds:DigestValue/></ds:Reference>'
        for name, is_within in references.items()
    )
    return (
        f'<ds:Signature{more}><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{_EXC}"/>'
        f'<ds:SignatureMethod Algorithm="{method}"/>{listed}</ds:SignedInfo><ds:SignatureValue/>'
        "<ds:KeyInfo><ds:X509Data/></ds:KeyInfo></ds:Signature>"
    )


def signed(document: str, issued: Issued, *, at: str = "") -> str:
    """The document with the signature at the XPath `at` (the first one by default) filled in.

    A digest that is there stays; the certificate goes where there is an `X509Data`.
    """
    root: Any = etree.fromstring(document)
    found = root.xpath(at or "//*[local-name()='Signature']")[0]
    known = {each.get(name): each for each in root.iter("*") for name in _ID_NAMES if each.get(name)}
    info = found[0]
    for reference in info.iterfind(f"{{{NS['ds']}}}Reference"):
        if reference[2].text:
            continue
        algorithms = [each.get("Algorithm") for each in reference[0]]
        whole = copy.deepcopy(known[reference.get("URI")[1:]])
        for inner in whole.findall(f"{{{NS['ds']}}}Signature") if len(algorithms) > 1 else ():
            whole.remove(inner)
        content = etree.tostring(whole, method="c14n", exclusive=algorithms[-1] == _EXC)
        digest = hashlib.new(str(reference[1].get("Algorithm")).rpartition("#")[2], content).digest()
        reference[2].text = base64.b64encode(digest).decode()
    way = hashes.SHA1() if str(info[1].get("Algorithm")).endswith("sha1") else hashes.SHA256()
    canonical = etree.tostring(info, method="c14n", exclusive=True)
    assert isinstance(issued.key, rsa.RSAPrivateKey)
    found[1].text = base64.b64encode(issued.key.sign(canonical, padding.PKCS1v15(), way)).decode()
    for data in found.iter(f"{{{NS['ds']}}}X509Data"):
        shown = etree.SubElement(data, f"{{{NS['ds']}}}X509Certificate")
        shown.text = base64.b64encode(issued.certificate.public_bytes(Encoding.DER)).decode()
    return etree.tostring(root, encoding="unicode")


def signed_by_xmlsec1(document: str, issued: Issued, *, at: str = "") -> str:
    """The document with the signature at the XPath `at` (the first one by default) filled in by the program."""
    with tempfile.TemporaryDirectory(prefix="govfile-xmlsec1-") as folder:
        template, key, certificate = (Path(folder) / name for name in ("template.xml", "key.pem", "leaf.pem"))
        template.write_text(document)
        key.write_bytes(issued.pem().partition(b"-----BEGIN CERTIFICATE")[0])
        certificate.write_bytes(issued.certificate.public_bytes(Encoding.PEM))
        which = ("--node-xpath", at) if at else ()
        command = [require("xmlsec1"), "--sign", "--privkey-pem", f"{key},{certificate}", *_IDS, *which, str(template)]
        done = subprocess.run(command, capture_output=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode().removeprefix('<?xml version="1.0"?>\n').removesuffix("\n")


def verified(message: bytes, certificate_pem: bytes, *, at: str) -> bool:
    """Whether xmlsec1 finds the signature at the XPath `at` good for that key."""
    with tempfile.TemporaryDirectory(prefix="govfile-xmlsec1-") as folder:
        document, leaf = Path(folder) / "document.xml", Path(folder) / "leaf.pem"
        document.write_bytes(message)
        leaf.write_bytes(certificate_pem)
        command = [require("xmlsec1"), "--verify", "--enabled-key-data", "rsa", "--pubkey-cert-pem", str(leaf)]
        done = subprocess.run(
            [*command, *_IDS, "--node-xpath", at, str(document)], capture_output=True, check=False, timeout=60
        )
        return done.returncode == 0


@attrs.define(kw_only=True)
class CardText:
    """An ID card as text: change a field to make it wrong. A field that is None is left out."""

    card_id: str = "AAAAAAAAAAAAAAAAAAAAAA=="
    issuer: str = "TESTLAB"
    name_id: str = "0101001234"
    name_id_format: str = "medcom:cprnumber"
    version: str = "1.0.1"
    kind: str = "user"
    level: str = "4"
    cpr: str | None = "0101001234"
    given_name: str | None = "Test"
    surname: str | None = "Person"
    role: str | None = "7170"
    code: str | None = None
    occupation: str | None = None
    it_system: str = "Foreign System"
    care_id: str = "20301823"
    care_format: str = "medcom:cvrnumber"
    start: datetime = attrs.field(factory=lambda: datetime.now(UTC) - timedelta(minutes=5))
    life: timedelta = timedelta(hours=24)
    time_format: str = "%Y-%m-%dT%H:%M:%SZ"
    sha: str = "sha256"
    transform: str = _EXC
    signature_id: str = "id"

    @classmethod
    def system(cls, **changes: Any) -> CardText:
        """A system's card."""
        nobody = dict.fromkeys(("cpr", "given_name", "surname", "role"))
        name = {"name_id": "20301823", "name_id_format": "medcom:cvrnumber"}
        return cls(**{"kind": "system", "level": "3", **nobody, **name, **changes})

    def unsigned(self) -> str:
        """The card with an empty signature."""
        start, end = (each.strftime(self.time_format) for each in (self.start, self.start + self.life))
        data = {"IDCardID": self.card_id, "IDCardVersion": self.version, "IDCardType": self.kind}
        data["AuthenticationLevel"] = self.level
        user = {"UserCivilRegistrationNumber": self.cpr, "UserGivenName": self.given_name}
        user |= {"UserSurName": self.surname, "UserRole": self.role, "UserOccupation": self.occupation}
        user |= {"UserAuthorizationCode": self.code}
        system = {"ITSystemName": self.it_system, "CareProviderID": self.care_id, "CareProviderName": "Somewhere"}
        more = f" NameFormat={quoteattr(self.care_format)}"
        log = f'<saml:AttributeStatement id="UserLog">{_attributes("medcom", user)}</saml:AttributeStatement>'
        return (
            f'<saml:Assertion IssueInstant="{start}" Version="2.0" id="IDCard">'
            f"<saml:Issuer>{escape(self.issuer)}</saml:Issuer><saml:Subject>"
            f"<saml:NameID Format={quoteattr(self.name_id_format)}>{escape(self.name_id)}</saml:NameID>"
            "<saml:SubjectConfirmation><saml:ConfirmationMethod>urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"
            "</saml:ConfirmationMethod><saml:SubjectConfirmationData><ds:KeyInfo><ds:KeyName>OCESSignature</ds:KeyName>"
            "</ds:KeyInfo></saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject>"
            f'<saml:Conditions NotBefore="{start}" NotOnOrAfter="{end}"/>'
            f'<saml:AttributeStatement id="IDCardData">{_attributes("sosi", data)}</saml:AttributeStatement>'
            + (log if self.kind == "user" else "")
            + '<saml:AttributeStatement id="SystemLog">'
            + _attributes("medcom", system).replace('ProviderID"', f'ProviderID"{more}')
            + "</saml:AttributeStatement>"
            + signature(
                {"IDCard": True}, sha=self.sha, transform=self.transform, more=f' {self.signature_id}="OCESSignature"'
            )
            + "</saml:Assertion>"
        )


def _attributes(prefix: str, found: Mapping[str, str | None]) -> str:
    return "".join(
        f'<saml:Attribute Name="{prefix}:{name}"><saml:AttributeValue>{escape(each)}</saml:AttributeValue>'
        "</saml:Attribute>"
        for name, each in found.items()
        if each is not None
    )


def card_request(card: CardText, *, token_type: str = "urn:oasis:names:tc:SAML:2.0:assertion:", **other: str) -> str:
    """The request around a card, as dialect A has it; not yet signed."""
    request_type = other.get("request_type", NS["wst05"] + "/Issue")
    now = other.get("created", datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    address = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
    issuer = f'<wst05:Issuer><a:Address xmlns:a="{address}">{escape(card.issuer)}</a:Address></wst05:Issuer>'
    return (
        f'<soap:Envelope {_DECLARED}><soap:Header><wsse:Security id="{other.get("security_id", "m-1")}">'
        f"<wsu:Timestamp><wsu:Created>{now}</wsu:Created></wsu:Timestamp></wsse:Security></soap:Header><soap:Body>"
        f'<wst05:RequestSecurityToken Context="www.sosi.dk"><wst05:TokenType>{token_type}</wst05:TokenType>'
        f"<wst05:RequestType>{request_type}</wst05:RequestType><wst05:Claims>{card.unsigned()}</wst05:Claims>"
        f"{'' if 'no_issuer' in other else issuer}</wst05:RequestSecurityToken></soap:Body></soap:Envelope>"
    )


def exchange_request(act_as: str, audience: str, *, claims: dict[str, str] | None = None, **other: str) -> str:
    """An exchange, with a signature to be filled in unless `unsigned` is given."""
    now = other.get("created", datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.123Z"))
    listed = "".join(
        f'<auth:ClaimType Uri="{name}"><auth:Value>{escape(each)}</auth:Value></auth:ClaimType>'
        for name, each in (claims or {}).items()
    )
    parts = dict.fromkeys(other.get("parts", "messageID action ts body").split(), False)
    signed_parts = "" if "unsigned" in other else signature(parts, sha=other.get("sha", "sha256"))
    return (
        f'<soap:Envelope {_DECLARED}><soap:Header><wsa:Action wsu:Id="action">{EXCHANGE}</wsa:Action>'
        f'<wsa:MessageID wsu:Id="messageID">{other.get("message_id", f"urn:uuid:{uuid.uuid4()}")}</wsa:MessageID>'
        '<wsse:Security mustUnderstand="1" wsu:Id="security">'
        f'<wsu:Timestamp wsu:Id="ts"><wsu:Created>{now}</wsu:Created></wsu:Timestamp>{other.get("header_token", "")}'
        f'{signed_parts}</wsse:Security></soap:Header><soap:Body wsu:Id="body">'
        f'<wst:RequestSecurityToken Context="urn:uuid:{uuid.uuid4()}">'
        "<wst:TokenType>http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLV2.0</wst:TokenType>"
        f"<wst:RequestType>{NS['wst']}/Issue</wst:RequestType><wst14:ActAs>{act_as}</wst14:ActAs>"
        f"<wsp:AppliesTo><wsa:EndpointReference><wsa:Address>{escape(audience)}</wsa:Address></wsa:EndpointReference>"
        "</wsp:AppliesTo>"
        + (f'<wst:Claims Dialect="{NS["auth"]}/authclaims">{listed}</wst:Claims>' if claims is not None else "")
        + "</wst:RequestSecurityToken></soap:Body></soap:Envelope>"
    )


@attrs.frozen(kw_only=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def root(self) -> Any:
        """The document."""
        return etree.fromstring(self.body)

    def text(self, path: str) -> str | None:
        """The text at an XPath, None where there is nothing."""
        found = self.root.xpath(path, namespaces=NS)
        return str(self.root.xpath(f"string({path})", namespaces=NS)) if found else None

    @property
    def fault(self) -> tuple[str, str, str] | None:
        """Code, actor and words of a refusal."""
        found = [self.text(f"//soap:Fault/{name}") for name in ("faultcode", "faultactor", "faultstring")]
        return None if found[0] is None else (str(found[0]).partition(":")[2], str(found[1]), str(found[2]))

    def attribute(self, name: str) -> str | None:
        """The value of an attribute of the token in it."""
        return self.text(f"//saml:Attribute[@Name='{name}']/saml:AttributeValue")


@attrs.define
class Caller:
    """Talks to one sandbox."""

    sandbox: SosiSandbox

    def get(self, path: str) -> Answer:
        """Look at an address."""
        return self._send("GET", path, None, {})

    def post(self, path: str, body: str | bytes, **headers: str) -> Answer:
        """Send a message as it is."""
        sent = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '"Issue"'}
        sent |= {name.replace("_", "-"): each for name, each in headers.items()}
        return self._send("POST", path, body.encode() if isinstance(body, str) else body, sent)

    def _send(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        context = ssl.create_default_context(cadata=self.sandbox.tls_pem().decode())
        connection = http.client.HTTPSConnection("127.0.0.1", self.sandbox.port, context=context, timeout=30)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            found = {name.lower(): each for name, each in response.getheaders()}
            return Answer(status=response.status, headers=found, body=response.read())
        finally:
            connection.close()

    def issue(self, card: CardText | None = None, *, by: Holder | None = None, **other: str) -> Answer:
        """Have a card signed, by default the first employee's."""
        request = signed(card_request(card or CardText(), **other), (by or self.sandbox.employee).issued)
        return self.post(other.get("path", self.sandbox.settings.paths.new), request)

    def card(self, card: CardText | None = None, **other: Any) -> str:
        """A card the STS signed, as text that stands by itself."""
        answer = self.issue(card, **other)
        assert answer.fault is None, answer.fault
        return etree.tostring(answer.root.find(f".//{{{NS['saml']}}}Assertion"), encoding="unicode", with_tail=False)

    def exchange(self, path: str, act_as: str, audience: str, *, by: Issued | None = None, **other: Any) -> Answer:
        """Ask for an exchange; the envelope is signed by the first employee unless `unsigned` is given."""
        request = exchange_request(act_as, audience, **other)
        if "unsigned" not in other:
            where = "//*[local-name()='Security']/*[local-name()='Signature']"
            request = signed(request, by or self.sandbox.employee.issued, at=where)
        return self.post(path, request)
