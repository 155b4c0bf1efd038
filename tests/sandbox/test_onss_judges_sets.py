"""Sets: complete or not, in parts, with GO, without it, cancelled, sent by whom they may be."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from govfile.sandbox.onss import Circuit, Schedule, Settings, Signing
from support.onss_sender import connected, standing_still

if TYPE_CHECKING:
    from pathlib import Path

ALWAYS = {
    Circuit.REAL: Signing.REQUIRED,
    Circuit.CIRCUIT_TEST: Signing.REQUIRED,
    Circuit.DECLARATION_TEST: Signing.FORBIDDEN,
}


def test_four_parts_are_one_declaration(tmp_path: Path) -> None:
    with standing_still() as authority, connected(authority, tmp_path) as sender:
        parts = [authority.example("DMFA", seed=seed) for seed in range(4)]
        name = sender.declare(*parts)
        assert sender.codes(name) == []
        (declared,) = authority.filed
        assert [part.name[-3:] for part in declared.parts] == ["4.1", "4.2", "4.3", "4.4"]
        assert [part.size for part in declared.parts] == [len(part) for part in parts]


@pytest.mark.parametrize(
    ("left_out", "expected"),
    [
        (["FI.1.1"], ["142"]),
        (["FS.1.1"], ["122"]),
        (["FI.1.1", "FS.1.1"], ["142", "122"]),
    ],
)
def test_what_is_missing_has_its_code(tmp_path: Path, left_out: list[str], expected: list[str]) -> None:
    with standing_still() as authority, connected(authority, tmp_path) as sender:
        stem, content = sender.stem(), authority.example("DMFA")
        files = {"FI.1.1": content, "FS.1.1": base64.b64encode(sender.sign(content))}
        for name in files.keys() - set(left_out):
            sender.put(f"IN/{name[:2]}.{stem}{name[2:]}", files[name])
        sender.put(f"IN/GO.{stem}.1")
        assert sender.codes(f"GO.{stem}.1") == expected


@pytest.mark.parametrize(
    ("names", "parts", "expected"),
    [
        (("FI.2.1",), 2, {"120", "122"}),
        (("FI.2.1", "FI.2.2", "FS.2.1"), 2, {"122"}),
        (("FI.3.1", "FI.3.3"), 2, {"123", "122"}),
        (("FI.2.1", "FI.2.2", "FS.2.1", "FS.2.2", "FS.3.3"), 2, {"122", "124"}),
        (("FI.1.1", "FS.1.1", "FI"), 1, {"120"}),
    ],
)
def test_parts_that_do_not_fit_have_their_codes(
    tmp_path: Path, names: tuple[str, ...], parts: int, expected: set[str]
) -> None:
    with standing_still() as authority, connected(authority, tmp_path) as sender:
        stem, content = sender.stem(), authority.example("DMFA")
        for name in names:
            prefix, _, index = name.partition(".")
            sender.put(f"IN/{prefix}.{stem}{'.' * bool(index)}{index}", content)
        sender.put(f"IN/GO.{stem}.{parts}")
        assert set(sender.codes(f"GO.{stem}.{parts}")) - {"125"} == expected


@pytest.mark.parametrize(
    ("letter", "has_signature", "expected"),
    [("R", False, ["122"]), ("T", False, []), ("S", False, []), ("T", True, []), ("S", True, [])],
)
def test_signatures_are_demanded_in_the_real_circuit_only(
    tmp_path: Path, letter: str, has_signature: bool, expected: list[str]
) -> None:
    with standing_still() as authority, connected(authority, tmp_path) as sender:
        made = None if has_signature else [None]
        name = sender.declare(authority.example("DMFA"), letter=letter, signatures=made)
        assert sender.codes(name, letter) == expected


def test_the_policy_on_signatures_can_be_set(tmp_path: Path) -> None:
    with standing_still(settings=Settings(signing=ALWAYS)) as authority, connected(authority, tmp_path) as sender:
        unsigned = sender.declare(authority.example("DMFA"), letter="T", signatures=[None])
        assert sender.codes(unsigned, "T") == ["122"]
        signed = sender.declare(authority.example("DMFA"), letter="S")
        assert sender.codes(signed, "S") == ["121"]


def test_several_checks_fail_at_once_and_all_are_told(tmp_path: Path) -> None:
    with standing_still() as authority, connected(authority, tmp_path) as sender:
        name = sender.declare(b"<DmfAOriginal>", purpose="NOTI", signatures=[b"!"])
        assert sender.codes(name) == ["154", "102", "125"]


def test_nothing_happens_before_the_go(tmp_path: Path) -> None:
    with standing_still() as authority, connected(authority, tmp_path) as sender:
        stem, content = sender.stem(), authority.example("DMFA")
        sender.put(f"IN/FI.{stem}.1.1", content)
        sender.wait(600)
        assert authority.declared == ()
        assert sender.answers() == {}
        assert list(authority.folder("IN")) == [f"FI.{stem}.1.1"]


def test_files_whose_go_never_comes_are_refused_once_and_removed(tmp_path: Path) -> None:
    with (
        standing_still(schedule=Schedule(go_missing=600)) as authority,
        connected(authority, tmp_path) as sender,
    ):
        stem, content = sender.stem(), authority.example("DMFA")
        sender.put(f"IN/FI.{stem}.1.1", content)
        sender.put(f"IN/FS.{stem}.1.1", content)
        sender.wait(601)
        assert sender.codes(f"FI.{stem}.1.1") == ["130"]
        assert authority.folder("IN") == {}
        sender.declare(content, stem=stem)
        sender.wait()
        assert authority.declared[0].codes == ("133",)


def test_parts_may_be_written_again_before_the_go(tmp_path: Path) -> None:
    with standing_still() as authority, connected(authority, tmp_path) as sender:
        stem, content = sender.stem(), authority.example("DMFA")
        sender.put(f"IN/FI.{stem}.1.1", b"half of an earlier attempt that was longer than the whole" * 100)
        name = sender.declare(content, stem=stem)
        assert sender.codes(name) == []
        assert len(authority.filed) == 1


def test_a_td_cancels_what_was_not_taken_yet(tmp_path: Path) -> None:
    with standing_still() as authority, connected(authority, tmp_path) as sender:
        stem, content = sender.stem(), authority.example("DMFA")
        sender.put(f"IN/FI.{stem}.1.1", content)
        sender.put(f"IN/TD.{stem}.1")
        assert sender.codes(f"TD.{stem}.1") == ["277"]
        assert authority.folder("IN") == {}
        sender.declare(content, stem=stem)
        sender.wait()
        assert authority.filed == ()


def test_a_td_comes_too_late_for_what_was_taken(tmp_path: Path) -> None:
    with standing_still() as authority, connected(authority, tmp_path) as sender:
        stem = sender.stem()
        sender.declare(authority.example("DMFA"), stem=stem)
        sender.wait()
        sender.put(f"IN/TD.{stem}.1")
        sender.wait()
        assert len(authority.filed) == 1
        assert "nothing left to cancel" in authority.findings[-1]


def test_a_purpose_that_was_not_ticked_is_refused(tmp_path: Path) -> None:
    with standing_still() as authority:
        account = authority.register(user="dimonaonly", purposes=["DIMN"])
        with connected(authority, tmp_path, account) as sender:
            name = sender.declare(authority.example("DMFA"))
            assert sender.codes(name) == ["154"]
            name = sender.declare(authority.example("DIMN"), purpose="DIMN")
            assert sender.codes(name) == []


def test_the_old_short_names_make_a_set(tmp_path: Path) -> None:
    with standing_still() as authority, connected(authority, tmp_path) as sender:
        stem, content = sender.stem("WECH"), authority.example("WECH")
        sender.put(f"IN/FI.{stem}", content)
        sender.put(f"IN/FS.{stem}", base64.b64encode(sender.sign(content)))
        sender.put(f"IN/GO.{stem}")
        assert sender.codes(f"GO.{stem}") == []


def test_an_acknowledgement_by_the_sender_is_taken_in_silence(tmp_path: Path) -> None:
    with standing_still() as authority, connected(authority, tmp_path) as sender:
        sender.declare(authority.example("ACRF"), purpose="ACRF")
        sender.wait()
        assert [each.codes for each in authority.declared] == [()]
        assert sender.answers() == {}


def test_senders_see_their_own_folders_and_users_of_one_sender_the_same(tmp_path: Path) -> None:
    with standing_still() as authority:
        colleague = authority.register(user="colleague1")
        stranger = authority.register(sender="305001", user="stranger1")
        with connected(authority, tmp_path) as sender:
            sender.declare(authority.example("DMFA"))
            sender.wait()
        with connected(authority, tmp_path, colleague) as sender:
            assert sender.sftp.listdir("OUT")
        with connected(authority, tmp_path, stranger) as sender:
            assert sender.sftp.listdir("OUT") == []


def test_a_file_that_is_too_large_is_counted_and_not_kept(tmp_path: Path) -> None:
    settings = Settings(largest=10_000)
    with standing_still(settings=settings) as authority, connected(authority, tmp_path) as sender:
        name = sender.declare(authority.example("DMFA") + b" " * 50_000)
        assert "184" in sender.codes(name)
        assert authority.declared[0].parts[0].size > 50_000


def test_several_go_at_once_are_several_sets(tmp_path: Path) -> None:
    with standing_still() as authority, connected(authority, tmp_path) as sender:
        names = [sender.declare(authority.example("DIMN", seed=seed), purpose="DIMN") for seed in range(3)]
        sender.wait()
        assert [each.name for each in authority.filed] == names
        assert len({each.ticket for each in authority.filed}) == 3
        gap = authority.filed[-1].at - authority.filed[0].at
        assert gap < timedelta(seconds=1)
