"""A key in a PKCS#11 token signs as one in memory does, and never leaves. The token is SoftHSM2."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import textwrap
import threading
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from govfile import Credential, CredentialError, Secret
from govfile.certificates.pkcs11 import Pkcs11Signer
from govfile.certificates.public import PublicHalf
from govfile.certificates.signer import Scheme, SignatureAlgorithm, Signer, is_signature
from govfile.errors import ConfigurationError, MissingExtra
from support import pki
from support.softhsm import PIN, SoftHsm
from support.verifying import accepted_by_openssl

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.servers

_TOKEN = "company"
_LONELY = "single key"
_SEALED = "sealed"
_NAKED = "naked"
_ALGORITHMS = [
    *(("rsa", found) for found in SignatureAlgorithm if found.scheme is not Scheme.ECDSA),
    *((label, found) for found in SignatureAlgorithm if found.scheme is Scheme.ECDSA for label in ("ec256", "ec521")),
]


@pytest.fixture(scope="session")
def identities(authority: pki.Authority) -> dict[str, pki.Identity]:
    return {
        "rsa": authority.issue(key=pki.rsa_key(11)),
        "ec256": authority.issue(key=pki.ec_key(11)),
        "ec521": authority.issue(key=pki.ec_key(11, ec.SECP521R1)),
        "bare": authority.issue(key=pki.ec_key(12)),
    }


@pytest.fixture(scope="session")
def hsm(tmp_path_factory: pytest.TempPathFactory, identities: dict[str, pki.Identity]) -> Iterator[SoftHsm]:
    """A token with four keys, the last without a certificate; one with a key and no public half; and others."""
    before = os.environ.get("SOFTHSM2_CONF")
    found = SoftHsm.create(tmp_path_factory.mktemp("softhsm"))
    found.add_token(_TOKEN)
    found.add_token(_LONELY)
    found.add_token(_SEALED)
    found.add_token(_NAKED)
    found.add_key(_NAKED, identities["bare"], label="naked", key_id=b"\x01")
    found.remove_public_key(_NAKED, key_id=b"\x01")
    found.add_key(_SEALED, identities["rsa"], label="sealed", key_id=b"\x01")
    for number, (label, identity) in enumerate(identities.items(), 1):
        found.add_key(_TOKEN, identity, label=label, key_id=bytes([number]))
    found.add_key(_LONELY, identities["ec256"], label="only", key_id=b"\x09")
    for number, (label, identity) in enumerate(identities.items(), 1):
        if label != "bare":
            found.add_certificates(_TOKEN, identity, key_id=bytes([number]))
    found.add_certificates(_LONELY, identities["ec256"], key_id=b"\x09")
    found.remove_public_key(_LONELY, key_id=b"\x09")
    yield found
    if before is None:
        del os.environ["SOFTHSM2_CONF"]
    else:
        os.environ["SOFTHSM2_CONF"] = before


def _open(hsm: SoftHsm, label: str) -> Pkcs11Signer:
    return Pkcs11Signer.open(hsm.module, token=_TOKEN, pin=Secret(PIN), key_label=label)


@pytest.mark.parametrize(("label", "algorithm"), _ALGORITHMS, ids=str)
def test_each_algorithm(
    hsm: SoftHsm, identities: dict[str, pki.Identity], tmp_path: Path, label: str, algorithm: SignatureAlgorithm
) -> None:
    data = b"a document\x00"
    with _open(hsm, label) as signer:
        assert signer.public_key == identities[label].key.public_key()
        for signature in (signer.sign(data, algorithm), signer.sign_digest(algorithm.digest(data), algorithm)):
            assert is_signature(identities[label].key.public_key(), signature, data, algorithm)
            assert accepted_by_openssl(tmp_path, signer.public_key, signature, data, algorithm)


def test_a_credential_with_certificate_and_chain_from_the_token(
    hsm: SoftHsm, identities: dict[str, pki.Identity]
) -> None:
    credential = Credential.from_pkcs11(hsm.module, token=_TOKEN, pin=Secret(PIN), key_id=b"\x01")
    assert credential.certificate == identities["rsa"].certificate
    assert credential.chain == identities["rsa"].chain
    assert isinstance(credential.signer, Signer)
    with pytest.raises(CredentialError, match="cannot leave its token"):
        _ = credential.private_key
    assert PublicHalf.of(credential).ssh_line().startswith("ssh-rsa ")
    assert PIN not in repr(credential) + repr(credential.signer)
    credential.close()
    with pytest.raises(CredentialError, match="is closed"):
        credential.signer.sign(b"x", SignatureAlgorithm.RSA_SHA256)


def test_a_token_that_keeps_no_public_key_is_known_by_a_signature(
    hsm: SoftHsm, identities: dict[str, pki.Identity]
) -> None:
    credential = Credential.from_pkcs11(hsm.module, token=_LONELY, pin=Secret(PIN))
    assert credential.public_key == identities["ec256"].key.public_key()
    assert credential.chain == identities["ec256"].chain


def test_a_certificate_from_a_file_for_a_key_in_the_token(
    hsm: SoftHsm, identities: dict[str, pki.Identity], other: pki.Identity
) -> None:
    bare = identities["bare"]
    credential = Credential.from_pkcs11(
        hsm.module, token=_TOKEN, pin=Secret(PIN), key_label="bare", certificate=bare.pem, chain=bare.chain_pem
    )
    assert (credential.certificate, credential.chain) == (bare.certificate, bare.chain)
    with pytest.raises(CredentialError, match="does not fit"):
        Credential.from_pkcs11(hsm.module, token=_TOKEN, pin=Secret(PIN), key_label="bare", certificate=other.pem)
    with pytest.raises(CredentialError, match="does not fit"):
        Credential.from_pkcs11(hsm.module, token=_TOKEN, pin=Secret(PIN), key_label="bare")


def test_a_key_whose_public_half_nobody_shows(
    hsm: SoftHsm, identities: dict[str, pki.Identity], company: pki.Identity
) -> None:
    for given in (None, company.pem, identities["ec256"].pem):
        with pytest.raises(CredentialError, match="no certificate fits it"):
            Credential.from_pkcs11(hsm.module, token=_NAKED, pin=Secret(PIN), certificate=given)
    bare = identities["bare"]
    credential = Credential.from_pkcs11(hsm.module, token=_NAKED, pin=Secret(PIN), certificate=bare.pem)
    assert credential.public_key == bare.key.public_key()


def test_an_expired_certificate_in_a_token(hsm: SoftHsm, authority: pki.Authority) -> None:
    expired = authority.expired(key=pki.rsa_key(11))
    with pytest.raises(CredentialError, match="expired"):
        Credential.from_pkcs11(hsm.module, token=_TOKEN, pin=Secret(PIN), key_label="rsa", certificate=expired.pem)


def test_several_keys_are_named(hsm: SoftHsm) -> None:
    with pytest.raises(CredentialError, match="several keys") as refused:
        Pkcs11Signer.open(hsm.module, token=_TOKEN, pin=Secret(PIN))
    for named in ("'rsa' (id 01)", "'ec256' (id 02)", "'ec521' (id 03)", "'bare' (id 04)"):
        assert named in str(refused.value)


def test_what_is_not_there(hsm: SoftHsm) -> None:
    with pytest.raises(CredentialError, match="no such private key"):
        _open(hsm, "absent")
    with pytest.raises(CredentialError, match="token 'absent' is not there"):
        Pkcs11Signer.open(hsm.module, token="absent", pin=Secret(PIN))
    with pytest.raises(CredentialError, match="cannot be loaded"):
        Pkcs11Signer.open("/absent/library.so", token=_TOKEN, pin=Secret(PIN))


def test_without_a_login_the_key_is_not_shown(hsm: SoftHsm) -> None:
    with pytest.raises(CredentialError, match="no such private key") as refused:
        Pkcs11Signer.open(hsm.module, token=_SEALED, pin=None)
    assert "PIN" in refused.value.advice


@pytest.mark.parametrize("pin", ["0000", "1", ""])
def test_a_wrong_pin_is_refused_and_not_shown(hsm: SoftHsm, pin: str) -> None:
    with pytest.raises(CredentialError, match="refuses the PIN") as refused:
        Pkcs11Signer.open(hsm.module, token=_SEALED, pin=Secret(pin))
    assert "check it before the next try" in refused.value.advice
    assert "0000" not in str(refused.value)


@pytest.mark.parametrize("pin", [Secret("0000"), Secret(""), None])
def test_the_login_of_one_lets_nobody_else_in(hsm: SoftHsm, pin: Secret | None) -> None:
    with _open(hsm, "rsa") as signer:
        with pytest.raises(CredentialError, match="PIN"):
            Pkcs11Signer.open(hsm.module, token=_TOKEN, pin=pin, key_label="rsa")
        with _open(hsm, "rsa") as second:
            assert second.public_key == signer.public_key
        assert signer.sign(b"x", SignatureAlgorithm.RSA_SHA256)


@pytest.mark.parametrize(
    "choice",
    [{"key_id": "01"}, {"key_id": 1}, {"key_label": b"rsa"}, {"key_label": "r\udcf8d"}],
    ids=str,
)
def test_a_choice_of_the_wrong_type_is_refused_before_it_ends_the_process(hsm: SoftHsm, choice: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=r"key_(id|label)") as refused:
        Pkcs11Signer.open(hsm.module, token=_TOKEN, pin=Secret(PIN), **choice)
    assert refused.value.advice


def test_a_pin_that_is_not_secret_is_refused(hsm: SoftHsm) -> None:
    with pytest.raises(ConfigurationError, match="Secret"):
        Pkcs11Signer.open(hsm.module, token=_TOKEN, pin=PIN)  # type: ignore[arg-type]


def test_an_algorithm_for_the_other_type_of_key_is_refused(hsm: SoftHsm) -> None:
    with _open(hsm, "rsa") as signer, pytest.raises(CredentialError, match="cannot make ecdsa-sha256"):
        signer.sign(b"x", SignatureAlgorithm.ECDSA_SHA256)


def test_closed_is_closed(hsm: SoftHsm) -> None:
    signer = _open(hsm, "rsa")
    signer.close()
    signer.close()
    with pytest.raises(CredentialError, match="is closed"):
        signer.sign(b"x", SignatureAlgorithm.RSA_SHA256)


def test_a_token_that_is_taken_away_says_so(tmp_path: Path, hsm: SoftHsm, company: pki.Identity) -> None:
    """In a process of its own: SoftHSM reads once where its tokens are."""
    program = textwrap.dedent(
        """
        import os, pathlib, shutil, sys
        from govfile import CredentialError, Secret
        from govfile.certificates.pkcs11 import Pkcs11Signer
        from govfile.certificates.signer import SignatureAlgorithm

        def open_it():
            return Pkcs11Signer.open(sys.argv[1], token="company", pin=Secret(sys.argv[2]))

        signer = open_it()
        signer.sign(b"x", SignatureAlgorithm.RSA_SHA256)
        for folder in pathlib.Path(sys.argv[3]).iterdir():
            shutil.rmtree(folder)
        for use in (lambda: signer.sign(b"x", SignatureAlgorithm.RSA_SHA256), open_it):
            try:
                use()
            except CredentialError as error:
                print(error)
        signer.close()
        """
    )
    before = os.environ["SOFTHSM2_CONF"]
    try:
        away = SoftHsm.create(tmp_path)
        away.add_token("company")
        away.add_key("company", company, label="filing", key_id=b"\x01")
        command = [sys.executable, "-W", "error", "-c", program, hsm.module, PIN, str(tmp_path / "tokens")]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    finally:
        os.environ["SOFTHSM2_CONF"] = before
    signing, opening = answer.stdout.splitlines()
    assert "the token 'company' no longer knows the key. Next: put it back" in signing, answer.stderr
    assert "the token 'company' " in opening
    assert "Next: " in opening


def test_it_does_not_pickle(hsm: SoftHsm) -> None:
    with _open(hsm, "rsa") as signer, pytest.raises(TypeError, match="open the token again"):
        pickle.dumps(signer)


def test_threads_and_several_signers_share_a_token(hsm: SoftHsm) -> None:
    algorithms = {"rsa": SignatureAlgorithm.RSA_SHA256, "ec256": SignatureAlgorithm.ECDSA_SHA256}
    signers = {label: _open(hsm, label) for label in algorithms}
    failures: list[object] = []

    def work(label: str) -> None:
        for number in range(10):
            data = f"{label} {number}".encode()
            signature = signers[label].sign(data, algorithms[label])
            if not is_signature(signers[label].public_key, signature, data, algorithms[label]):
                failures.append(data)

    threads = [threading.Thread(target=work, args=(label,)) for label in list(signers) * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for signer in signers.values():
        signer.close()
    assert failures == []


def test_g07_after_a_fork_it_says_so_and_opens_again(hsm: SoftHsm) -> None:
    program = textwrap.dedent(
        """
        import os, sys
        from govfile import CredentialError, Secret
        from govfile.certificates.pkcs11 import Pkcs11Signer
        from govfile.certificates.signer import SignatureAlgorithm, is_signature

        def open_it():
            return Pkcs11Signer.open(sys.argv[1], token=sys.argv[2], pin=Secret(sys.argv[3]), key_label="rsa")

        signer = open_it()
        child = os.fork()
        if child == 0:
            try:
                signer.sign(b"x", SignatureAlgorithm.RSA_SHA256)
            except CredentialError as error:
                assert "another process" in str(error), error
                again = open_it()
                made = again.sign(b"x", SignatureAlgorithm.RSA_SHA256)
                assert is_signature(again.public_key, made, b"x", SignatureAlgorithm.RSA_SHA256)
                signer.close()
                os._exit(0)
            os._exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert signer.sign(b"x", SignatureAlgorithm.RSA_SHA256)
        print("both signed")
        """
    )
    command = [sys.executable, "-W", "error", "-c", program, hsm.module, _TOKEN, PIN]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert answer.stdout == "both signed\n", answer.stderr


def test_without_the_extra_the_error_names_it(hsm: SoftHsm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    with pytest.raises(MissingExtra, match=r"govfile\[pkcs11\]"):
        Credential.from_pkcs11(hsm.module, token=_TOKEN, pin=Secret(PIN))
