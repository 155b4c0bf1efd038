"""Bootstrap tokens and JWTs of employees and citizens: what the sandbox makes of them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from govfile.sandbox.sosi import SosiSandbox
from support.sosi_asking import (
    BEHALF,
    CPR,
    FAILED,
    OTHER_ROLE,
    OVER,
    ROLE,
    SYSTEM,
    TOKEN,
    UNTRUSTED,
    bst,
    citizen,
    is_signed,
    web_token,
)
from support.sosi_caller import Caller

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def sts() -> Iterator[Caller]:
    with SosiSandbox() as sandbox:
        yield Caller(sandbox)


# --- BST2SOSI


@pytest.mark.parametrize("is_encrypted", [False, True])
def test_a_bootstrap_token_becomes_a_card(sts: Caller, is_encrypted: bool) -> None:
    token = sts.sandbox.bootstrap_token(is_encrypted=is_encrypted)
    answer = bst(sts, token, {**SYSTEM, "medcom:UserRole": "7170", "sosi:SubjectNameID": "me@example"})
    assert answer.fault is None
    assert (answer.text("//saml:NameID"), answer.attribute("medcom:UserRole")) == ("me@example", "7170")
    assert is_signed(sts, answer, TOKEN)


@pytest.mark.parametrize(
    ("roles", "claimed", "outcome"),
    [
        ([], None, "urn:dk:healthcare:no-role"),
        ([ROLE], None, ROLE),
        ([ROLE], ROLE, ROLE),
        ([ROLE, OTHER_ROLE], OTHER_ROLE, OTHER_ROLE),
        ([ROLE, OTHER_ROLE], None, f"multiple national roles found ({ROLE}, {OTHER_ROLE})"),
        ([ROLE], OTHER_ROLE, f"user does not have the requested role ({OTHER_ROLE})"),
        ([ROLE], "urn:dk:x", "invalid role supplied (urn:dk:x)"),
        ([], "7170", "missing authorization"),
    ],
)
def test_national_roles_are_given_not_taken(sts: Caller, roles: list[str], claimed: str | None, outcome: str) -> None:
    person = sts.sandbox.register(cpr="0808001234", given_name="Rosa", surname="Role", national_roles=roles)
    claims = {**SYSTEM, **({"medcom:UserRole": claimed} if claimed else {})}
    answer = bst(sts, sts.sandbox.bootstrap_token(person), claims, by=person.issued)
    if outcome.startswith("urn:"):
        assert answer.attribute("medcom:UserRole") == outcome
    else:
        assert answer.fault == ("FailedAuthentication", "dk:sosi:sts:autorisation", outcome)


def test_bootstrap_tokens_that_do_not_do(sts: Caller) -> None:
    sandbox = sts.sandbox
    both = {**SYSTEM, "medcom:UserRole": "7170", "medcom:UserAuthorizationCode": "8B7X2"}
    words = "Only one of UserAuthorizationCode or UserRole is allowed in request"
    assert bst(sts, claims=both).fault == ("InvalidRequest", "dk:sosi:sts:bst2sosi", words)
    assert bst(sts, claims={}).fault == ("InvalidRequest", "dk:sosi:sts:nbo", "IT System must be specified")
    fault = bst(sts, sandbox.bootstrap_token(audience="https://elsewhere")).fault
    assert fault is not None
    assert fault[:2] == ("RequestFailed", "dk:sosi:sts:bst2sosi")
    assert "does not have allowed audience" in fault[2]
    assert bst(sts, sandbox.bootstrap_token(life=0)).fault == OVER
    assert bst(sts, sandbox.bootstrap_token(bound_to=sandbox.system.certificate)).fault == FAILED
    assert "another certificate" in sandbox.findings[-1]
    nobody = sandbox.register(given_name="No", surname="Body")
    fault = bst(sts, sandbox.bootstrap_token(nobody), by=nobody.issued).fault
    assert fault == ("RequestFailed", "dk:sosi:sts:bst2sosi", "Could not find userData for input CPR.")


@pytest.mark.parametrize(
    ("privileges", "is_good"),
    [
        (
            base64.b64encode(b'<a:PrivilegeList xmlns:a="http://itst.dk/oiosaml/basic_privilege_profile"/>').decode(),
            True,
        ),
        (base64.b64encode(b"<PrivilegeList/>").decode(), False),
        ("no base64", False),
    ],
)
def test_privileges_must_be_a_list_of_privileges(sts: Caller, privileges: str, is_good: bool) -> None:
    fault = bst(sts, sts.sandbox.bootstrap_token(privileges=privileges)).fault
    words = "BST2SOSI assertion contains an invalid basic privilege profile"
    assert fault == (None if is_good else ("RequestFailed", "dk:sosi:sts:bst2sosi", words))


# --- Bst2Idws, JWT2Idws, JWT2OIOSaml


@pytest.mark.parametrize("token", ["plain", "encrypted", "jwt"])
def test_a_citizens_token_becomes_one_bound_to_the_caller(sts: Caller, token: str) -> None:
    sandbox = sts.sandbox
    if token == "jwt":
        paths = sandbox.settings.paths
        answer = sts.exchange(paths.jwt_to_idws, web_token(sandbox.jwt()), "https://fmk", claims={CPR: "0101001234"})
    else:
        answer = citizen(sts, sandbox.citizen_bootstrap_token(is_encrypted=token == "encrypted"))
    assert answer.fault is None
    assert answer.attribute(CPR) == "0101001234"
    bound = answer.text("//saml:SubjectConfirmationData//ds:X509Certificate")
    assert base64.b64decode(str(bound)) == sandbox.employee.certificate.public_bytes(Encoding.DER)
    assert is_signed(sts, answer, TOKEN)


PROCURATION = "urn:dk:healthcare:saml:actThroughProcurationBy:cprNumberIdentifier:0202001234"
CUSTODY = "urn:dk:healthcare:saml:actThrough:ParentalCustody:cprNumberIdentifier:0202001234"


@pytest.mark.parametrize(
    ("behalf", "attribute", "content"),
    [
        (PROCURATION, "dk:gov:saml:attribute:Privileges_intermediate", b"cprNumberIdentifier:0202001234"),
        (CUSTODY, "urn:dk:healthcare:saml:attribute:SubjectRelations", b'relatedPersonID="0202001234"'),
    ],
)
def test_citizens_may_act_for_others(sts: Caller, behalf: str, attribute: str, content: bytes) -> None:
    answer = citizen(sts, claims={CPR: "0101001234", BEHALF: behalf})
    assert content in base64.b64decode(str(answer.attribute(attribute)))


def test_citizens_tokens_that_do_not_do(sts: Caller) -> None:
    sandbox, its = sts.sandbox, "dk:sosi:sts:its"
    assert citizen(sts, claims={}).fault == ("InvalidRequest", its, "CPR claim missing")
    assert citizen(sts, claims={CPR: "0202001234"}).fault == ("InvalidRequest", its, "CPR/PID mismatch")
    empty = {CPR: "0101001234", BEHALF: ""}
    assert citizen(sts, claims=empty).fault == ("InvalidRequest", its, "OnBehalfOf claim must not be empty")
    fault = citizen(sts, sandbox.citizen_bootstrap_token(audience="https://x")).fault
    assert fault is not None
    assert fault[:2] == ("RequestFailed", its)
    assert fault[2].startswith("BST2IDWS assertion has an invalid audience. Actual audience:https://x, Allowed")
    path, claims = sandbox.settings.paths.jwt_to_idws, {CPR: "0101001234"}
    for token in (sandbox.jwt(issuer="https://x"), f"{sandbox.jwt()[:-9]}AAAAAAAAA", "a.b"):
        assert sts.exchange(path, web_token(token), "https://fmk", claims=claims).fault == UNTRUSTED
    fault = sts.exchange(path, web_token(sandbox.jwt(life=0)), "https://fmk", claims=claims).fault
    assert fault is not None
    assert "expired" in fault[2]


def test_a_citizens_token_is_bound_to_the_caller(sts: Caller) -> None:
    token = sts.sandbox.citizen_bootstrap_token(bound_to=sts.sandbox.system.certificate)
    assert citizen(sts, token).fault == FAILED


def test_a_jwt_becomes_an_assertion(sts: Caller) -> None:
    path = sts.sandbox.settings.paths.jwt_to_oiosaml
    answer = sts.exchange(path, web_token(sts.sandbox.jwt()), "https://fmk")
    assert answer.attribute("urn:oid:2.5.4.3") == "Test Person"
    assert is_signed(sts, answer, TOKEN)
