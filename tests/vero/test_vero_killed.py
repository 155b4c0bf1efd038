"""C-02, I5: wherever it is cut, the key of a request that left is on the disk, and nothing is sent twice.

Every step that changes the disk or the other side is cut once in this process; and a program is killed by the system
at those calls that matter most: the ones that make something durable, and the ones that send.
"""

from __future__ import annotations

import contextlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from govfile import Credential, KeyStore
from govfile.certificates.keystore import SlotId
from govfile.certificates.request import key_of_request
from govfile.certificates.signer import SoftwareSigner
from govfile.errors import OutcomeUnknown
from govfile.sandbox import VeroSandbox
from govfile.vero import CertificateService, Step
from support import pki
from support.killing import Call, assert_most_were_killed, run_and_kill, trace
from support.vero_desk import CUSTOMER, NOON, FakeService, VeroDesk, issue

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class PowerCut(BaseException):
    """Nothing of this process happens any more."""


class Power:
    """Counts the steps, and cuts before the one that is asked for."""

    def __init__(self, cut_at: int) -> None:
        self.cut_at, self.steps = cut_at, 0

    def step(self) -> None:
        self.steps += 1
        if self.steps >= self.cut_at:
            raise PowerCut(self.steps)


@contextlib.contextmanager
def powered(desk: VeroDesk, power: Power, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let every rename, which is what makes a step durable, and both ends of every exchange, be a step."""
    post = FakeService.post

    def cut(real: Any) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            power.step()
            return real(*arguments, **options)

        return call

    def exchange(*arguments: Any, **options: Any) -> Any:
        power.step()
        found = post(*arguments, **options)
        power.step()  # the service has acted, and its answer is lost
        return found

    with monkeypatch.context() as patch:
        for name in ("replace", "rename"):
            patch.setattr(os, name, cut(getattr(os, name)))
        patch.setattr(FakeService, "post", exchange)
        yield


def in_use(desk: VeroDesk) -> Credential:
    """A credential that is due, without an exchange."""
    begins = NOON - timedelta(days=700)
    certificate = issue(pki.rsa_key(0).public_key(), begins=begins)
    old = Credential.from_signer(SoftwareSigner(pki.rsa_key(0)), certificate, at=NOON)
    desk.keys.adopt(desk.client.slot(CUSTOMER), old)
    return old


def settle_and_go_on(desk: VeroDesk, operation: str, key: int) -> Credential:
    """What a person does after the cut: the same again; and where it is unknown, ask the authority."""
    client = desk.another()
    current = client.keystore.current(client.slot(CUSTOMER))
    if operation == "renewCertificate" and current is not None and current.number == 2:
        return client.credential(CUSTOMER)  # it was done, and it would not be due

    def again() -> Credential:
        if operation == "signNewCertificate":
            return desk.enrol(key, client)
        return client.renew(CUSTOMER, key=pki.rsa_key(key))

    try:
        return again()
    except OutcomeUnknown:
        known = [
            number
            for number, request in desk.service.requests.items()
            if request.public_key() == pki.rsa_key(key).public_key()
        ]
        if known:
            return client.fetch(CUSTOMER, retrieval_id=known[0], timeout=None)
        client.settle(CUSTOMER, arrived=False, reason="the authority knows nothing of it")
        return again()


@pytest.mark.slow
@pytest.mark.parametrize("operation", ["signNewCertificate", "renewCertificate"])
def test_c02_cut_at_every_step(operation: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, cuts = (0, 0) if operation == "signNewCertificate" else (1, 0)
    for number in range(1, 200):
        (tmp_path / str(number)).mkdir()
        desk = VeroDesk(tmp_path / str(number))
        old = in_use(desk) if key else None
        power = Power(number)
        with powered(desk, power, monkeypatch):
            try:
                desk.enrol() if old is None else desk.renew(key)
            except PowerCut:
                cuts += 1
        was_cut = power.steps == number
        check_after_the_cut(desk, operation, key, old)
        found = settle_and_go_on(desk, operation, key) if was_cut else desk.another().credential(CUSTOMER)
        assert found.public_key == pki.rsa_key(key).public_key()
        assert desk.another().credential(CUSTOMER) == found
        assert desk.service.operations().count(operation) == 1, "taken once, whatever happened"
        if old is not None:
            kept = desk.another()
            assert kept.keystore.credential(kept.slot(CUSTOMER), 1) == old
        if not was_cut:
            break
    assert cuts >= 10


def check_after_the_cut(desk: VeroDesk, operation: str, key: int, old: Credential | None) -> None:
    """As another process finds it."""
    store, client = desk.store(), desk.another()
    slot = client.slot(CUSTOMER)
    if old is not None:
        assert old.certificate in [found.certificate for found in store.generations(slot)]
        assert client.credential(CUSTOMER).expires >= old.expires
    was_sent = operation in desk.service.operations()
    pending, current = store.pending(slot), store.current(slot)
    if was_sent:
        kept = [key_of_request(pending.request)] if pending else []
        kept += [current.certificate.public_key()] if current else []  # type: ignore[list-item]
        assert pki.rsa_key(key).public_key() in kept, "the key of what was asked for is on the disk"
    application = client.application(CUSTOMER)
    if was_sent and application is not None:
        assert application.step in (Step.ASKING, Step.ASKED)


# --- killed by the system


@pytest.fixture(scope="module")
def authority() -> Iterator[VeroSandbox]:
    with VeroSandbox() as running:
        yield running


@attrs.frozen(kw_only=True)
class Run:
    """One run of the program, for a customer of its own, in a folder of its own."""

    authority: VeroSandbox
    folder: Path
    customer: str
    codes: tuple[str, str]

    @classmethod
    def make(cls, authority: VeroSandbox, folder: Path, number: int, *, is_renewal: bool) -> Run:
        """The `number`-th run."""
        folder.mkdir()
        customer = f"{number:05}{'22' if is_renewal else '11'}-0"
        codes = ("", "")
        if is_renewal:
            at = authority.clock() - timedelta(days=700)
            old = authority.credential_for(customer, issued=at)
            KeyStore(folder / "keys", None).adopt(SlotId("vero", "test", customer), old)
        else:
            given = authority.invite(customer)
            codes = given[0], given[1].reveal()
        return cls(authority=authority, folder=folder, customer=customer, codes=codes)

    def program(self) -> list[str]:
        """The command line, with everything it needs written down."""
        environment = self.authority.environment
        signers, issuers = environment.anchors()
        wish = {
            "url": environment.url,
            "signers": _pem(signers),
            "issuers": _pem(issuers),
            "tls": _pem(environment.tls),
            "store": str(self.folder / "keys"),
            "customer": self.customer,
            "transfer_id": self.codes[0],
            "transfer_password": self.codes[1],
            "key": pki.Identity(key=pki.rsa_key(0), certificate=signers.anchors[0]).key_pem().decode(),
        }
        (self.folder / "wish").write_text(json.dumps(wish))
        return ["-m", "support.vero_steps", str(self.folder / "wish")]

    @property
    def issued(self) -> list[str]:
        """The RetrievalIds of what the authority issued for this customer."""
        return [one.retrieval_id for one in self.authority.issued if one.customer_id == self.customer]

    def kill(self, call: Call) -> bool:
        """Kill at a call, look, and go on to the end; whether it was killed."""
        was_killed, said = run_and_kill(self.program(), call)
        store, slot = KeyStore(self.folder / "keys", None), SlotId("vero", "test", self.customer)
        pending, current = store.pending(slot), store.current(slot)
        held = [key_of_request(pending.request)] if pending else []
        held += [current.certificate.public_key()] if current else []  # type: ignore[list-item]
        assert not self.issued or pki.rsa_key(0).public_key() in held, "the key of what was asked for is on the disk"
        if not self.codes[0]:
            assert store.credential(slot, 1).certificate is not None, "the old one is usable"
        assert ("in use" in said) <= (current is not None)
        self.go_on(store)
        assert len(self.issued) == 1, "asked for once, whatever happened"
        store.repair()
        assert store.verify() == []
        return was_killed

    def go_on(self, store: KeyStore) -> None:
        """What a person does: the same again; and where it is unknown, ask the authority."""
        environment = attrs.evolve(self.authority.environment, name="test")
        with CertificateService(environment, store) as client:

            def again() -> Credential:
                key, (transfer_id, password) = pki.rsa_key(0), self.codes
                if not transfer_id:
                    return client.renew(self.customer, key=key)
                return client.enrol(self.customer, key=key, transfer_id=transfer_id, transfer_password=password)

            slot = client.slot(self.customer)
            current = store.current(slot)
            if current is not None and current.certificate.public_key() == pki.rsa_key(0).public_key():
                return
            try:
                found = again()
            except OutcomeUnknown:
                if self.issued:
                    found = client.fetch(self.customer, retrieval_id=self.issued[0], timeout=None)
                else:
                    client.settle(self.customer, arrived=False, reason="the authority knows nothing of it")
                    found = again()
            assert found.public_key == pki.rsa_key(0).public_key()


def _pem(trust: Any) -> str:
    return "".join(found.public_bytes(Encoding.PEM).decode() for found in trust.anchors)


@pytest.mark.slow
@pytest.mark.parametrize("is_renewal", [False, True], ids=["enrol", "renew"])
def test_c02_killed_where_it_matters_most(authority: VeroSandbox, tmp_path: Path, is_renewal: bool) -> None:
    """At everything that is sent, and at the renames around it, each of which makes a step durable."""
    whole = Run.make(authority, tmp_path / "whole", 0, is_renewal=is_renewal)
    calls, said = trace(whole.program(), tmp_path / "calls")
    assert said == "in use\n"
    sends = [call for call in calls if call.name in ("write", "sendto") and "socket:" in call.line.partition(">")[0]]
    renames = [call for call in calls if call.name == "rename"]
    assert min(len(sends), len(renames)) >= 4
    matter = renames[-4:] + sends

    def one(numbered: tuple[int, Call]) -> bool:
        number, call = numbered
        return Run.make(authority, tmp_path / str(number), number, is_renewal=is_renewal).kill(call)

    with ThreadPoolExecutor(2) as pool:
        assert_most_were_killed(list(pool.map(one, enumerate(matter, 1))))
