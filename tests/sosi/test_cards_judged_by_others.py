"""Our cards before a judge that shares no code with us: xmlsec1."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import attrs
import pytest

from govfile.certificates.signer import SignatureAlgorithm
from govfile.sosi import CareProvider, DgwsVersion, IdCard, cards
from govfile.sosi.constants import SOAP, WSSE
from govfile.xml.splicing import Place, splice
from support import fake_sts
from support.programs import require
from support.xml_messages import NOW, authority

if TYPE_CHECKING:
    from pathlib import Path

CARD = IdCard.user(
    it_system="Læge & <System> \"3\" '4' ]]> €",
    role="7170",
    care_provider=CareProvider.sks("1301", "Syge\u2028hus \U0001f3e5"),
    cpr=fake_sts.CPR,
    given_name="Zoë",
    surname="O'Neill > & < \"",
    issuer="Lægesystem",
)
ENVELOPE = f"""<?xml version="1.0" encoding="UTF-8"?>
<soap:Envelope xmlns:soap="{SOAP}" xmlns="urn:default" xmlns:saml="urn:elsewhere" xmlns:wsse="{WSSE}"><!-- a call -->
  <soap:Header><wsse:Security></wsse:Security></soap:Header><soap:Body><ask/></soap:Body></soap:Envelope>""".encode()
SECURITY = Place(path=(f"{{{SOAP}}}Envelope", f"{{{SOAP}}}Header", f"{{{WSSE}}}Security"))


def accepted(document: bytes, folder: Path) -> bool:
    (folder / "card.xml").write_bytes(document)
    (folder / "root.pem").write_bytes(authority().pem)
    command = [require("xmlsec1"), "--verify", "--id-attr:id", "urn:oasis:names:tc:SAML:2.0:assertion:Assertion"]
    command += ["--trusted-pem", str(folder / "root.pem"), str(folder / "card.xml")]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert answer.returncode == 0 or "FAIL" in answer.stderr or "failed" in answer.stderr, answer.stderr
    return answer.returncode == 0


@pytest.mark.parametrize("version", list(DgwsVersion))
@pytest.mark.parametrize("name", ["rsa-sha256", "rsa-sha512"])
def test_xmlsec1_accepts_our_cards(tmp_path: Path, version: DgwsVersion, name: str) -> None:
    wanted = attrs.evolve(CARD, version=version)
    card = cards.build(wanted, fake_sts.employee(), at=NOW, algorithm=SignatureAlgorithm(name))
    assert accepted(card.xml, tmp_path)
    assert not accepted(card.xml.replace(b"7170", b"7171"), tmp_path)


def test_xmlsec1_accepts_a_systems_card_without_optional_parts(tmp_path: Path) -> None:
    card = cards.build(IdCard.system(it_system="x"), fake_sts.system(), at=NOW)
    assert accepted(card.xml, tmp_path)


def test_xmlsec1_accepts_a_card_that_moved_into_another_envelope(tmp_path: Path) -> None:
    """Where its prefixes mean something else outside, and a default namespace is in scope."""
    card = cards.build(CARD, fake_sts.employee(), at=NOW)
    moved = splice(ENVELOPE, card.xml, SECURITY)
    assert card.xml in moved
    assert accepted(moved, tmp_path)
