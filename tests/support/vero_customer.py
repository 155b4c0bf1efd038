"""A customer of the Finnish sandbox with nothing of govfile's: http.client, signxml, text put together by hand."""

from __future__ import annotations

import base64
import functools
import http.client
import re
import ssl
import subprocess
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

import attrs
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml.algorithms import SignatureConstructionMethod
from signxml.signer import XMLSigner

from govfile.sandbox.vero import VeroSandbox, throw_away
from support.programs import require

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

SERVICE = "http://certificates.vero.fi/2017/10/certificateservices"
DS = "http://www.w3.org/2000/09/xmldsig#"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
ID, NAME = "0123456-7", "Ab Example Oy"


@functools.cache
def key(use: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """A key; equal uses share one."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def request(of: rsa.RSAPrivateKey, name: str = ID) -> bytes:
    """A certificate request in DER."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(of, hashes.SHA256())
    return made.public_bytes(Encoding.DER)


def text(data: bytes) -> str:
    """Base64."""
    return base64.b64encode(data).decode()


def payload(root: str, *children: tuple[str, str], namespace: str = SERVICE) -> str:
    """A message: a root with a prefix, children without."""
    inside = "".join(f"<{name}>{value}</{name}>" for name, value in children)
    return f'<c:{root} xmlns:c="{namespace}">{inside}</c:{root}>'


def enveloped(message: str) -> bytes:
    """In an envelope."""
    return f'<e:Envelope xmlns:e="{SOAP}"><e:Header/><e:Body>{message}</e:Body></e:Envelope>'.encode()


def signed(message: str | bytes, by: rsa.RSAPrivateKey, certificate: x509.Certificate) -> str:
    """Signed by signxml: enveloped, exclusive C14N, RSA with SHA-256."""
    signer = XMLSigner(method=SignatureConstructionMethod.enveloped, c14n_algorithm=EXCLUSIVE)
    pem = certificate.public_bytes(Encoding.PEM).decode()
    return etree.tostring(signer.sign(etree.fromstring(message), key=by, cert=[pem])).decode()


@attrs.frozen(kw_only=True)
class Heard:
    """An answer as it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes = attrs.field(repr=False)

    @property
    def payload(self) -> bytes:
        """The body's child, cut out byte for byte."""
        found = re.search(rb"<SOAP-ENV:Body>(.*)</SOAP-ENV:Body>", self.body, re.DOTALL)
        assert found is not None
        return found[1]

    def __getitem__(self, name: str) -> str:
        found = etree.fromstring(self.body).find(f".//{name}")
        return (found.text or "") if found is not None else ""

    @property
    def code(self) -> str:
        """The first error code, or nothing."""
        return self["ErrorCode"]

    @property
    def fault(self) -> str:
        """What a SOAP fault says."""
        return self["faultstring"]

    @property
    def certificate(self) -> x509.Certificate:
        """The certificate in it."""
        return x509.load_der_x509_certificate(base64.b64decode(self["Certificate"]))


class Customer:
    """One customer of a running sandbox; use it in a `with` block. `shows` is the certificate for the register."""

    def __init__(self, authority: VeroSandbox, *, customer_id: str = ID, shows: Path | None = None) -> None:
        self.authority = authority
        self.customer_id = customer_id
        self._context = ssl.create_default_context(cadata=authority.trust_pem().decode())
        if shows is not None:
            self._context.load_cert_chain(shows)
        self._connections: dict[str, http.client.HTTPSConnection] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for connection in self._connections.values():
            connection.close()

    def post(self, url: str, action: str, body: bytes, **headers: str) -> Heard:
        """Any body to any address of the sandbox."""
        parts = urlsplit(url)
        if parts.netloc not in self._connections:
            self._connections[parts.netloc] = http.client.HTTPSConnection(
                parts.netloc, context=self._context, timeout=20
            )
        connection = self._connections[parts.netloc]
        fields = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": action}
        fields |= {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request("POST", parts.path, body=body, headers=fields)
            with connection.getresponse() as found:
                names = {name.lower(): value for name, value in found.getheaders()}
                return Heard(status=found.status, headers=names, body=found.read())
        except BaseException:
            connection.close()
            raise

    def call(self, operation: str, message: str, *, bench: bool = False) -> Heard:
        """A message to the certificate service."""
        where = self.authority.bench_environment if bench else self.authority.environment
        return self.post(where.url + where.path, operation, enveloped(message))

    def sign_new(self, codes: tuple[str, str], of: rsa.RSAPrivateKey, *, bench: bool = False, **changes: str) -> Heard:
        """Ask for a first certificate."""
        values = {
            "Environment": "TEST",
            "CustomerId": self.customer_id,
            "TransferId": codes[0],
            "TransferPassword": codes[1],
            "CertificateRequest": text(request(of)),
        }
        message = payload("SignNewCertificateRequest", *(values | changes).items())
        return self.call("signNewCertificate", message, bench=bench)

    def renewal(self, of: rsa.RSAPrivateKey, **changes: str) -> str:
        """A renewal that nobody signed yet."""
        values = {
            "Environment": "TEST",
            "CustomerId": self.customer_id,
            "CertificateRequest": text(request(of)),
        }
        return payload("RenewCertificateRequest", *(values | changes).items())

    def renew(
        self, of: rsa.RSAPrivateKey, by: rsa.RSAPrivateKey, old: x509.Certificate, *, bench: bool = False
    ) -> Heard:
        """Ask for a successor of `old`."""
        return self.call("renewCertificate", signed(self.renewal(of), by, old), bench=bench)

    def get(self, retrieval: str, *, bench: bool = False, **changes: str) -> Heard:
        """Ask for a certificate."""
        values = {"Environment": "TEST", "CustomerId": self.customer_id, "RetrievalId": retrieval}
        return self.call("getCertificate", payload("GetCertificateRequest", *(values | changes).items()), bench=bench)

    def enrolled(self, use: str = "first") -> x509.Certificate:
        """A first certificate, from invitation to the end; its key is `key(use)`."""
        code, password = self.authority.invite(self.customer_id, customer_name=NAME)
        retrieval = self.sign_new((code, password.reveal()), key(use))["RetrievalId"]
        while (heard := self.get(retrieval))["Status"] != "OK":
            assert heard.code == "PKI920"
        return heard.certificate

    def service(self, name: str, operation: str, message: str) -> Heard:
        """A message to one of the register's services."""
        register = self.authority.environment.register
        assert register is not None
        return self.post(f"{register.url}{register.path}/{name}.svc", operation, enveloped(message))


def papers(authority: VeroSandbox, folder: Path, *, customer_id: str = ID) -> tuple[Path, x509.Certificate]:
    """A certificate for the register without any order: a PEM file with its key, and itself."""
    certificate = authority.credential_for(customer_id).certificate
    place = folder / "client.pem"
    private = throw_away.key(throw_away.Key.CUSTOMER).private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
    )
    place.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    return place, certificate


def holds(document: bytes, folder: Path) -> bool:
    """Whether xmlsec1 finds the signature sound and its signer under the sandbox's root."""
    chain = []
    for which in throw_away.Authority:
        place = folder / f"{which.name}.pem"
        place.write_bytes(throw_away.certificate(which).public_bytes(Encoding.PEM))
        chain += ["--trusted-pem" if which is throw_away.Authority.ROOT else "--untrusted-pem", str(place)]
    place = folder / "answer.xml"
    place.write_bytes(document)
    command = [require("xmlsec1"), "--verify", "--enabled-key-data", "x509", *chain, str(place)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
