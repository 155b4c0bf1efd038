"""XML signatures at 3072 bits: ours beside signxml, python-xmlsec and the bare RSA operation.

    python benchmarks/xml_signatures.py [SECONDS]

All sign the same SAML response (bytes in, bytes out: parsed, its assertion signed with RSA-SHA256 and exclusive
canonicalisation, written), and verify the same signed one, in four sizes. Keys are loaded once. They take turns, a
twentieth of a second of processor time each (or SECONDS), 21 times; printed are medians, and the medians of the ratios
within a turn. In the smallest, almost all of signing is the RSA operation, so its row says how much room there is.

For verifying, the others check what they check by themselves: python-xmlsec the signature under a given certificate,
signxml the same and its own schema; ours also the chain, the place, the ids and the time. python-xmlsec is in the
dependency group `benchmarks`; without it its rows are left out.
"""

from __future__ import annotations

import importlib
import statistics
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml.algorithms import CanonicalizationMethod
from signxml.signer import XMLSigner
from signxml.verifier import XMLVerifier

from govfile.certificates.credential import Credential
from govfile.certificates.trust import Trust
from govfile.xml.policy import Policy, Signers, Window
from govfile.xml.signing import Reference, sign
from govfile.xml.splicing import Place
from govfile.xml.verifying import verify

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 21
#: Attributes of a response: what a log-in brings (2 KiB), a card in its envelope (14 KiB), long records.
SIZES = (12, 120, 400, 2000)
SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
SAMLP = "urn:oasis:names:tc:SAML:2.0:protocol"
DS = "http://www.w3.org/2000/09/xmldsig#"
PATH = (f"{{{SAMLP}}}Response", f"{{{SAML}}}Assertion")
PLACEHOLDER = f'<ds:Signature xmlns:ds="{DS}" Id="placeholder"/>'


def response(size: int) -> bytes:
    """A SAML response with `size` attributes; twelve are usual."""
    now = datetime.now(UTC)
    begin, end = (f"{now + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}" for minutes in (-5, 60))
    attributes = "".join(
        f'<saml:Attribute Name="urn:example:attribute:{number}"><saml:AttributeValue>value {number}'
        "</saml:AttributeValue></saml:Attribute>"
        for number in range(size)
    )
    return (
        f'<samlp:Response xmlns:samlp="{SAMLP}" ID="_response" Version="2.0" IssueInstant="{begin}">'
        f'<saml:Assertion xmlns:saml="{SAML}" ID="_assertion" Version="2.0" IssueInstant="{begin}">'
        "<saml:Issuer>https://idp.example.dk</saml:Issuer><saml:Subject><saml:NameID>someone</saml:NameID></saml:Subject>"
        f'<saml:Conditions NotBefore="{begin}" NotOnOrAfter="{end}"/>'
        f"<saml:AttributeStatement>{attributes}</saml:AttributeStatement></saml:Assertion></samlp:Response>"
    ).encode()


def certificate(key: rsa.RSAPrivateKey, issuer_key: rsa.RSAPrivateKey, name: str, issuer: str) -> x509.Certificate:
    """A certificate under an authority, or the authority's own."""
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in (name, issuer)]
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(names[0]).issuer_name(names[1]).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
    builder = builder.not_valid_after(now + timedelta(days=1))
    authority = x509.BasicConstraints(ca=name == issuer, path_length=None)
    return builder.add_extension(authority, critical=True).sign(issuer_key, hashes.SHA256())


class Contest:
    """The key, the document, and what each contestant does with them."""

    def __init__(self, size: int) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
        root_key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
        root = certificate(root_key, root_key, "benchmark root", "benchmark root")
        own = certificate(self.key, root_key, "benchmark", "benchmark root")
        self.pem = own.public_bytes(Encoding.PEM)
        self.key_pem = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        self.credential = Credential.from_pem(self.pem + self.key_pem)
        anchors = Trust.only(root.public_bytes(Encoding.PEM))
        self.policy = Policy.enveloped(PATH, Signers(trust=anchors), window=Window())
        self.document = response(size)
        marked = b"</saml:Issuer><saml:Subject>", b"</saml:Issuer>" + PLACEHOLDER.encode() + b"<saml:Subject>"
        self.prepared = self.document.replace(*marked)
        self.signed = self.ours_sign()

    def ours_sign(self) -> bytes:
        """Ours."""
        place = Place(path=PATH, after=f"{{{SAML}}}Issuer")
        return sign(self.document, self.credential, [Reference(id="_assertion", is_enveloped=True)], place)

    def ours_verify(self) -> None:
        """Ours."""
        verify(self.signed, self.policy)

    def signxml_sign(self) -> bytes:
        """As its README shows it for SAML."""
        signer = XMLSigner(c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0)
        root = etree.fromstring(self.prepared)
        signed = signer.sign(root, key=self.key, cert=self.pem.decode(), reference_uri="_assertion")
        return bytes(etree.tostring(signed))

    def signxml_verify(self) -> None:
        """Under the given certificate."""
        XMLVerifier().verify(self.signed, x509_cert=self.pem.decode())

    def raw_sign(self) -> None:
        """The RSA operation alone."""
        self.key.sign(self.signed, padding.PKCS1v15(), hashes.SHA256())

    def contestants(self, what: str) -> dict[str, Callable[[], object]]:
        """Who takes part in signing or verifying."""
        if what == "sign":
            found: dict[str, Callable[[], object]] = {"govfile": self.ours_sign, "signxml": self.signxml_sign}
            found["raw RSA"] = self.raw_sign
        else:
            found = {"govfile": self.ours_verify, "signxml": self.signxml_verify, "raw RSA signing": self.raw_sign}
        try:
            xmlsec = importlib.import_module("xmlsec")
        except ImportError as error:
            print(f"python-xmlsec is left out: {error}")
            return found
        peer = Xmlsec(xmlsec, self)
        found["python-xmlsec"] = peer.sign if what == "sign" else peer.verify
        return found


class Xmlsec:
    """python-xmlsec, with its key and certificate loaded once."""

    def __init__(self, xmlsec: Any, contest: Contest) -> None:
        self.xmlsec = xmlsec
        self.contest = contest
        self.key = xmlsec.Key.from_memory(contest.key_pem, xmlsec.KeyFormat.PEM)
        self.key.load_cert_from_memory(contest.pem, xmlsec.KeyFormat.PEM)
        self.public = xmlsec.Key.from_memory(contest.pem, xmlsec.KeyFormat.CERT_PEM)

    def sign(self) -> bytes:
        """Parse, build its template, sign, write."""
        xmlsec = self.xmlsec
        root = etree.fromstring(self.contest.document)
        assertion = root[0]
        template = xmlsec.template.create(assertion, xmlsec.Transform.EXCL_C14N, xmlsec.Transform.RSA_SHA256, ns="ds")
        assertion.insert(1, template)
        reference = xmlsec.template.add_reference(template, xmlsec.Transform.SHA256, uri="#_assertion")
        xmlsec.template.add_transform(reference, xmlsec.Transform.ENVELOPED)
        xmlsec.template.add_transform(reference, xmlsec.Transform.EXCL_C14N)
        xmlsec.template.add_x509_data(xmlsec.template.ensure_key_info(template))
        xmlsec.tree.add_ids(root, ["ID"])
        context = xmlsec.SignatureContext()
        context.key = self.key
        context.sign(template)
        return bytes(etree.tostring(root))

    def verify(self) -> None:
        """Under the given certificate."""
        root = etree.fromstring(self.contest.signed)
        self.xmlsec.tree.add_ids(root, ["ID"])
        context = self.xmlsec.SignatureContext()
        context.key = self.public
        context.verify(self.xmlsec.tree.find_node(root, "Signature"))


def rate(work: Callable[[], object], seconds: float) -> float:
    """How often a second of processor time: all of it is computing, and others may use the machine."""
    count = 0
    began = time.process_time()
    while (passed := time.process_time() - began) < seconds:
        work()
        count += 1
    return count / passed


def compare(what: str, contestants: dict[str, Callable[[], object]], seconds: float) -> dict[str, float]:
    """Let all take turns; print each one's median, return the medians of ours over each other one."""
    for work in contestants.values():
        work()
    rates: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(ROUNDS):
        for name, work in contestants.items():
            rates[name].append(rate(work, seconds))
    for name, found in rates.items():
        print(f"{what}, 3072 bits: {name} {statistics.median(found):.0f}/s")
    others = {name: found for name, found in rates.items() if name != "govfile"}
    return {
        name: statistics.median(mine / other for mine, other in zip(rates["govfile"], found, strict=True))
        for name, found in others.items()
    }


def main(seconds: float = 0.05) -> int:
    """Print the rows."""
    targets = {("sign", "python-xmlsec"): " | >= 1.3", ("verify", "raw RSA signing"): " | >= 3.2"}
    for size in SIZES:
        contest = Contest(size)
        kind = f"{len(contest.document) / 1024:.0f} KiB"
        for what in ("sign", "verify"):
            for name, ratio in compare(f"{what} {kind}", contest.contestants(what), seconds).items():
                target = targets.get((what, name), "") if what == "sign" or size == SIZES[0] else ""
                print(f"ratio: XML {what}, 3072, {kind}, over {name} | {ratio:.2f}{target}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*(float(argument) for argument in sys.argv[1:2])))
