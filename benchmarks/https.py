"""SOAP calls over TLS on loopback: ours beside zeep's, start-up apart.

    python benchmarks/https.py [SECONDS]

One server (a process of its own, Nagle's delay off) answers all of them over kept connections. zeep builds and parses
by a WSDL, ours by a template. Each comes in two forms, plain and signed with 2048 bits. For zeep, signed means its own
WS-Security by python-xmlsec (dependency group `benchmarks`; left out without it), with its keys kept, which it does
not do by itself: it signs the body, and of the answer it checks the signature under a certificate that it is given.
Ours signs body and time stamp, and verifies chain, places, ids and algorithms too. They take turns, a fifth of a second
of wall clock each (or SECONDS), 15 times; printed are medians, and the medians of the ratios within a turn.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import ipaddress
import multiprocessing
import socket
import ssl
import statistics
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests
import zeep
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from govfile.certificates.credential import Credential
from govfile.certificates.trust import Trust
from govfile.transports.https import HttpsTransport
from govfile.transports.https_policy import HttpsPolicy
from govfile.xml.parse import parse
from govfile.xml.policy import Part, Policy, Signers
from govfile.xml.signing import Reference, sign
from govfile.xml.soap import read_soap
from govfile.xml.splicing import Place
from govfile.xml.verifying import verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

ROUNDS = 15
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
ENVELOPE = (f"{{{SOAP}}}Envelope",)
SECURITY = (*ENVELOPE, f"{{{SOAP}}}Header", f"{{{WSSE}}}Security")
BODY = (*ENVELOPE, f"{{{SOAP}}}Body")
HEADERS = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '"ask"'}
FIELDS = 12

WSDL = f"""<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
 xmlns:t="urn:example" xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:example">
<types><xs:schema targetNamespace="urn:example" elementFormDefault="qualified">
<xs:complexType name="Fields"><xs:sequence>
<xs:element name="field" type="xs:string" minOccurs="{FIELDS}" maxOccurs="{FIELDS}"/></xs:sequence></xs:complexType>
<xs:element name="Ask" type="t:Fields"/><xs:element name="Answer" type="t:Fields"/></xs:schema></types>
<message name="In"><part name="p" element="t:Ask"/></message>
<message name="Out"><part name="p" element="t:Answer"/></message>
<portType name="Port"><operation name="Ask"><input message="t:In"/><output message="t:Out"/></operation></portType>
<binding name="Binding" type="t:Port"><soap:binding transport="http://schemas.xmlsoap.org/soap/http"/>
<operation name="Ask"><soap:operation soapAction="ask"/><input><soap:body use="literal"/></input>
<output><soap:body use="literal"/></output></operation></binding>
<service name="Service"><port name="Port" binding="t:Binding"><soap:address location="LOCATION"/></port></service>
</definitions>"""


def message(name: str, *, is_signed: bool) -> bytes:
    """A message of the usual size, ready to be signed or without what that takes."""
    fields = "".join(f"<field>value {number} of a usual length</field>" for number in range(FIELDS))
    head = (
        f'<soap:Header><wsse:Security xmlns:wsse="{WSSE}" xmlns:wsu="{WSU}"><wsu:Timestamp wsu:Id="ts"><wsu:Created>'
        f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}</wsu:Created></wsu:Timestamp></wsse:Security></soap:Header>"
        if is_signed
        else ""
    )
    attribute = f' xmlns:wsu="{WSU}" wsu:Id="body"' if is_signed else ""
    return (
        f'<soap:Envelope xmlns:soap="{SOAP}">{head}<soap:Body{attribute}><{name} xmlns="urn:example">{fields}</{name}>'
        "</soap:Body></soap:Envelope>"
    ).encode()


def signed(credential: Credential, name: str) -> bytes:
    """A message with its body and its time stamp signed."""
    document = message(name, is_signed=True)
    return sign(document, credential, [Reference(id="ts"), Reference(id="body")], Place(path=SECURITY))


def certificate(key: rsa.RSAPrivateKey, issuer_key: rsa.RSAPrivateKey, name: str, issuer: str) -> x509.Certificate:
    """A certificate under an authority, or the authority's own."""
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in (name, issuer)]
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(names[0]).issuer_name(names[1]).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
    builder = builder.not_valid_after(now + timedelta(days=1))
    builder = builder.add_extension(x509.BasicConstraints(ca=name == issuer, path_length=None), critical=True)
    host = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.IPv4Address("127.0.0.1"))])
    return builder.add_extension(host, critical=False).sign(issuer_key, hashes.SHA256())


def serve(pem: bytes, answers: dict[str, bytes], tell: Connection) -> None:
    """Answer every request by its path, for ever."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:
        file.write(pem)
        file.flush()
        context.load_cert_chain(file.name)
    listener = socket.create_server(("127.0.0.1", 0))
    tell.send(listener.getsockname()[1])
    while True:
        sock, _ = listener.accept()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        tls = context.wrap_socket(sock, server_side=True)
        threading.Thread(target=talk, args=(tls, answers), daemon=True).start()


def talk(tls: ssl.SSLSocket, answers: dict[str, bytes]) -> None:
    """Hold one connection."""
    with contextlib.suppress(OSError), tls, tls.makefile("rb") as reader:
        while line := reader.readline():
            length = 0
            while (header := reader.readline()) not in {b"\r\n", b""}:
                if header.lower().startswith(b"content-length:"):
                    length = int(header.partition(b":")[2])
            reader.read(length)
            body = answers[line.split()[1].decode()]
            head = f"HTTP/1.1 200 OK\r\nContent-Type: text/xml; charset=utf-8\r\nContent-Length: {len(body)}\r\n\r\n"
            tls.sendall(head.encode() + body)


class Contest:
    """The server, and what each contestant does with it."""

    def __init__(self, folder: Path) -> None:
        keys = [rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2)]
        root = certificate(keys[0], keys[0], "benchmark root", "benchmark root")
        own = certificate(keys[1], keys[0], "benchmark", "benchmark root")
        pem = own.public_bytes(Encoding.PEM)
        pem += keys[1].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        anchor = root.public_bytes(Encoding.PEM)
        self.credential = Credential.from_pem(pem)
        self.policy = Policy(
            signature=SECURITY,
            parts=(Part(path=BODY), Part(path=(*SECURITY, f"{{{WSU}}}Timestamp"))),
            signers=Signers(trust=Trust.only(anchor)),
        )
        answers = {"/plain": message("Answer", is_signed=False), "/signed": signed(self.credential, "Answer")}
        hear, tell = multiprocessing.get_context("fork").Pipe(duplex=False)
        self.server = multiprocessing.get_context("fork").Process(target=serve, args=(pem, answers, tell), daemon=True)
        self.server.start()
        url = f"https://127.0.0.1:{hear.recv()}"
        policy = HttpsPolicy(idle=60.0)
        self.transport = HttpsTransport(url, trust=Trust.only(anchor), policy=policy)
        self.request = message("Ask", is_signed=False)
        (folder / "root.pem").write_bytes(anchor)
        (folder / "own.pem").write_bytes(pem)
        self.zeep = zeep_client(folder, f"{url}/plain")
        security = wsse(folder / "own.pem")
        self.signing_zeep = zeep_client(folder, f"{url}/signed", security) if security else None
        self.values = [f"value {number} of a usual length" for number in range(FIELDS)]

    def ours_plain(self) -> None:
        """Template, post, read."""
        reply = self.transport.post("/plain", self.request, headers=HEADERS)
        answer = read_soap(reply.body, content_type=reply.content_type, status=reply.status)
        assert len(parse(answer.body_child()).children) == FIELDS

    def ours_signed(self) -> None:
        """Sign, post, read, verify, and take the answer from what was verified."""
        reply = self.transport.post("/signed", signed(self.credential, "Ask"), headers=HEADERS)
        answer = read_soap(reply.body, content_type=reply.content_type, status=reply.status)
        assert len(verify(answer.xml, self.policy).element.children[0].children) == FIELDS

    def theirs(self) -> None:
        """By the WSDL."""
        assert len(self.zeep.service.Ask(self.values)) == FIELDS

    def theirs_signed(self) -> None:
        """By the WSDL and WS-Security."""
        assert self.signing_zeep is not None
        assert len(self.signing_zeep.service.Ask(self.values)) == FIELDS

    def contestants(self) -> dict[str, Callable[[], object]]:
        """Who takes part."""
        found: dict[str, Callable[[], object]] = {"plain": self.ours_plain, "zeep plain": self.theirs}
        found["signed"] = self.ours_signed
        if self.signing_zeep is not None:
            found["zeep signed"] = self.theirs_signed
        return found

    def close(self) -> None:
        """End what runs."""
        self.transport.close()
        for client in filter(None, (self.zeep, self.signing_zeep)):
            client.transport.session.close()
        self.server.terminate()
        self.server.join()


def zeep_client(folder: Path, location: str, security: Any = None) -> Any:
    """A client of zeep on the same server, trusting the same authority."""
    (folder / "service.wsdl").write_text(WSDL.replace("LOCATION", location))
    session = requests.Session()
    session.verify = str(folder / "root.pem")
    session.trust_env = False
    library: Any = zeep
    return library.Client(str(folder / "service.wsdl"), transport=library.Transport(session=session), wsse=security)


def wsse(identity: Path) -> Any:
    """zeep's own signing and verifying, with its keys loaded once; None without python-xmlsec."""
    try:
        xmlsec = importlib.import_module("xmlsec")
    except ImportError as error:
        print(f"signing with zeep is left out: {error}")
        return None
    theirs: Any = importlib.import_module("zeep.wsse.signature")
    for loader in ("_make_sign_key", "_make_verify_key"):
        setattr(theirs, loader, functools.cache(getattr(theirs, loader)))
    methods = {"signature_method": xmlsec.Transform.RSA_SHA256, "digest_method": xmlsec.Transform.SHA256}
    return theirs.Signature(str(identity), str(identity), **methods)


def rate(work: Callable[[], object], seconds: float) -> float:
    """How often a second."""
    count = 0
    began = time.perf_counter()
    while (passed := time.perf_counter() - began) < seconds:
        work()
        count += 1
    return count / passed


def main(seconds: float = 0.2) -> int:
    """Print the rows."""
    with tempfile.TemporaryDirectory() as folder:
        contest = Contest(Path(folder))
        contestants = contest.contestants()
        rates: dict[str, list[float]] = {name: [] for name in contestants}
        try:
            for work in contestants.values():
                work()
            for _ in range(ROUNDS):
                for name, work in contestants.items():
                    rates[name].append(rate(work, seconds))
        finally:
            contest.close()
    for name, found in rates.items():
        print(f"one SOAP call: {name} {statistics.median(found):.0f}/s")
    for name in ("plain", "signed"):
        if f"zeep {name}" in rates:
            pairs = zip(rates[name], rates[f"zeep {name}"], strict=True)
            print(f"ratio: SOAP call, {name}, over zeep | {statistics.median(a / b for a, b in pairs):.2f} | >= 1")
    return 0


if __name__ == "__main__":
    sys.exit(main(*(float(argument) for argument in sys.argv[1:2])))
