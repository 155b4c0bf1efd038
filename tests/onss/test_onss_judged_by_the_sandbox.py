"""The channel against a real SFTP server and a transfer point that shares no code with it."""

from __future__ import annotations

import datetime as dt
import pathlib
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from govfile import Ledger, State, Verdict, onss
from govfile.certificates.trust import Trust
from govfile.errors import (
    AuthenticationRefused,
    ChannelNotYetSynchronised,
    ConfigurationError,
    GovfileError,
    OutcomeUnknown,
    PeerIdentityError,
    TransportError,
)
from govfile.sandbox.onss import Drop, OnssSandbox, Packing, Settings, When

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAM = pathlib.Path(__file__).parents[2].parent / "shared" / "programs" / "onss.py"


@pytest.fixture
def authority() -> Iterator[OnssSandbox]:
    with OnssSandbox() as running:
        yield running


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "filings.db") as opened:
        yield opened


def open_channel(authority: OnssSandbox, ledger: Ledger, **settings: Any) -> onss.Channel:
    settings.setdefault("environment", authority.environment)
    settings.setdefault("credential", authority.credential)
    settings.setdefault("ssh_key", authority.ssh_key)
    return onss.Channel(
        settings.pop("environment"),
        settings.pop("credential"),
        sender=authority.sender,
        user=authority.user,
        ledger=ledger,
        clock=authority.clock,
        **settings,
    )


def test_the_published_program_runs_as_it_stands(tmp_path: Path) -> None:
    if not PROGRAM.is_file():
        pytest.skip(f"{PROGRAM.name} is not beside this checkout")
    done = subprocess.run(
        [sys.executable, str(PROGRAM)], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "ANSWERED ACCEPTED" in done.stdout


@pytest.mark.parametrize("purpose", ["DMFA", "DIMN", "DMWA", "WECH"])
@pytest.mark.parametrize("layout", onss.Layout)
def test_a_set_is_taken_and_answered(
    authority: OnssSandbox, ledger: Ledger, tmp_path: Path, purpose: str, layout: onss.Layout
) -> None:
    environment = attrs.evolve(authority.environment, layout=layout)
    with open_channel(authority, ledger, environment=environment) as channel:
        filed = channel.submit(authority.example(purpose), purpose=purpose)
        final = channel.wait(filed, into=tmp_path / "answers", timeout=20)
    assert (final.state, final.verdict) == (State.ANSWERED, Verdict.ACCEPTED), authority.findings
    assert [found.name for found in authority.filed] == [filed.name]


@pytest.mark.parametrize("packing", Packing)
def test_compressed_and_timestamped_answers_from_trusted_institutions(
    authority: OnssSandbox, ledger: Ledger, tmp_path: Path, packing: Packing
) -> None:
    authority.replies.packing = packing
    authority.replies.timestamped = True
    trust = Trust.only(authority.institutions_pem())
    with open_channel(authority, ledger, trust=trust) as channel:
        filed = channel.submit(authority.example("DMFA", forms=3), purpose="DMFA")
        final = channel.wait(filed, into=tmp_path / "answers", timeout=20)
    assert final.verdict is Verdict.ACCEPTED
    assert final.answers[0].remote_name.startswith("CO.NOTI")


def test_the_three_environments(authority: OnssSandbox, ledger: Ledger, tmp_path: Path) -> None:
    declaration = authority.example("DMFA")
    for environment in (authority.declaration_test, authority.circuit_test, authority.environment):
        with open_channel(authority, ledger, environment=environment) as channel:
            filed = channel.submit(declaration, purpose="DMFA")
            assert channel.wait(filed, into=tmp_path / environment.name, timeout=20).verdict is Verdict.ACCEPTED
    assert (len(authority.tested), len(authority.filed)) == (2, 1)


def test_a_set_of_parts(authority: OnssSandbox, ledger: Ledger, tmp_path: Path) -> None:
    parts = [authority.example("DMFA", seed=seed) for seed in range(4)]
    with open_channel(authority, ledger) as channel:
        filed = channel.submit(parts, purpose="DMFA")
        assert channel.wait(filed, into=tmp_path / "answers", timeout=20).verdict is Verdict.ACCEPTED
    assert len(authority.filed[0].parts) == 4


@pytest.mark.parametrize(
    ("replies", "verdict"),
    [
        ({"results": (1, 0)}, Verdict.MIXED),
        ({"results": (1, 0), "split": True}, Verdict.MIXED),
        ({"results": (0,)}, Verdict.REJECTED),
        ({"results": (3,)}, Verdict.PROVISIONAL),
        ({"file_reference": False}, Verdict.ACCEPTED),
        ({"file_reference": False, "ticket_reference": False}, Verdict.ACCEPTED),
        ({"file_reference": False, "ticket_reference": False, "own_reference": False}, Verdict.ACCEPTED),
        ({"names_declaration": True, "provisional_first": True}, Verdict.ACCEPTED),
    ],
)
def test_verdicts_and_the_ways_to_match(
    authority: OnssSandbox, ledger: Ledger, tmp_path: Path, replies: dict[str, Any], verdict: Verdict
) -> None:
    with authority.replies.during(**replies), open_channel(authority, ledger) as channel:
        channel.submit(authority.example("DMFA", seed=9), purpose="DMFA")
        filed = channel.submit(authority.example("DMFA", seed=1, forms=2), purpose="DMFA")
        channel.wait(filed, into=tmp_path / "answers", timeout=20)
        for _ in range(40):  # a split notification comes in pieces
            authority.clock.advance(1)
            channel.collect(tmp_path / "answers")
            final = channel.status(filed)
            if final.verdict is verdict:
                break
    assert final.verdict is verdict


def test_a_refusal_names_its_code(authority: OnssSandbox, ledger: Ledger, tmp_path: Path) -> None:
    stranger = authority.unregistered_credential()
    with open_channel(authority, ledger, credential=stranger) as channel:
        filed = channel.submit(authority.example("DMFA"), purpose="DMFA")
        final = channel.wait(filed, into=tmp_path / "answers", timeout=20)
    assert final.state is State.REJECTED
    assert final.rejection is not None
    assert "ACRF-153" in final.rejection.code


@pytest.mark.parametrize("when", When)
@pytest.mark.parametrize("request_number", range(1, 16))
def test_s04_the_line_breaks_at_every_request(
    authority: OnssSandbox, ledger: Ledger, tmp_path: Path, request_number: int, when: When
) -> None:
    """Whatever is lost, the same call again or a look settles it, and the declaration counts once."""
    path = tmp_path / "dmfa.xml"
    path.write_bytes(authority.example("DMFA"))
    with open_channel(authority, ledger) as channel:
        channel.collect(tmp_path / "answers")
        authority.faults.drop = Drop(request=request_number, when=when)
        try:
            channel.submit(path, purpose="DMFA")
        except OutcomeUnknown:
            pass
        except TransportError:
            assert authority.declared == (), "before the trigger nothing is filed"
        authority.faults.drop = None
        for _ in range(3):
            assert [resumed.error for resumed in channel.resume() if resumed.error] == []
            channel.collect(tmp_path / "answers")
        submissions = list(ledger.search())
        if not submissions:
            channel.submit(path, purpose="DMFA")
            submissions = list(ledger.search())
        (submission,) = submissions
        final = channel.wait(submission, into=tmp_path / "answers", timeout=3)
        if final.state is State.UNKNOWN:
            assert authority.declared == (), "a trigger that arrived shows itself"
        else:
            assert (final.state, final.verdict) == (State.ANSWERED, Verdict.ACCEPTED)
            assert len(authority.filed) == 1
    assert ledger.verify() == []


@pytest.mark.parametrize("faults", [{"moves_at_once": True}, {"forbids_stat": True}, {"hides_sizes": True}], ids=str)
def test_s07_servers_that_show_little(
    authority: OnssSandbox, ledger: Ledger, tmp_path: Path, faults: dict[str, Any]
) -> None:
    with authority.faults.during(**faults), open_channel(authority, ledger) as channel:
        filed = channel.submit(authority.example("DMFA"), purpose="DMFA")
        assert filed.state is State.SENT
        assert channel.wait(filed, into=tmp_path / "answers", timeout=20).verdict is Verdict.ACCEPTED


@pytest.mark.parametrize("faults", [{"disk_full_after": 100}, {"refuse_close": True}, {"refuse_open": True}], ids=str)
def test_s05_s06_s09_refusals_file_nothing_and_the_same_bytes_follow(
    authority: OnssSandbox, ledger: Ledger, tmp_path: Path, faults: dict[str, Any]
) -> None:
    declaration = authority.example("DMFA")
    with open_channel(authority, ledger) as channel:
        with authority.faults.during(**faults), pytest.raises(GovfileError):
            channel.submit(declaration, purpose="DMFA")
        assert next(iter(ledger.search())).state is State.PREPARED
        filed = channel.submit(declaration, purpose="DMFA")
        assert channel.wait(filed, into=tmp_path / "answers", timeout=20).verdict is Verdict.ACCEPTED
    assert len(authority.filed) == 1


def test_s02_a_server_that_takes_sha1_logins_only(authority: OnssSandbox, ledger: Ledger) -> None:
    with authority.faults.during(sha1_only=True), open_channel(authority, ledger) as channel:
        assert channel.submit(authority.example("DMFA"), purpose="DMFA").state is State.SENT


def test_s01_another_host_key_is_refused(authority: OnssSandbox, ledger: Ledger) -> None:
    other = authority.faults.during(other_host_key=True)
    with other, open_channel(authority, ledger) as channel, pytest.raises(PeerIdentityError):
        channel.submit(authority.example("DMFA"), purpose="DMFA")


def test_s03_a_channel_that_is_not_known_yet(ledger: Ledger) -> None:
    with OnssSandbox(is_synchronised=False) as authority:
        account = authority.account
        with open_channel(authority, ledger, channel_created_at=account.created) as channel:
            with pytest.raises(ChannelNotYetSynchronised) as refused:
                channel.submit(authority.example("DMFA"), purpose="DMFA")
            assert refused.value.expected - authority.clock() <= dt.timedelta(minutes=30)
        with open_channel(authority, ledger) as channel, pytest.raises(AuthenticationRefused) as plain:
            channel.submit(authority.example("DMFA"), purpose="DMFA")
        assert not isinstance(plain.value, ChannelNotYetSynchronised)


def test_a_missing_folder_is_named(authority: OnssSandbox, ledger: Ledger) -> None:
    missing = frozenset({"INTEST-S", "OUTTEST-S"})
    environment = authority.declaration_test
    gone, refused = (
        authority.faults.during(missing_folders=missing),
        pytest.raises(ConfigurationError, match="INTEST-S"),
    )
    with gone, refused, open_channel(authority, ledger, environment=environment) as channel:
        channel.submit(authority.example("DMFA"), purpose="DMFA")


@pytest.mark.parametrize("connections", [1, 4])
def test_many_sets_over_one_line_and_over_several(ledger: Ledger, tmp_path: Path, connections: int) -> None:
    with OnssSandbox(settings=Settings(clears_inbox=True)) as authority:
        filings = [onss.Filing(parts=(authority.example("DMFA", seed=seed),), purpose="DMFA") for seed in range(40)]
        with open_channel(authority, ledger) as channel:
            outcomes = [outcome for _, outcome in channel.submit_many(filings, connections=connections)]
            assert [getattr(outcome, "state", outcome) for outcome in outcomes] == [State.SENT] * 40
            last = channel.wait(outcomes[-1], into=tmp_path / "answers", timeout=20)  # type: ignore[arg-type]
        assert last.verdict is Verdict.ACCEPTED
        assert len(authority.filed) == 40


def test_answers_of_strangers_and_answers_twice(authority: OnssSandbox, ledger: Ledger, tmp_path: Path) -> None:
    with authority.faults.during(strangers=True, repeat=True), open_channel(authority, ledger) as channel:
        filed = channel.submit(authority.example("DMFA"), purpose="DMFA")
        final = channel.wait(filed, into=tmp_path / "answers", timeout=20)
        assert final.verdict is Verdict.ACCEPTED
        found = channel.collect(tmp_path / "answers", delete=True)
    assert found.submissions == () or all(one.id == filed.id for one in found.submissions)
    assert any(name.startswith("FO.ACRF") for name in authority.folder("OUT")), "those of strangers stay"
