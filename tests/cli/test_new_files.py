"""Files that commands make: whole, or not there."""

from __future__ import annotations

import errno
import stat
from typing import TYPE_CHECKING

import pytest

from govfile.cli.new_files import new_file
from govfile.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path


def test_what_was_written_is_there(tmp_path: Path) -> None:
    with new_file(tmp_path / "key.p12", mode=0o600) as stream:
        stream.write(b"whole")
    assert (tmp_path / "key.p12").read_bytes() == b"whole"
    assert stat.S_IMODE((tmp_path / "key.p12").stat().st_mode) == 0o600


def _stopped_half_way(path: Path, error: BaseException) -> None:
    with new_file(path) as stream:
        stream.write(b"half")
        raise error


def test_no_half_of_a_file_is_left_on_a_full_disk(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No space left") as told:
        _stopped_half_way(tmp_path / "a", OSError(errno.ENOSPC, "No space left on device"))
    assert told.value.advice == "make room, or give another place"
    assert list(tmp_path.iterdir()) == []


def test_no_half_of_a_file_is_left_by_ctrl_c(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        _stopped_half_way(tmp_path / "a", KeyboardInterrupt())
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"theirs")
    with pytest.raises(ConfigurationError) as told, new_file(tmp_path / "a") as stream:
        stream.write(b"ours")
    assert told.value.advice == "give the name of a new file"
    assert (tmp_path / "a").read_bytes() == b"theirs"
