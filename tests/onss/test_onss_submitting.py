"""Filing a set: what is sent, in which order, under which names, and what is refused before anything leaves."""

from __future__ import annotations

import io
import logging
import shutil
import tracemalloc
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from govfile import Credential, Ledger, State, Submission, onss
from govfile.certificates.cms import verify_detached
from govfile.errors import (
    AuthenticationRefused,
    ChannelNotYetSynchronised,
    ConfigurationError,
    CredentialError,
    DuplicateContent,
    DuplicateName,
    InvalidContent,
    InvalidName,
    LedgerError,
)
from govfile.filing.states import Proof
from govfile.transports.memory import MemoryTransport
from support import pki
from support.onss_world import declaration
from support.signing import signing_identity

if TYPE_CHECKING:
    from pathlib import Path

    from support.onss_world import World

SET = (
    "FI.DMFA.101420.20260105.00001.R.1.1",
    "FS.DMFA.101420.20260105.00001.R.1.1",
    "GO.DMFA.101420.20260105.00001.R.1",
)


class TestASet:
    def test_declaration_signature_and_an_empty_trigger_go_in_this_order(self, world: World) -> None:
        with world.channel() as channel:
            filed = channel.submit(world.write(), purpose="DMFA")
        assert filed.state is State.SENT
        assert filed.remote_names == SET
        assert filed.name == SET[-1]
        assert list(world.server.lying()) == list(SET)
        assert world.server.lying()[SET[-1]] == b""
        (triggered,) = world.server.triggered
        assert set(triggered.files) == set(SET[:-1]), "both lay there when the trigger came"
        assert triggered.files[SET[0]] == declaration()
        report = verify_detached(onss.decode_fs(triggered.files[SET[1]]), declaration())
        assert report.is_sound
        assert world.ledger.kept(filed.id) == {}

    def test_parts_share_number_and_trigger(self, world: World) -> None:
        with world.channel() as channel:
            filed = channel.submit([declaration(1), declaration(2), declaration(3)], purpose="DMFA")
        assert [name[:2] for name in filed.remote_names] == ["FI"] * 3 + ["FS"] * 3 + ["GO"]
        assert filed.remote_names[2] == "FI.DMFA.101420.20260105.00001.R.3.3"
        (triggered,) = world.server.triggered
        for part in (1, 2, 3):
            fs = triggered.files[f"FS.DMFA.101420.20260105.00001.R.3.{part}"]
            assert verify_detached(onss.decode_fs(fs), declaration(part)).is_sound

    @pytest.mark.parametrize("kind", ["path", "text", "bytes", "file"])
    def test_a_declaration_is_a_path_bytes_or_an_open_file(self, world: World, kind: str) -> None:
        path = world.write()
        given: dict[str, Any] = {
            "path": path,
            "text": str(path),
            "bytes": declaration(),
            "file": io.BytesIO(declaration()),
        }
        with world.channel() as channel:
            channel.submit(given[kind], purpose="DMFA")
        assert world.server.triggered[0].files[SET[0]] == declaration()

    @pytest.mark.parametrize(
        ("environment", "letter", "folder", "signs"),
        [
            (onss.PRODUCTION, "R", "IN", True),
            (onss.CIRCUIT_TEST, "T", "INTEST", True),
            (onss.DECLARATION_TEST, "S", "INTEST-S", False),
        ],
    )
    def test_each_environment_has_its_letter_folder_and_signing(
        self, world: World, environment: onss.Environment, letter: str, folder: str, signs: bool
    ) -> None:
        with world.channel(environment) as channel:
            filed = channel.submit(declaration(), purpose="DMFA")
        assert set(world.server.lying(folder)) == set(filed.remote_names)
        assert {name.split(".")[5] for name in filed.remote_names} == {letter}
        assert any(name.startswith("FS") for name in filed.remote_names) is signs

    def test_the_circuit_test_is_signed_only_with_a_key_and_production_never_goes_without(self, world: World) -> None:
        with world.channel(onss.CIRCUIT_TEST, credential=None) as channel:
            assert len(channel.submit(declaration(), purpose="DMFA").remote_names) == 2
        with world.channel(credential=None) as channel, pytest.raises(ConfigurationError, match="no signing"):
            channel.submit(declaration(), purpose="DMFA")
        with world.channel() as channel:
            assert len(channel.submit(declaration(), purpose="DMFA", sign=False).remote_names) == 2

    @pytest.mark.parametrize("layout", onss.Layout)
    def test_signatures_are_laid_out_as_the_environment_says(self, world: World, layout: onss.Layout) -> None:
        with world.channel(attrs.evolve(onss.PRODUCTION, layout=layout)) as channel:
            channel.submit(declaration(), purpose="DMFA")
        fs = world.server.triggered[0].files[SET[1]]
        assert {onss.Layout.SINGLE: b"\r" not in fs, onss.Layout.COL76_CR: fs[76:77] == b"\r" != fs[77:78]}.get(
            layout, fs[64:66] == b"\r\n"
        )

    def test_numbers_count_up_over_purposes_and_start_anew_with_the_belgian_day(self, world: World) -> None:
        world.clock.now = datetime(2026, 1, 5, 22, 30, tzinfo=UTC)
        with world.channel() as channel:
            first = channel.submit(declaration(1), purpose="DMFA").name
            second = channel.submit(declaration(2), purpose="DMWA").name
            world.clock.advance(minutes=45)  # a quarter past midnight in Brussels
            third = channel.submit(declaration(3), purpose="DMFA").name
        assert [name.split(".")[3:5] for name in (first, second, third)] == [
            ["20260105", "00001"],
            ["20260105", "00002"],
            ["20260106", "00001"],
        ]

    def test_progress_counts_all_files_of_the_set(self, world: World) -> None:
        seen: list[tuple[int, int | None]] = []
        with world.channel() as channel:
            channel.submit(declaration(), purpose="DMFA", progress=lambda done, of: seen.append((done, of)))
        files = world.server.triggered[0].files
        whole = sum(map(len, files.values()))
        assert seen[-1] == (whole, whole)
        assert [done for done, _ in seen] == sorted(done for done, _ in seen)

    def test_a_server_that_moves_files_at_once_is_no_error(self, world: World) -> None:
        world.server.moves_at_once = True
        with world.channel() as channel:
            assert channel.submit(declaration(), purpose="DMFA").state is State.SENT
        assert world.server.lying() == {}

    def test_an_unknown_purpose_is_sent_with_a_warning(self, world: World, caplog: pytest.LogCaptureFixture) -> None:
        with world.channel() as channel:
            assert channel.submit(b"<Anything/>", purpose="ABCD").state is State.SENT
        assert "the purpose ABCD is not known" in caplog.text


class TestOnce:
    def test_the_same_content_is_filed_once_under_any_name_and_purpose(self, world: World) -> None:
        path = world.write()
        with world.channel() as channel:
            first = channel.submit(path, purpose="DMFA")
            parts: list[Any] = [path, declaration(), [declaration(2), declaration()]]
            for again, purpose in zip(parts, ("DMFA", "DMWA", "DMFA"), strict=True):
                with pytest.raises(DuplicateContent) as refused:
                    channel.submit(again, purpose=purpose)
                assert refused.value.submission == first
                assert refused.value.certain == "this call sent nothing", "an earlier one did"
        assert len(world.server.triggered) == 1

    def test_a_test_filing_does_not_block_the_real_one(self, world: World) -> None:
        for environment in (onss.CIRCUIT_TEST, onss.PRODUCTION):
            with world.channel(environment) as channel:
                assert channel.submit(declaration(), purpose="DMFA").state is State.SENT

    def test_a_reason_files_once_more_and_an_empty_one_is_none(self, world: World) -> None:
        with world.channel() as channel:
            channel.submit(declaration(), purpose="DMFA")
            second = channel.submit(declaration(), purpose="DMFA", again="the first was refused for its rights")
            assert second.name.split(".")[4] == "00002"
            with pytest.raises(ConfigurationError, match="needs a reason"):
                channel.submit(declaration(), purpose="DMFA", again=" ")

    def test_keys_set_filings_of_one_content_apart(self, world: World) -> None:
        with world.channel() as channel:
            for key in ("a", "b"):
                channel.submit(declaration(), purpose="DMFA", key=key)
            with pytest.raises(DuplicateContent):
                channel.submit(declaration(), purpose="DMFA", key="b")

    def test_s17_numbers_seen_in_the_folders_are_left_out(self, world: World) -> None:
        world.ledger.burn(
            authority="onss", environment="production", sender="101420", service="DMFA", names=["x"], found="earlier"
        )
        world.server.store("/IN/FI.DIMN.101420.20260105.00001.R.1.1", b"<a/>")
        world.server.acknowledge("GO.WECH.101420.20260105.00002.R.1")
        world.server.acknowledge("GO.WECH.305001.20260105.00003.R.1")
        world.server.store("/IN/GO.DIMN.101420.20260105.0000A.R.1", b"")
        with world.channel() as channel:
            assert channel.submit(declaration(), purpose="DMFA").name.split(".")[4] == "00003"
            assert [name.split(".")[4] for name in channel.names()] == ["00001", "0000A", "00003", "00002"]

    def test_s17_a_restored_ledger_never_uses_a_number_twice(self, world: World) -> None:
        path, backup = world.folder / "filings.db", world.folder / "backup.db"
        with world.channel() as channel:
            channel.submit(declaration(1), purpose="DMFA")
        world.ledger.close()
        shutil.copy(path, backup)
        for seed in (2, 3):
            with Ledger.open(path, clock=world.clock) as ledger, world.channel(ledger=ledger) as channel:
                channel.submit(declaration(seed), purpose="DMFA")
        shutil.copy(backup, path)
        world.ledger = Ledger.open(path, clock=world.clock)
        with world.channel() as channel:
            assert channel.submit(declaration(4), purpose="DMFA").name.split(".")[4] == "00004"
        assert len({triggered.name for triggered in world.server.triggered}) == 4

    def test_l07_a_ledger_that_knows_nothing_stops_where_names_are_in_use(self, world: World) -> None:
        world.server.acknowledge("GO.DMFA.101420.20251201.00007.R.1")
        with world.channel() as channel:
            with pytest.raises(LedgerError, match="1 of its names in use"):
                channel.submit(declaration(), purpose="DMFA")
            assert world.server.triggered == []
        with world.channel() as channel:
            assert channel.submit(declaration(), purpose="DMFA").state is State.SENT
            assert channel.rebuild() == 0

    def test_s08_a_file_of_somebody_else_is_never_written_over(self, world: World) -> None:
        with world.channel() as channel:
            channel.submit(declaration(1), purpose="DMFA")
            theirs = "FI.DMFA.101420.20260105.00002.R.1.1"
            world.server.store(f"/IN/{theirs}", b"theirs")
            with pytest.raises(DuplicateName, match="in use by somebody else") as refused:
                channel.submit(declaration(2), purpose="DMFA")
            assert refused.value.submission is not None
            assert refused.value.submission.state is State.REJECTED
            assert world.server.lying()[theirs] == b"theirs"
            assert channel.submit(declaration(2), purpose="DMFA", again="the name was taken").name[-9:] == "00003.R.1"
        assert len(world.server.triggered) == 2


class TestBeforeAnythingLeaves:
    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"", "it is empty"),
            (b"<DmfAOriginal>", "not well-formed"),
            (b"no XML", "not well-formed"),
            (b"<!DOCTYPE a [<!ENTITY b 'c'>]><DmfAOriginal/>", "document type"),
            (b"<Dimona/>", "ACRF-158"),
        ],
    )
    def test_what_is_no_declaration_is_refused(self, world: World, content: bytes, words: str) -> None:
        with world.channel() as channel, pytest.raises(InvalidContent, match=words):
            channel.submit(content, purpose="DMFA")
        self.nothing_happened(world)

    def nothing_happened(self, world: World) -> None:
        assert list(world.ledger.search()) == []
        assert world.opened == []
        assert world.server.lying() == {}

    def test_parts_are_one_to_nine_and_all_different(self, world: World) -> None:
        with world.channel() as channel:
            for parts in ([], [declaration(seed) for seed in range(10)]):
                with pytest.raises(ConfigurationError, match="1 to 9"):
                    channel.submit(parts, purpose="DMFA")
            with pytest.raises(InvalidContent, match="two parts of the set are the same"):
                channel.submit([declaration(), declaration()], purpose="DMFA")
        self.nothing_happened(world)

    def test_a_purpose_that_only_the_authority_sends_and_what_is_none_are_refused(self, world: World) -> None:
        with world.channel() as channel:
            with pytest.raises(ConfigurationError, match="NOTI is what the authority sends"):
                channel.submit(declaration(), purpose="NOTI")
            with pytest.raises(InvalidName, match="four capital letters"):
                channel.submit(declaration(), purpose="dmfa")
        self.nothing_happened(world)

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"\xef\xbb\xbf<DmfAOriginal/>", "byte order mark"),
            (b'<?xml version="1.0" encoding="ISO-8859-1"?><DmfAOriginal/>', "ACRF-138"),
        ],
    )
    def test_what_may_cause_trouble_is_warned_of_and_sent_as_it_is(
        self, world: World, content: bytes, words: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        with world.channel() as channel, caplog.at_level(logging.WARNING):
            channel.submit(content, purpose="DMFA")
        assert words in caplog.text
        assert world.server.triggered[0].files[SET[0]] == content

    def test_acrf_153_is_foreseen_for_certificates_that_are_over_or_for_something_else(self, world: World) -> None:
        world.clock.now = datetime(2041, 1, 1, tzinfo=UTC)
        with pytest.raises(CredentialError, match=r"expired|valid until") as refused:
            world.channel()
        assert "ACRF-153" in refused.value.certain
        assert world.channel(onss.DECLARATION_TEST).sender == "101420", "nothing is signed there"

    def test_an_identity_for_logins_does_not_sign(self, world: World) -> None:
        root = pki.Authority.create(pki.plain("Invented root"))
        identity = signing_identity(root, "key_agreement")
        login = Credential.from_pem(identity.key_pem() + identity.pem)
        with pytest.raises(CredentialError, match="not for signatures"):
            world.channel(credential=login, clock=lambda: datetime.now(UTC))

    @pytest.mark.parametrize("sender", ["10142", "1014200", "10142A", 101420])
    def test_a_sender_is_six_digits(self, world: World, sender: Any) -> None:
        with pytest.raises(ConfigurationError, match="six digits"):
            world.channel(sender=sender)

    def test_an_odd_user_name_is_only_warned_of(self, world: World, caplog: pytest.LogCaptureFixture) -> None:
        assert world.channel(user="old_name").user == "old_name"
        assert "'_'" in caplog.text

    def test_no_connection_is_made_before_a_host_key_is_pinned(self, world: World) -> None:
        with world.channel(transport=None) as channel, pytest.raises(ConfigurationError, match="no host key is pinned"):
            channel.submit(declaration(), purpose="DMFA")

    def test_a_missing_folder_is_named(self, world: World) -> None:
        world.server.folders.remove("/INTEST-S")
        cannot = "INTEST-S of declaration-test cannot be used"
        with world.channel(onss.DECLARATION_TEST) as channel, pytest.raises(ConfigurationError, match=cannot):
            channel.submit(declaration(), purpose="DMFA")


class TestLogin:
    def test_s03_a_refused_login_is_not_tried_again(self, world: World) -> None:
        world.wrap = lambda _: MemoryTransport(world.server, accepts_login=False)
        with world.channel() as channel:
            for _ in range(2):
                with pytest.raises(AuthenticationRefused):
                    channel.submit(declaration(), purpose="DMFA")
        assert len(world.opened) == 1

    def test_s03_a_channel_too_new_says_when_it_will_be_known_and_works_then(self, world: World) -> None:
        created = world.clock.now - timedelta(minutes=5)
        world.wrap = lambda _: MemoryTransport(
            world.server, accepts_login=world.clock.now >= created.replace(hour=9, minute=30)
        )
        with world.channel(channel_created_at=created) as channel:
            for _ in range(2):
                with pytest.raises(ChannelNotYetSynchronised) as refused:
                    channel.submit(declaration(), purpose="DMFA")
                assert refused.value.expected == datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
            assert len(world.opened) == 1
            world.clock.advance(minutes=31)
            assert channel.submit(declaration(), purpose="DMFA").state is State.SENT


class TestCancelling:
    def test_an_empty_file_of_the_sets_name_asks_to_cancel_and_moves_nothing(self, world: World) -> None:
        with world.channel() as channel:
            filed = channel.submit(declaration(), purpose="DMFA")
            asked = channel.cancel(filed)
            assert asked.state is State.SENT
            assert asked.history[-1].evidence.proof is Proof.NOTED
            assert world.server.lying()["TD.DMFA.101420.20260105.00001.R.1"] == b""
            world.server.acknowledge(filed.name, "277")
            channel.collect(world.into)
            assert channel.status(filed).state is State.REJECTED
            with pytest.raises(ConfigurationError, match="nothing to cancel"):
                channel.cancel(filed)


def test_a_status_is_found_by_any_name_of_the_set(world: World) -> None:
    with world.channel() as channel:
        filed = channel.submit(declaration(), purpose="DMFA")
        assert [channel.status(name) for name in (*SET, filed)] == [filed] * 4
        for name in ("GO.DMFA.101420.20260105.00009.R.1", "anything"):
            with pytest.raises(ConfigurationError, match="nothing was filed as"):
                channel.status(name)


def test_many_sets_are_filed_at_once_and_a_bad_one_stops_no_other(world: World) -> None:
    filings = [onss.Filing(parts=(declaration(seed),), purpose="DMFA") for seed in range(70)]
    filings[3] = onss.Filing(parts=(b"<broken>",), purpose="DMFA")
    filings[5] = onss.Filing(parts=(declaration(4),), purpose="DMFA")
    with world.channel() as channel:
        outcomes = [outcome for _, outcome in channel.submit_many(filings)]
    assert isinstance(outcomes[3], InvalidContent)
    assert isinstance(outcomes[5], DuplicateContent)
    filed = [found for found in outcomes if isinstance(found, Submission)]
    assert [found.state for found in filed] == [State.SENT] * 68
    assert len(world.server.triggered) == 68
    assert all(len(triggered.files) == 2 for triggered in world.server.triggered)
    assert world.ledger.verify() == []


def test_large_documents_are_read_block_by_block(world: World) -> None:
    path: Path = world.folder / "large.xml"
    with path.open("wb") as writer:
        writer.write(b"<DmfAOriginal>")
        for _ in range(24):
            writer.write(b" " * 1024 * 1024)
        writer.write(b"</DmfAOriginal>")
    preparer = world.channel()._preparer
    tracemalloc.start()
    prepared = preparer.prepare(onss.Filing(parts=(path,), purpose="DMFA"))
    preparer.draft(prepared).named(1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6 * 1024 * 1024
