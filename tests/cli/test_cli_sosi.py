"""`govfile sosi`: cards and tokens asked for, kept for their owner alone, verified and shown without the person."""

from __future__ import annotations

import stat
import subprocess
from typing import TYPE_CHECKING

import pytest

from govfile import sosi
from govfile.cli.sosi.files import LARGEST
from govfile.sandbox.sosi import Settings, Spoilt
from support.cli import Result, command, run, spawn
from support.sosi_desk import SosiDesk, sosi_desk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FMK, PROVIDER = "https://fmk", "HTTPS://SP.Example.dk/"
CPR = "0101001234"
#: What the sandbox's first employee is known by.
PERSONAL = (CPR, "Person", "8B7X2", "25351738")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[SosiDesk]:
    with sosi_desk(tmp_path) as found:
        yield found


def _run(desk: SosiDesk, *arguments: object, code: int = 0, json: bool = True) -> Result:
    """A command that ends with `code` and names nobody."""
    found = run("sosi", *arguments, "--config", desk.config, *(["--json"] if json else []))
    assert found.code == code, found.out + found.err
    for personal in PERSONAL:
        assert personal not in found.out + found.err
    return found


def _token(found: Result) -> dict[str, object]:
    (token,) = found.kind("token")
    return token


def test_a_card_is_signed_told_and_kept_for_its_owner_alone(desk: SosiDesk) -> None:
    out = desk.folder / "card.xml"
    token = _token(_run(desk, "issue", "--out", out))
    assert (token["type"], token["level"], token["issuer"]) == ("user", 4, "SANDBOX-NSP-STS")
    assert (token["verified"], token["path"]) == (True, str(out))
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    card = sosi.verify_card(out.read_bytes(), trust=desk.authority.trust)
    assert (card.id, card.cpr) == (token["id"], CPR)


def test_a_card_that_goes_nowhere_is_said_to_be_lost(desk: SosiDesk) -> None:
    found = _run(desk, "issue", json=False)
    assert "level:" in found.out
    assert "the card was not kept" in found.err


def test_whom_it_is_about_is_told_where_that_is_asked_for(desk: SosiDesk) -> None:
    found = run("sosi", "issue", "--person", "--config", desk.config, "--json")
    token = _token(found)
    assert (token["cpr"], token["surname"], token["authorisation_code"]) == (CPR, "Person", "8B7X2")


def test_a_file_that_is_there_is_replaced_only_where_that_is_asked_for(desk: SosiDesk) -> None:
    out = desk.write("card.xml", b"something else")
    _run(desk, "issue", "--out", out, code=2)
    assert out.read_bytes() == b"something else"
    assert not desk.authority.answered, "it was noticed before anybody was asked"
    _run(desk, "issue", "--out", out, "--replace")
    assert sosi.read_card(out.read_bytes()).level == 4
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


def test_a_folder_that_is_not_there_is_noticed_before_anybody_is_asked(desk: SosiDesk) -> None:
    _run(desk, "issue", "--out", desk.folder / "missing" / "card.xml", code=2)
    assert not desk.authority.answered


def test_a_card_can_go_through_a_pipe(desk: SosiDesk) -> None:
    piped = spawn("sosi", "issue", "--out", "-", "--config", desk.config)
    assert (piped.code, piped.err) == (0, "")
    assert sosi.verify_card(piped.out.encode(), trust=desk.authority.trust).cpr == CPR
    assert _run(desk, "issue", "--out", "-", code=2).kind("error")


def test_kept_cards_are_used_again_and_are_encrypted(desk: SosiDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.change("\ncard = ", '\ntokens = "tokens"\ntokens_key = { env = "TEST_TOKENS_KEY" }\ncard = ')
    monkeypatch.setenv("TEST_TOKENS_KEY", sosi.TokenStore.new_key().reveal())
    first = _token(_run(desk, "issue"))
    again = _token(_run(desk, "issue", "--out", desk.folder / "card.xml"))
    assert first["id"] == again["id"]
    _run(desk, "exchange", "identity-token", "--audience", FMK)
    assert [answered.service for answered in desk.authority.answered] == ["new", "its"]
    (kept,) = (desk.folder / "tokens").iterdir()
    assert CPR.encode() not in kept.read_bytes()
    assert _token(_run(desk, "issue", "--role", "secretary"))["id"] != first["id"]


def test_every_way_of_exchanging(desk: SosiDesk) -> None:
    card, number = desk.folder / "card.xml", desk.write("cpr", CPR.encode())
    box = desk.authority
    _run(desk, "issue", "--out", card)
    jwt = desk.write("jwt", f"{box.jwt()}\n".encode())
    citizen = ("--cpr-file", number, "--audience", FMK)
    ways = {
        "identity-token": (card, "--audience", FMK),
        "to-oiosaml": (card, "--audience", PROVIDER),
        "from-oiosaml": (desk.write("oiosaml", box.oiosaml_assertion()), "--role", "7170"),
        "from-bootstrap-token": (desk.write("bootstrap", box.bootstrap_token()), "--role", "7170"),
        "citizen-token": (desk.write("citizen", box.citizen_bootstrap_token()), *citizen),
        "from-jwt": (jwt, *citizen),
        "jwt-to-oiosaml": (jwt, "--audience", PROVIDER),
    }
    for way, given in ways.items():
        out = desk.folder / f"{way}.xml"
        token = _token(_run(desk, "exchange", way, *given, "--out", out))
        assert stat.S_IMODE(out.stat().st_mode) == 0o600, way
        if way.startswith("from-") and way != "from-jwt":
            assert token["token"] == "ID card"
        else:
            assert token["audiences"] == [FMK if "oiosaml" not in way else "https://sp.example.dk"], way


def test_a_citizen_acts_for_another_person(desk: SosiDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_CPR", CPR)
    monkeypatch.setenv("TEST_WARD", "0202101234")
    token = desk.write("citizen", desk.authority.citizen_bootstrap_token())
    given = ("exchange", "citizen-token", token, "--audience", FMK, "--cpr-env", "TEST_CPR")
    for right in ("procuration", "parental-custody", "ward-custody", "partly-ward-custody"):
        found = _token(_run(desk, *given, "--acts-by", right, "--other-cpr-env", "TEST_WARD"))
        expected = sosi.OnBehalfOf.procuration if right == "procuration" else _parental
        assert expected(CPR).attribute in str(found["attributes"])
    _run(desk, *given, "--acts-by", "procuration", code=2)


def _parental(cpr: str) -> sosi.OnBehalfOf:
    return sosi.OnBehalfOf.custody(sosi.Custody.PARENTAL, cpr)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("identity-token",), "needs --audience"),
        (("from-oiosaml",), "needs the FILE"),
        (("from-oiosaml", "FILE", "--audience", FMK), "takes no --audience"),
        (("citizen-token", "FILE", "--audience", FMK), "needs --cpr-env or --cpr-file"),
        (("citizen-token", "FILE", "--audience", FMK, "--role", "7170"), "takes no --role"),
        (("identity-token", "FILE", "--audience", FMK, "--role", "7170"), "the card in FILE says"),
        (("identity-token", "missing.xml", "--audience", FMK), "cannot be read"),
    ],
)
def test_what_does_not_fit_together_is_refused_unasked(desk: SosiDesk, arguments: tuple[str, ...], words: str) -> None:
    file = desk.write("file.xml", desk.authority.oiosaml_assertion())
    found = _run(desk, "exchange", *(file if word == "FILE" else word for word in arguments), code=2)
    assert words in found.kind("error")[0]["what"]
    assert not desk.authority.answered


def test_a_refusal_is_told_with_its_code_and_our_advice(desk: SosiDesk) -> None:
    found = _run(desk, "issue", "--role", "5166", code=3)
    (error,) = found.kind("error")
    assert (error["code"], error["type"]) == ("FailedAuthentication", "Rejected")
    assert "authorisation" in error["advice"]


def test_an_answer_that_somebody_changed_is_thrown_away(desk: SosiDesk) -> None:
    out = desk.folder / "card.xml"
    desk.authority.faults.spoilt = Spoilt.ALTERED
    found = _run(desk, "issue", "--out", out, code=9)
    assert found.kind("error")[0]["type"] == "TrustError"
    assert not out.exists()


def test_nobody_is_asked_while_nobody_is_believed(desk: SosiDesk) -> None:
    text = desk.config.read_text().partition("federation =")[0]
    desk.config.write_text(text)
    found = _run(desk, "issue", code=2)
    assert "nobody is named whose signatures count" in found.kind("error")[0]["what"]
    assert "pinned" in found.kind("error")[0]["advice"]
    assert not desk.authority.answered


def test_verifying_says_whom_to_believe_and_for_what(desk: SosiDesk) -> None:
    card, token = desk.folder / "card.xml", desk.folder / "token.xml"
    _run(desk, "issue", "--out", card)
    _run(desk, "exchange", "identity-token", card, "--audience", FMK, "--out", token)
    assert _token(_run(desk, "verify", card))["verified"] is True
    assert "SOSI Test Federation" in str(_token(_run(desk, "verify", card))["signer"])
    assert _token(_run(desk, "verify", token, "--audience", "HTTPS://FMK/"))["verified"] is True
    _run(desk, "verify", token, "--audience", "https://fsk", code=9)
    _run(desk, "verify", card, "--at", "2020-01-01", code=9)
    altered = desk.write("altered.xml", card.read_bytes().replace(b">7170<", b">5433<"))
    _run(desk, "verify", altered, code=9)
    _run(desk, "verify", desk.write("none.xml", b"<Ping/>"), code=2)


def test_a_signer_can_be_named_without_a_profile(desk: SosiDesk, tmp_path: Path) -> None:
    card = desk.write("card.xml", desk.authority.example("card"))
    pinned = ("sosi", "verify", card, "--pinned", desk.papers.sts, "--config", tmp_path / "none.toml")
    assert run(*pinned).code == 9, "the sandbox signs with SHA-1"
    assert run(*pinned, "--allow-sha1").code == 0
    assert run("sosi", "verify", card, "--pinned", desk.papers.servers, "--allow-sha1").code == 9


def test_whole_calls_are_verified_as_a_service_does_it(desk: SosiDesk) -> None:
    call = _token(_run(desk, "verify", desk.write("call.xml", desk.authority.example("dgws-request"))))
    assert (call["token"], call["unsigned_body"]) == ("call with an ID card", "27 bytes, not signed")
    with sosi.SecurityTokenService(desk.authority.environment, desk.authority.credential) as sts:
        token = sts.citizen_token(desk.authority.citizen_bootstrap_token(), cpr=CPR, audience=FMK)
        header = sosi.IdwsHeader(action="urn:example:Ping")
        message = sosi.idws_request(token, sts.credential, body=b"<Ping xmlns='urn:example'/>", header=header)
    signed = desk.write("signed.xml", message)
    found = _token(_run(desk, "verify", signed, "--audience", FMK))
    assert (found["token"], found["action"]) == ("call with a token", "urn:example:Ping")
    _run(desk, "verify", signed, code=2)


def test_showing_believes_nothing_and_needs_no_profile(desk: SosiDesk) -> None:
    stranger = desk.write("card.xml", desk.authority.example("card").replace(b">7170<", b">5433<"))
    shown = run("sosi", "show", stranger, "--json")
    assert _token(shown)["verified"] is False
    assert not any(personal in shown.out for personal in PERSONAL)
    assert f"cpr:                    {CPR}" in run("sosi", "show", stranger, "--person").out
    assertion = desk.write("oiosaml.xml", desk.authority.oiosaml_assertion())
    assert not any(personal in run("sosi", "show", assertion).out for personal in PERSONAL)
    assert CPR in run("sosi", "show", assertion, "--person").out
    encrypted = desk.write("encrypted.xml", desk.authority.bootstrap_token(is_encrypted=True))
    assert _token(run("sosi", "show", encrypted, "--json"))["token"] == "encrypted assertion"
    assert run("sosi", "show", desk.write("call.xml", desk.authority.example("dgws-request"))).code == 2


def test_an_unsigned_request_shows_no_employee_by_name(desk: SosiDesk) -> None:
    with sosi.SecurityTokenService(desk.authority.environment, desk.authority.credential) as sts:
        from govfile.sosi.cards import build

        own = build(sosi.IdCard.user(it_system="Example Lab", role="7170"), sts.credential)
    shown = run("sosi", "show", desk.write("own.xml", own.xml))
    assert "an employee of Example Laboratory" in shown.out
    assert not any(personal in shown.out for personal in PERSONAL)


def test_a_system_has_a_card_of_its_own(desk: SosiDesk) -> None:
    desk.sign_with(desk.authority.system)
    desk.change(', role = "7170"', "")
    token = _token(_run(desk, "issue"))
    assert (token["type"], token["level"]) == ("system", 3)
    _run(desk, "issue", "--role", "7170", code=2)


def test_the_old_service_and_one_in_the_clear(tmp_path: Path) -> None:
    with sosi_desk(tmp_path, settings=Settings(tls=False)) as desk:
        desk.change('tls = "servers-ca.pem"\n', "")
        card = desk.folder / "card.xml"
        _run(desk, "issue", "--legacy", "--out", card)
        found = _run(desk, "exchange", "to-oiosaml", card, "--audience", PROVIDER, code=2)
    assert "signed by the old service" in found.kind("error")[0]["what"]


def test_nothing_personal_is_logged(desk: SosiDesk) -> None:
    found = run("sosi", "issue", "--debug", "--config", desk.config)
    assert found.code == 0
    assert not any(personal in found.out + found.err for personal in PERSONAL)


def test_g02_what_others_wrote_cannot_steer_the_terminal(desk: SosiDesk) -> None:
    text = "Evil\u009b31m\u202etxt System".encode()
    card = desk.write("card.xml", desk.authority.example("card").replace(b"Example System", text))
    shown = run("sosi", "show", card)
    assert shown.code == 0
    assert "it system:              Evil\\x9b31m\\u202etxt System" in shown.out
    assert "\u009b" not in shown.out
    assert "\u202e" not in shown.out


def test_a_card_can_come_by_standard_input(desk: SosiDesk) -> None:
    done = subprocess.run(
        command("sosi", "verify", "-", "--config", desk.config),
        input=desk.authority.example("card"),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"verified:               yes" in done.stdout


def test_a_file_that_is_too_large_for_any_token_is_not_read(desk: SosiDesk) -> None:
    large = desk.write("large.xml", b" " * (LARGEST + 1))
    found = _run(desk, "verify", large, code=2)
    assert f"more than {LARGEST} bytes" in found.kind("error")[0]["what"]
