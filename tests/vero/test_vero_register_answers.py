"""What the register's answers prove, and of which record: genuine words about another one move nothing."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from govfile import Credential, Ledger, State
from govfile.certificates.signer import SoftwareSigner
from govfile.errors import ConnectionFailed, OutcomeUnknown, ProtocolError
from govfile.filing.states import Proof
from govfile.sandbox import VeroSandbox
from govfile.vero import IncomesRegister, Register
from govfile.xml.signing import Reference, sign
from govfile.xml.splicing import Place
from support import pki
from support.keystores import Clock
from support.vero_desk import CUSTOMER, NOON, envelope, environment, issue, reply, signer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from govfile.transports.base import Reply

ACK, TOLD = ("AckFromIR", "AckData"), ("StatusResponseFromIR", "StatusResponse")
RECORD = VeroSandbox.example("WageReports", delivery_id="pay-1")


def about(
    delivery: str = "pay-1", kind: str = "100", owner: str = CUSTOMER, owner_type: str = "1", production: str = "false"
) -> str:
    """The head of an answer."""
    party = f"<Type>1</Type><Code>{CUSTOMER}</Code>"
    return (
        f"<DeliveryData><Timestamp>2026-03-02T12:00:00Z</Timestamp><Source>x</Source>"
        f"<DeliveryDataType>{kind}</DeliveryDataType><DeliveryId>{delivery}</DeliveryId>"
        f"<ProductionEnvironment>{production}</ProductionEnvironment>"
        f"<DeliveryDataOwner><Type>{owner_type}</Type><Code>{owner}</Code></DeliveryDataOwner>"
        f"<DeliveryDataCreator>{party}</DeliveryDataCreator>"
        f"<DeliveryDataSender>{party}</DeliveryDataSender></DeliveryData>"
    )


def says(form: tuple[str, str], status: int, head: str) -> Reply:
    """A genuine answer."""
    name, part = form
    namespace = f"http://www.tulorekisteri.fi/2017/1/{name}"
    inside = f"{head}<{part}><DeliveryDataStatus>{status}</DeliveryDataStatus></{part}>"
    document = f'<ir:{name} xmlns:ir="{namespace}">{inside}</ir:{name}>'.encode()
    place = Place(path=(f"{{{namespace}}}{name}",))
    return reply(envelope(sign(document, signer(), [Reference(id="", is_enveloped=True)], place)))


class Line:
    """Answers what it is told; an exception comes before anything left."""

    endpoint = "register.invalid:443"

    def __init__(self) -> None:
        self.answers: list[Reply | Exception] = []
        self.sent: list[str] = []

    def post(
        self,
        path: str,
        body: bytes,
        *,
        headers: Mapping[str, str] | None = None,
        limit: int | None = None,
        total: float | None = None,
        committing: Callable[[], None] | None = None,
    ) -> Reply:
        found = self.answers.pop(0)
        if isinstance(found, Exception):
            raise found
        if committing is not None:
            committing()
        self.sent.append(path)
        return found

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def line() -> Line:
    return Line()


def credential() -> Credential:
    key = pki.rsa_key(0)
    return Credential.from_signer(SoftwareSigner(key), issue(key.public_key(), begins=NOON), at=NOON)


@pytest.fixture
def register(tmp_path: Path, line: Line) -> Iterator[IncomesRegister]:
    place = Register(url="https://register.invalid", is_production=False)
    with (
        Ledger.open(tmp_path / "ledger.db", clock=Clock(NOON)) as ledger,
        IncomesRegister(
            environment(register=place), credential(), ledger=ledger, clock=Clock(NOON), transport=lambda: line
        ) as opened,
    ):
        yield opened


OTHERS: list[dict[str, Any]] = [
    {"delivery": "pay-2"},
    {"owner": "7654321-0"},
    {"owner_type": "2"},
    {"kind": "101"},
    {"production": "true"},
]


@pytest.mark.parametrize("other", OTHERS, ids=lambda other: next(iter(other)))
def test_w03_the_status_of_another_record_moves_nothing(
    register: IncomesRegister, line: Line, other: dict[str, Any]
) -> None:
    """A DeliveryId is unique for its owner and its kind of record only."""
    line.answers = [says(ACK, 2, about()), says(TOLD, 3, about(**other))]
    sent = register.send_wage_reports(RECORD)
    with pytest.raises(ProtocolError, match="another record"):
        register.delivery_status(sent)
    line.answers = [says(TOLD, 3, about())]
    told = register.delivery_status(sent).submission
    assert told is not None
    assert told.state is State.ANSWERED
    assert [event.evidence.proof for event in told.history].count(Proof.ANSWERED) == 1


@pytest.mark.parametrize("other", OTHERS, ids=lambda other: next(iter(other)))
def test_w03_the_acknowledgement_of_another_record_proves_nothing(
    register: IncomesRegister, line: Line, other: dict[str, Any]
) -> None:
    line.answers = [says(ACK, 2, about(**other))]
    with pytest.raises(OutcomeUnknown, match="another record") as unknown:
        register.send_wage_reports(RECORD)
    assert unknown.value.submission is not None
    assert unknown.value.submission.state is State.UNKNOWN


def test_an_acknowledgement_that_says_not_received_confirms_nothing(register: IncomesRegister, line: Line) -> None:
    line.answers = [says(ACK, 0, about())]
    with pytest.raises(OutcomeUnknown, match="does not know") as unknown:
        register.send_wage_reports(RECORD)
    assert unknown.value.submission is not None
    assert unknown.value.submission.state is State.UNKNOWN
    line.answers = [says(TOLD, 3, about())]
    told = register.delivery_status(unknown.value.submission).submission
    assert told is not None
    assert told.state is State.ANSWERED


def test_a_status_says_nothing_of_content_that_never_left(register: IncomesRegister, line: Line) -> None:
    """Another program used the same DeliveryId: what the register has is not what waits here."""
    line.answers = [ConnectionFailed("nobody is there")]
    with pytest.raises(ConnectionFailed):
        register.send_wage_reports(RECORD)
    line.answers = [says(TOLD, 3, about())]
    told = register.delivery_status("pay-1")
    assert told.submission is not None
    assert (told.submission.state, told.submission.verdict) == (State.PREPARED, None)
    line.answers = [says(ACK, 4, about())]
    assert register.send_wage_reports(RECORD).state is State.REJECTED


def test_a_status_corrects_who_settled_too_early_that_it_never_arrived(register: IncomesRegister, line: Line) -> None:
    line.answers = [says(ACK, 0, about())]
    with pytest.raises(OutcomeUnknown) as unknown:
        register.send_wage_reports(RECORD)
    assert unknown.value.submission is not None
    settled = register.settle(unknown.value.submission, arrived=False, reason="support did not see it")
    line.answers = [says(TOLD, 3, about())]
    told = register.delivery_status(settled).submission
    assert told is not None
    assert told.state is State.ANSWERED


def test_f17_four_that_send_the_same_record_at_once_send_it_once(
    register: IncomesRegister, line: Line, tmp_path: Path
) -> None:
    """Each with a ledger of its own on the same file, as processes have it."""
    line.answers = [says(ACK, 2, about()) for _ in range(4)]
    meet = threading.Barrier(4)

    def send(_: int) -> State:
        with (
            Ledger.open(tmp_path / "ledger.db", clock=Clock(NOON)) as ledger,
            IncomesRegister(
                register.environment, credential(), ledger=ledger, clock=Clock(NOON), transport=lambda: line
            ) as client,
        ):
            meet.wait(30)
            return client.send_wage_reports(RECORD).state

    with ThreadPoolExecutor(4) as pool:
        states = list(pool.map(send, range(4)))
    assert len(line.sent) == 1
    assert set(states) <= {State.SENDING, State.SENT, State.RECEIVED}
    assert register.send_wage_reports(RECORD).state is State.RECEIVED
