"""The gateway client against a strict gateway on localhost that shares no builder, parser or verifier with it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from govfile import Ledger, Secret, State, skat
from govfile.errors import (
    AuthenticationRefused,
    ConfigurationError,
    CredentialError,
    DuplicateContent,
    DuplicateName,
    GovfileError,
    NotAuthorised,
    OutcomeUnknown,
    PeerIdentityError,
    Rejected,
    TlsFailed,
)
from govfile.filing.states import Proof
from govfile.sandbox.skat import CertificateKind, Damage, Layout, LinkLoss, Settings, SkatSandbox, Spelling
from govfile.transports.ftps import FtpsTransport

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.servers

EXAMPLES = ["Udlaan", "Prioritetslaan", "CPS", "AKSA", "Manifest.AnkomstdeklarationOpret", "UFO"]


@pytest.fixture(scope="module")
def shared() -> Iterator[SkatSandbox]:
    with SkatSandbox() as authority:
        yield authority


@pytest.fixture
def authority(shared: SkatSandbox) -> Iterator[SkatSandbox]:
    shared.faults.clear()
    yield shared
    shared.faults.clear()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "filings.db") as opened:
        yield opened


def enter(authority: Any, ledger: Ledger, identity: Any = None, **settings: Any) -> skat.Gateway:
    who = identity or authority.identity
    environment = settings.pop("environment", authority.environment)
    return skat.Gateway(environment, who.credential, password=who.password, ledger=ledger, **settings)


def fresh(authority: SkatSandbox, **settings: Any) -> Any:
    """An identity with an `out` of its own, so that tests on one sandbox do not meet."""
    return authority.register(cvr=settings.pop("cvr", "30808460"), **settings)


def name_for(identity: Any, service: str = "Udlaan", seed: int = 1) -> str:
    return f"{identity.cvr}_2025_{identity.username[-4:]}x{seed}{SkatSandbox.example_name(service)[-4:]}"


@pytest.mark.parametrize("service", EXAMPLES)
def test_every_kind_of_document_is_taken_and_answered(
    authority: SkatSandbox, ledger: Ledger, tmp_path: Path, service: str
) -> None:
    who = fresh(authority)
    with enter(authority, ledger, who) as gateway:
        name = name_for(who, service) if service in ("Udlaan", "Prioritetslaan") else None
        filed = gateway.submit(authority.example(service, seed=5), service=service, name=name)
        final = gateway.wait(filed, into=tmp_path / "answers", timeout=20)
    assert final.state is State.ANSWERED
    assert not final.rejection
    assert final.answers
    assert [found.sha256 for found in authority.filed if found.name == filed.name] == [filed.sha256]


def test_a_dry_run_is_validated_and_never_filed(authority: SkatSandbox, ledger: Ledger, tmp_path: Path) -> None:
    who = fresh(authority)
    name = name_for(who)
    with enter(authority, ledger, who) as gateway:
        checked = gateway.submit(authority.example("Udlaan"), service="Udlaan", name=name, dry_run=True)
        gateway.wait(checked, into=tmp_path / "answers", timeout=20)
        assert f"val_{name}" in [found.name for found in authority.validated]
        assert name not in [found.name for found in authority.filed]
        filed = gateway.submit(authority.example("Udlaan"), service="Udlaan", name=name)
        final = gateway.wait(filed, into=tmp_path / "answers", timeout=20)
    assert final.state is State.ANSWERED
    assert {answer.path for answer in final.answers} & {
        answer.path for answer in gateway.status(checked).answers
    } == set()


def test_a_second_filing_under_any_disguise_never_reaches_the_gateway(authority: SkatSandbox, ledger: Ledger) -> None:
    who = fresh(authority)
    document = authority.example("Udlaan", seed=2)
    with enter(authority, ledger, who) as gateway:
        filed = gateway.submit(document, service="Udlaan", name=name_for(who))
        assert gateway.submit(document, service="Udlaan", name=name_for(who)).id == filed.id
        with pytest.raises(DuplicateContent):
            gateway.submit(document, service="Udlaan", name=name_for(who, seed=2))
        with pytest.raises(DuplicateName):
            gateway.submit(authority.example("Udlaan", seed=3), service="Udlaan", name=name_for(who))
    assert [found.name for found in authority.arrived].count(name_for(who)) == 1


@pytest.mark.parametrize("layout", Layout)
@pytest.mark.parametrize("out_from_start", [True, False])
def test_each_root_layout_leads_to_the_same_end(
    ledger: Ledger, tmp_path: Path, layout: Layout, out_from_start: bool
) -> None:
    settings = Settings(layout=layout, out_from_start=out_from_start, spelling=Spelling.TRANSAKTION, stray_space=True)
    with SkatSandbox(settings=settings) as authority, enter(authority, ledger) as gateway:
        filed = gateway.submit(authority.example("Udlaan"), service="Udlaan", name="19552101_2025_a1.zip")
        assert gateway.wait(filed, into=tmp_path / "answers", timeout=20).state is State.ANSWERED


@pytest.mark.parametrize("kind", CertificateKind)
def test_each_kind_of_certificate_logs_in_under_its_own_name(
    authority: SkatSandbox, ledger: Ledger, kind: CertificateKind
) -> None:
    who = fresh(authority, kind=kind)
    with enter(authority, ledger, who) as gateway:
        assert gateway.username == who.username
        assert "Udlaan" in gateway.services()


def test_f06_a_wrong_password_is_tried_once(authority: SkatSandbox, ledger: Ledger) -> None:
    before = len(authority.commands)
    gateway = skat.Gateway(authority.environment, authority.credential, password=Secret("wrong"), ledger=ledger)
    for _ in range(2):
        with pytest.raises(AuthenticationRefused):
            gateway.services()
    assert sum(command.startswith("PASS") for command in authority.commands[before:]) == 1


@pytest.mark.parametrize("password", ["hush", b"hush", None])
def test_a_password_that_is_not_secret_is_refused_at_once(
    authority: SkatSandbox, ledger: Ledger, password: Any
) -> None:
    for make in (
        lambda given: skat.Gateway(authority.environment, authority.credential, password=given, ledger=ledger),
        lambda given: FtpsTransport("localhost", 21, user="x", password=given),
    ):
        with pytest.raises(ConfigurationError, match="the password is given as") as refused:
            make(password)
        assert "hush" not in str(refused.value)


def test_an_unregistered_certificate_is_refused_with_the_truth(authority: SkatSandbox, ledger: Ledger) -> None:
    nobody = authority.unregistered()
    with enter(authority, ledger, nobody) as gateway:
        for _ in range(2):
            with pytest.raises((AuthenticationRefused, CredentialError)) as refused:
                gateway.services()
            assert str(refused.value).count("must be registered with the authority") == 1


def test_a_company_on_an_se_number_is_told_the_way_round(authority: SkatSandbox, ledger: Ledger) -> None:
    who = fresh(authority, on_se_number=True, cvr="12345678")
    with enter(authority, ledger, who) as gateway, pytest.raises(NotAuthorised) as refused:
        gateway.submit(authority.example("Udlaan"), service="Udlaan", name=name_for(who))
    assert refused.value.visible == ()
    assert "agent" in refused.value.advice


def test_f20_a_new_role_is_visible_after_the_hourly_copy(ledger: Ledger) -> None:
    with SkatSandbox() as authority:
        who = fresh(authority, services=["Udlaan"])
        with enter(authority, ledger, who, clock=authority.clock) as gateway:
            authority.grant(who, "Indlaan")
            document = authority.example("Indlaan", seed=8)
            with pytest.raises(NotAuthorised, match="visible: Udlaan"):
                gateway.submit(document, service="Indlaan", name=name_for(who))
            authority.clock.advance(timedelta(hours=1, minutes=1))
            assert gateway.submit(document, service="Indlaan", name=name_for(who)).state is State.SENT


@pytest.mark.parametrize(("loss", "arrives"), [(LinkLoss.AFTER_DATA_KEPT, True), (LinkLoss.AFTER_DATA_LOST, False)])
def test_f09_a_link_lost_before_226_is_unknown_until_a_status_settles_it(
    authority: SkatSandbox, ledger: Ledger, tmp_path: Path, loss: LinkLoss, arrives: bool
) -> None:
    who = fresh(authority)
    document, name = authority.example("Udlaan", seed=4), name_for(who)
    with enter(authority, ledger, who) as gateway:
        with authority.faults.during(link_loss=loss), pytest.raises(OutcomeUnknown) as lost:
            gateway.submit(document, service="Udlaan", name=name)
        assert lost.value.submission is not None
        assert lost.value.submission.state is State.UNKNOWN
        settled = gateway.wait(lost.value.submission, into=tmp_path / "answers", timeout=20 if arrives else 1)
        assert settled.state is (State.ANSWERED if arrives else State.UNKNOWN)
        assert gateway.submit(document, service="Udlaan", name=name).id == settled.id
    assert [found.name for found in authority.arrived].count(name) == (1 if arrives else 0)


def test_a_status_0_names_the_code_and_what_to_do(authority: SkatSandbox, ledger: Ledger, tmp_path: Path) -> None:
    who = fresh(authority)
    binary = attrs.evolve(skat.CPS, transfer=skat.PROFILES["Udlaan"].transfer)
    with enter(authority, ledger, who, profiles=[binary]) as gateway:
        filed = gateway.submit(authority.example("CPS", seed=6), service="CPS")
        final = gateway.wait(filed, into=tmp_path / "answers", timeout=20)
    assert final.state is State.REJECTED
    with pytest.raises(Rejected) as refused:
        final.raise_for_rejection()
    assert refused.value.code == "FILE_NOT_UPLOADED_IN_ASCII_MODE"
    assert "ASCII" in str(refused.value)


@pytest.mark.parametrize("damage", [found for found in Damage if found is not Damage.UNKNOWN_ELEMENTS])
def test_f15_damaged_statuses_are_kept_and_never_believed(
    authority: SkatSandbox, ledger: Ledger, tmp_path: Path, damage: Damage
) -> None:
    who = fresh(authority)
    with enter(authority, ledger, who) as gateway:
        with authority.faults.during(damage=damage):
            filed = gateway.submit(authority.example("Udlaan", seed=7), service="Udlaan", name=name_for(who))
            gateway.wait(filed, into=tmp_path / "answers", timeout=1)
        proofs = {event.evidence.proof for event in gateway.status(filed).history}
        assert proofs & {Proof.HANDED_OVER, Proof.TAKEN, Proof.REFUSED} == set()


@pytest.mark.parametrize(
    "switches",
    [
        {"reversed_statuses": True},
        {"repeat_statuses": True},
        {"missing": frozenset({1, 2})},
        {"damage": Damage.UNKNOWN_ELEMENTS},
        {"extra_entries": ("../x", "..\\y", "a\x1b[31mb", "-rf")},
        {"no_close_notify": True},
        {"replace_answers": True},
    ],
    ids=lambda switches: next(iter(switches)),
)
def test_f15_f16_odd_ways_still_lead_to_the_answer(
    authority: SkatSandbox, ledger: Ledger, tmp_path: Path, switches: dict[str, Any]
) -> None:
    who = fresh(authority)
    with authority.faults.during(**switches), enter(authority, ledger, who) as gateway:
        filed = gateway.submit(authority.example("Udlaan", seed=9), service="Udlaan", name=name_for(who))
        assert gateway.wait(filed, into=tmp_path / "answers", timeout=30).state is State.ANSWERED
    saved = {path.parent for path in tmp_path.rglob("*") if path.is_file()}
    assert saved <= {tmp_path, tmp_path / "answers"}


def test_f15_six_hours_of_a_back_end_away_are_silence(ledger: Ledger, tmp_path: Path) -> None:
    with SkatSandbox() as authority:
        authority.faults.away_until = authority.clock() + timedelta(hours=7)
        environment = attrs.evolve(authority.environment, patience=skat.Patience())
        with enter(authority, ledger, environment=environment, clock=authority.clock) as gateway:
            filed = gateway.submit(authority.example("Udlaan"), service="Udlaan", name="19552101_2025_a1.zip")
            authority.clock.advance(timedelta(hours=6, minutes=30))
            found = gateway.collect(tmp_path / "answers")
            assert [silent.id for silent in found.silent] == [filed.id]
            assert found.silent[0].state is State.SENT
            authority.clock.advance(timedelta(hours=1))
            authority.clock.advance(timedelta(hours=1))
            gateway.collect(tmp_path / "answers")
            assert gateway.status(filed).state is State.ANSWERED


def test_a_departure_declaration_brings_more_than_one_answer(
    authority: SkatSandbox, ledger: Ledger, tmp_path: Path
) -> None:
    import time

    who = fresh(authority)
    with enter(authority, ledger, who) as gateway:
        service = "Manifest.AfgangsdeklarationOpret"
        filed = gateway.submit(authority.example(service, seed=3), service=service)
        ends = time.monotonic() + 20
        while len(gateway.status(filed).answers) < 2 and time.monotonic() < ends:
            gateway.collect(tmp_path / "answers")
            time.sleep(0.05)
        answers = gateway.status(filed).answers
    assert len({answer.remote_name for answer in answers}) == 2


def test_unsolicited_files_are_saved(authority: SkatSandbox, ledger: Ledger, tmp_path: Path) -> None:
    who = fresh(authority)
    status = authority.put_unsolicited(who, "UFO_Besked_1.xml", b"<besked/>")
    with enter(authority, ledger, who) as gateway:
        found = gateway.collect(tmp_path / "answers")
    assert {saved.remote_name for saved in found.unsolicited} == {status, "UFO_Besked_1.xml"}


def test_collected_files_are_deleted_only_on_request(authority: SkatSandbox, ledger: Ledger, tmp_path: Path) -> None:
    who = fresh(authority)
    with enter(authority, ledger, who) as gateway:
        filed = gateway.submit(authority.example("Udlaan", seed=12), service="Udlaan", name=name_for(who))
        gateway.wait(filed, into=tmp_path / "answers", timeout=20)
        assert authority.out(who)
        authority.put(who, "list.txt", b"text")
        assert gateway.collect(tmp_path / "answers", delete=True).removed == ("list.txt",)


def test_l07_a_lost_ledger_cannot_file_a_name_twice(authority: SkatSandbox, tmp_path: Path) -> None:
    who = fresh(authority, cvr="20202020")
    document = authority.example("Udlaan", seed=13)
    with Ledger.open(tmp_path / "one.db") as first, enter(authority, first, who) as gateway:
        filed = gateway.submit(document, service="Udlaan", name=name_for(who))
        gateway.wait(filed, into=tmp_path / "answers", timeout=20)
    with (
        Ledger.open(tmp_path / "two.db") as second,
        enter(authority, second, who) as gateway,
        pytest.raises(DuplicateName),
    ):
        gateway.submit(document, service="Udlaan", name=name_for(who))
    assert [found.name for found in authority.arrived].count(name_for(who)) == 1


def test_many_documents_cross_four_connections_once_each(authority: SkatSandbox, ledger: Ledger) -> None:
    who = fresh(authority)
    filings = [
        skat.Filing(document=authority.example("Udlaan", seed=100 + number), name=name_for(who, seed=100 + number))
        for number in range(40)
    ]
    with enter(authority, ledger, who) as gateway:
        results = dict(enumerate(gateway.submit_many(filings, service="Udlaan", connections=4)))
    assert not [outcome for _, outcome in results.values() if isinstance(outcome, GovfileError)]
    arrived = [found.name for found in authority.arrived]
    assert all(arrived.count(filing.name or "") == 1 for filing in filings)


def test_f03_a_foreign_server_is_never_told_who_we_are(authority: SkatSandbox, ledger: Ledger) -> None:
    from govfile.sandbox.pki import ServerCertificate

    wrong = [found for found in ServerCertificate if found is not ServerCertificate.GOOD]
    assert wrong
    for certificate in wrong:
        before = len(authority.commands)
        with (
            authority.faults.during(server_certificate=certificate),
            enter(authority, ledger) as gateway,
            pytest.raises((PeerIdentityError, TlsFailed)),
        ):
            gateway.services()
        assert not [command for command in authority.commands[before:] if command.startswith(("USER", "PASS"))]


# --- both gateways of the migration years -------------------------------------------------------------------------


def test_both_gateways_side_by_side_as_in_the_migration_years(ledger: Ledger, tmp_path: Path) -> None:
    today = Settings(port=6381, data_ports=(36000, 39999))
    before = Settings.retired_gateway(port=6371, data_ports=(35000, 35100))
    try:
        authority = SkatSandbox(settings=today, retired_settings=before)
        authority.start()
    except OSError as taken:
        pytest.skip(f"the published ports are not free here: {taken}")
    try:
        who = authority.register(CertificateKind.OCES2_COMPANY, cvr="30808460")
        with enter(authority.retired, ledger, who) as old, enter(authority, ledger, who) as new:
            assert (old.environment.port, new.environment.port) == (6371, 6381)
            assert old.environment.policy.data_ports == skat.PRODUCTION_RETIRED.policy.data_ports
            assert new.environment.policy.data_ports == skat.PRODUCTION.policy.data_ports
            assert old.login_information() != b""
            document = authority.example("Udlaan", seed=21)
            for gateway in (old, new):
                filed = gateway.submit(document, service="Udlaan", name=name_for(who))
                into = tmp_path / gateway.environment.name
                assert gateway.wait(filed, into=into, timeout=20).state is State.ANSWERED
        for host in (authority, authority.retired):
            assert [found.name for found in host.filed] == [name_for(who)]
    finally:
        authority.stop()
