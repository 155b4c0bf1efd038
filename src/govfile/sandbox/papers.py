"""The throw-away papers a sandbox leaves in a folder for its clients."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeVar

from govfile.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from govfile.skat.environments import Patience

_MARK = b"# Written by govfile sandbox; its next start replaces this file and the papers beside it.\n"

_CONFIG = "govfile.toml"
_Papers = TypeVar("_Papers")


def hand_out(papers: Callable[..., _Papers], folder: Path, *, config: str, **contents: tuple[str, bytes]) -> _Papers:
    """Write `contents` (what `papers` calls each: file name and bytes) and `config` as `govfile.toml` into `folder`.

    All are readable by their owner only, those of an earlier sandbox are replaced. Returns `papers` of their paths.
    Raises `ConfigurationError` when the folder holds a file of one of these names that no sandbox wrote (it may be
    somebody's only key), or cannot be written.
    """
    _write_all(folder, dict(contents.values()), config=config.encode())
    paths = {each: folder / name for each, (name, _) in contents.items()}
    return papers(**paths, config=folder / _CONFIG)


def _write_all(folder: Path, contents: Mapping[str, bytes], *, config: bytes) -> None:
    config_path = folder / _CONFIG
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_ours = config_path.is_file() and config_path.read_bytes().startswith(_MARK)
        for name in (config_path.name, *contents):
            if not is_ours and (folder / name).exists():
                raise ConfigurationError(
                    f"{folder} holds {name}, which no sandbox wrote", advice="give --into a new folder"
                )
        _write(config_path, _MARK + config)
        for name, content in contents.items():
            _write(folder / name, content)
    except OSError as error:
        raise ConfigurationError(
            f"{folder} cannot be written: {error.strerror}", advice="give --into a folder that can be written"
        ) from error


def patience_table(patience: Patience) -> str:
    """The end of a `govfile.toml`: how often to look at the sandbox."""
    return f"""\
[profiles.sandbox.environment.patience]
first = {patience.first.total_seconds()}
usual = {patience.usual.total_seconds()}
slow = {patience.slow.total_seconds()}
"""


def _write(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as writer:
        writer.write(content)
