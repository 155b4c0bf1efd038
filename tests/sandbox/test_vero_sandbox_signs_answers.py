"""Answers as the authority gives them: signed before the envelope, by its own chain, fit for the published schema."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from signxml.exceptions import InvalidDigest, InvalidSignature
from signxml.verifier import XMLVerifier

from govfile import vero
from govfile.errors import ConfigurationError
from govfile.sandbox.vero import Form, SandboxClock, Settings, VeroSandbox, throw_away
from govfile.sandbox.vero.throw_away import Authority, Key
from govfile.vero import anchors
from support.programs import require
from support.vero_customer import DS, Customer, Heard, enveloped, holds, key, papers, signed, text
from support.vero_throw_away import GENERALIZED_TIME, authority, with_generalized_times

VECTORS = Path(__file__).parents[2].parent / "shared" / "vectors" / "vero"
SHIPPED = Path(throw_away.__file__).with_name("throw-away.json")


def heard_by(customer: Customer) -> dict[str, Heard]:
    """One answer of each kind, OK and FAIL."""
    code, password = customer.authority.invite(customer.customer_id, customer_name="Ab Example & Söner Oy")
    codes = (code, password.reveal())
    first = customer.sign_new(codes, key("first"))
    retrieval = first["RetrievalId"]
    early = customer.get(retrieval)
    got = customer.get(retrieval)
    old = got.certificate
    too_early = customer.renew(key("second"), key("first"), old)
    customer.authority.clock.advance(timedelta(days=700))
    return {
        "signed": first,
        "refused": customer.sign_new(codes, key("first")),
        "not ready": early,
        "got": got,
        "too early": too_early,
        "renewed": customer.renew(key("second"), key("first"), old),
    }


@pytest.mark.parametrize("form", Form)
def test_every_answer_holds_for_xmlsec1_outside_its_envelope(form: Form, tmp_path: Path) -> None:
    require("xmlsec1")
    with VeroSandbox(settings=Settings(form=form)) as authority, Customer(authority) as customer:
        answers = heard_by(customer)
    del answers["refused"], answers["renewed"]  # xmlsec1 judges at today's date, the signer is of a later year
    for heard in answers.values():
        assert heard.status == 200
        assert holds(heard.payload, tmp_path)
        assert not holds(heard.payload.replace(b"Status>", b"status>"), tmp_path)


def test_inclusive_answers_do_not_hold_inside_their_envelope() -> None:
    """What a client has to undo: the envelope's namespace is in scope there, and was not when the answer was signed."""
    with VeroSandbox() as authority, Customer(authority) as customer:
        heard = customer.get("0" * 32)
    certificate = etree.fromstring(heard.payload).findtext(f".//{{{DS}}}X509Certificate")
    assert certificate is not None
    pem = x509.load_der_x509_certificate(base64.b64decode(certificate)).public_bytes(Encoding.PEM).decode()
    XMLVerifier().verify(etree.fromstring(heard.payload), x509_cert=pem)
    inside = etree.fromstring(heard.body)
    with pytest.raises((InvalidDigest, InvalidSignature)):
        XMLVerifier().verify(inside, x509_cert=pem)
    assert _digest_of(inside) != _digest_of(etree.fromstring(heard.payload))


def _digest_of(root: etree._Element) -> bytes:
    """The inclusive digest of the answer as it stands in `root`, without its signature."""
    made = copy.deepcopy(root)
    (signature,) = made.iter(f"{{{DS}}}Signature")
    parent = signature.getparent()
    assert parent is not None
    parent.remove(signature)
    return hashlib.sha256(etree.tostring(etree.ElementTree(parent), method="c14n")).digest()


def test_the_wire_is_written_as_the_authority_writes_it() -> None:
    with VeroSandbox() as authority, Customer(authority) as customer:
        heard = customer.get("0" * 32)
    assert heard.body.startswith(b"<SOAP-ENV:Envelope ")
    assert b"<SOAP-ENV:Header/>" in heard.body
    for name in (b"SignatureValue", b"X509Certificate"):
        assert b"&#13;\n" in heard.body[heard.body.index(b"<ds:" + name) : heard.body.index(b"</ds:" + name)]
    assert heard.headers["content-type"] == "text/xml; charset=utf-8"
    root = etree.fromstring(heard.payload)
    assert root[-1].tag == f"{{{DS}}}Signature"
    assert [child.tag for child in list(root)[:-1]] == ["Result"], "children have no namespace"


def test_certificates_and_signers_lead_up_to_the_same_root() -> None:
    chain = {which: throw_away.certificate(which) for which in Authority}
    chain[Authority.SERVICES].verify_directly_issued_by(chain[Authority.INTERMEDIATE])
    chain[Authority.DATA_PROVIDERS].verify_directly_issued_by(chain[Authority.INTERMEDIATE])
    chain[Authority.INTERMEDIATE].verify_directly_issued_by(chain[Authority.ROOT])
    chain[Authority.ROOT].verify_directly_issued_by(chain[Authority.ROOT])
    for which in (Authority.SERVICES, Authority.DATA_PROVIDERS):
        assert throw_away.key(Key(which.value)).public_key() == chain[which].public_key()


def test_the_chain_has_the_two_traps_of_the_real_test_chain(tmp_path: Path) -> None:
    """Keys of 8192 bits, and dates before 2050 as GeneralizedTime: OpenSSL takes them, strict path builders do not."""
    for which, bits in ((Authority.ROOT, 8192), (Authority.INTERMEDIATE, 8192), (Authority.SERVICES, 4096)):
        certificate = throw_away.certificate(which)
        public = certificate.public_key()
        assert isinstance(public, rsa.RSAPublicKey)
        assert public.key_size == bits
        start = f"{certificate.not_valid_before_utc:%Y%m%d%H%M%SZ}".encode()
        written = GENERALIZED_TIME + bytes([len(start)]) + start in certificate.tbs_certificate_bytes
        assert written is (bits == 8192)
        assert certificate.not_valid_after_utc.year < 2050
    places = {}
    for which in Authority:
        places[which] = tmp_path / f"{which.name}.pem"
        places[which].write_bytes(throw_away.certificate(which).public_bytes(Encoding.PEM))
    command = [require("openssl"), "verify", "-CAfile", places[Authority.ROOT]]
    command += ["-untrusted", places[Authority.INTERMEDIATE], places[Authority.SERVICES]]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_nobody_can_take_the_throw_away_authorities_for_the_real_ones() -> None:
    assert "known to everybody" in json.loads(SHIPPED.read_text())["warning"]
    real = {pin.sha256 for pins in (anchors.PRODUCTION, anchors.TEST) for pin in (*pins.answers, *pins.issued)}
    for which in Authority:
        certificate = throw_away.certificate(which)
        assert "govfile sandbox" in certificate.subject.rfc4514_string()
        assert certificate.fingerprint(hashes.SHA256()).hex() not in real
    with pytest.raises(ConfigurationError, match="none of the certificates"):
        vero.TEST.trusting(VeroSandbox.authorities_pem())


def test_how_the_throw_away_authorities_were_made() -> None:
    made = authority("Example", 2048, (2018, 2049), None, 0)
    other = with_generalized_times(made.certificate, made.key)
    other.verify_directly_issued_by(other)
    assert (other.not_valid_before_utc, other.not_valid_after_utc) == (
        made.certificate.not_valid_before_utc,
        made.certificate.not_valid_after_utc,
    )
    start = GENERALIZED_TIME + bytes([15]) + b"20180221060000Z"
    assert start in other.tbs_certificate_bytes
    assert start not in made.certificate.tbs_certificate_bytes
    assert list(other.extensions) == list(made.certificate.extensions)


@pytest.mark.parametrize("year", [2019, 2026, 2040])
def test_the_signer_is_valid_whenever_the_sandbox_plays(year: int) -> None:
    now = datetime(year, 3, 1, tzinfo=UTC)
    with VeroSandbox(clock=SandboxClock(now)) as authority, Customer(authority) as customer:
        found = etree.fromstring(customer.get("0" * 32).payload).findtext(f".//{{{DS}}}X509Certificate")
    assert found is not None
    signer = x509.load_der_x509_certificate(base64.b64decode(found))
    assert signer.not_valid_before_utc < now < signer.not_valid_after_utc
    signer.verify_directly_issued_by(throw_away.certificate(Authority.SERVICES))
    usage = signer.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature
    assert not any(isinstance(each.value, x509.ExtendedKeyUsage) for each in signer.extensions)


# --- the published schema


def test_the_published_schema_accepts_every_message_of_both_sides() -> None:
    if not VECTORS.exists():
        pytest.skip("the published schema is not beside the checkout (vectors/vero)")
    schema = etree.XMLSchema(etree.parse(str(VECTORS / "CertificateServices.xsd")))
    with VeroSandbox() as authority, Customer(authority) as customer:
        answers = heard_by(customer)
        asked = [re.search(rb"<e:Body>(.*)</e:Body>", call.message, re.DOTALL) for call in authority.requests]
    for name, heard in answers.items():
        assert schema.validate(etree.fromstring(heard.payload)), f"{name}: {schema.error_log}"
    assert len(asked) == len(answers)
    for found in asked:
        assert found is not None
        assert schema.validate(etree.fromstring(found[1])), schema.error_log


def test_the_registers_answers_hold_for_xmlsec1(tmp_path: Path) -> None:
    with VeroSandbox() as authority:
        place, certificate = papers(authority, tmp_path)
        with Customer(authority, shows=place) as customer:
            message = signed(authority.example("Echo"), throw_away.key(Key.CUSTOMER), certificate)
            heard = customer.service("EchoService", "SendEcho", message)
    assert heard["Data"] == "hello"
    assert holds(heard.payload, tmp_path)


def test_the_helper_finds_forged_answers(tmp_path: Path) -> None:
    with VeroSandbox() as authority, Customer(authority) as customer:
        code, password = authority.invite(customer.customer_id)
        heard = customer.sign_new((code, password.reveal()), key("first"))
    assert holds(heard.payload, tmp_path)
    forged = heard.payload.replace(heard["RetrievalId"].encode(), b"0" * 32)
    assert not holds(forged, tmp_path)
    assert b"Envelope" in enveloped(text(b"x"))
