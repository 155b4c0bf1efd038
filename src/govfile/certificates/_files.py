"""Reading small files that hold keys and certificates, with an error for each way that can fail."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from govfile.certificates.secret import check_secret
from govfile.errors import CredentialError

if TYPE_CHECKING:
    from govfile.certificates.secret import Secret
    from govfile.errors import GovfileError

#: Bytes as they are, or the path of a file that holds them.
Source: TypeAlias = bytes | str | os.PathLike[str]

#: No key file is larger: one with ten certificates stays below 30 KiB.
LIMIT = 1024 * 1024

#: In bytes: neither cryptography nor the openssl program takes a longer one.
_LONGEST_PASSPHRASE = 1023

#: The advice where a passphrase is missing, by which the command knows when to ask for one.
NOT_OPENED = "give its passphrase"


def read_source(
    source: Source,
    what: str,
    *,
    limit: int = LIMIT,
    error: type[GovfileError] = CredentialError,
) -> bytes:
    """The bytes of `source`, at most `limit` of them; `what` names it in the `error` raised for anything else."""
    if isinstance(source, bytes | bytearray | memoryview):
        data, called = bytes(source), f"the {what}"
    else:
        place = _path(source, what, error)
        called = f"the {what} {str(place)!r}"
        data = _read(place, called, limit, error)
    if not data:
        raise error(f"{called} is empty")
    if len(data) > limit:
        raise error(f"{called} is larger than {limit // 1024} KiB", advice="check that it is the right file")
    return data


def _path(source: str | os.PathLike[str], what: str, error: type[GovfileError]) -> Path:
    if not isinstance(source, str | os.PathLike):
        raise error(f"the {what} is given as {type(source).__name__}", advice="give its path, or its content as bytes")
    # Somebody who passes the text of a key must not find it in a "no such file" message.
    text = os.fsdecode(source)
    if not text or "-----BEGIN" in text or "\n" in text or "\0" in text:
        raise error(f"the {what} is given as text that is no path", advice="give its path, or its content as bytes")
    return Path(text)


def _read(place: Path, called: str, limit: int, error: type[GovfileError]) -> bytes:
    try:
        with place.open("rb") as file:
            return file.read(limit + 1)
    except FileNotFoundError as failure:
        raise error(f"{called} does not exist", advice="check the path") from failure
    except IsADirectoryError as failure:
        raise error(f"{called} is a folder", advice="give the file in it") from failure
    except PermissionError as failure:
        raise error(f"{called} may not be read by this user", advice="check its owner and mode") from failure
    except OSError as failure:
        raise error(f"{called} cannot be read: {failure.strerror or type(failure).__name__}") from failure


def utf8(passphrase: Secret | None) -> bytes | None:
    """The passphrase's bytes, None for None.

    Raises `ConfigurationError` for anything but a `Secret`, and `CredentialError` for one with a NUL in it or too
    long; neither shows it.
    """
    if passphrase is None:
        return None
    check_secret(passphrase, "passphrase")
    text = passphrase.reveal()
    if "\0" in text:  # cryptography ends in a panic over it, which prints the passphrase
        raise CredentialError(
            "the passphrase holds a NUL character", advice="save the file it comes from as UTF-8; it may be UTF-16"
        )
    encoded = text.encode("utf-8")
    if len(encoded) > _LONGEST_PASSPHRASE:
        raise CredentialError(
            f"the passphrase has {len(encoded)} bytes, more than the {_LONGEST_PASSPHRASE} that can be used",
            advice="check that it is the right one",
        )
    return encoded
