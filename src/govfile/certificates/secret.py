"""`Secret`: a password or passphrase that does not slip out."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NoReturn

from govfile.errors import ConfigurationError, MissingExtra

_LONGEST_FILE = 64 * 1024
#: What Python puts in place of bytes that are not UTF-8, as in a variable set by a terminal of another encoding.
_SURROGATES = re.compile("[\ud800-\udfff]")


class Secret:
    """A password. `reveal()` is the only way to its text: it is not a `str` and does not print, format, pickle,
    copy into a log record or compare equal to anything but itself.
    """

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        if not isinstance(text, str):
            raise ConfigurationError(f"a Secret is made from str, not {type(text).__name__}")
        if _SURROGATES.search(text):
            raise ConfigurationError("the text of a Secret cannot be encoded", advice="give it in UTF-8")
        self.__text = text

    @classmethod
    def from_env(cls, name: str) -> Secret:
        """From the environment variable `name`; raises `ConfigurationError` when it is not set, empty or not UTF-8."""
        text = os.environ.get(name, "")
        if not text:
            raise ConfigurationError(
                f"the environment variable {name} is not set or empty",
                advice=f"set {name} to the secret itself",
            )
        if _SURROGATES.search(text):
            raise ConfigurationError(f"the environment variable {name} is not UTF-8 text", advice="set it in UTF-8")
        return cls(text)

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Secret:
        """From a UTF-8 text file of one line, its line end left out.

        Raises `ConfigurationError` when the file cannot be read, is empty, or holds more than one line or 64 KiB.
        """
        place = Path(path)
        try:
            with place.open("rb") as file:
                data = file.read(_LONGEST_FILE + 1)
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            raise ConfigurationError(
                f"the secret file {place} cannot be read: {why}", advice="check its path, owner and mode"
            ) from error
        if len(data) > _LONGEST_FILE:
            raise ConfigurationError(
                f"the secret file {place} is larger than 64 KiB", advice="leave the secret alone in it"
            )
        text = _utf8_text(data)
        if text is None or "\0" in text:  # UTF-16 without its mark is UTF-8, full of NULs
            raise ConfigurationError(f"the secret file {place} is not UTF-8 text", advice="save it as UTF-8")
        text = text.removesuffix("\n").removesuffix("\r")
        if not text:
            raise ConfigurationError(f"the secret file {place} is empty", advice="write the secret into it")
        if "\n" in text or "\r" in text:
            raise ConfigurationError(
                f"the secret file {place} holds more than one line", advice="leave the secret alone in it"
            )
        return cls(text)

    @classmethod
    def from_keyring(cls, service: str, username: str) -> Secret:
        """From the system's keyring (extra `keyring`).

        Raises `ConfigurationError` when it cannot be read or holds no such entry.
        """
        try:
            import keyring
        except ImportError as missing:
            raise MissingExtra("keyring", "keyring", purpose="Secret.from_keyring") from missing
        try:
            text = keyring.get_password(service, username)
        except Exception as error:  # a keyring is a plug-in, and has errors of its own
            raise ConfigurationError(
                f"the keyring cannot be read: {type(error).__name__}", advice="check it with keyring --list-backends"
            ) from error
        if not text:
            raise ConfigurationError(
                f"the keyring holds nothing for {username} at {service}",
                advice=f"keyring set {service} {username}",
            )
        return cls(text)

    def reveal(self) -> str:
        """The text itself. Keep it no longer than the call that needs it."""
        return self.__text

    def __repr__(self) -> str:
        return "Secret('…')"

    def __format__(self, spec: str) -> str:
        raise TypeError("a Secret cannot be formatted; call reveal() where the text is really meant")

    def __str__(self) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = object.__hash__

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled or copied")

    def __getstate__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled or copied")


def check_secret(given: object, what: str) -> None:
    """Raise `ConfigurationError`, without showing it, for anything but a `Secret`; `what` names it."""
    if not isinstance(given, Secret):
        raise ConfigurationError(
            f"the {what} is given as {type(given).__name__}",
            advice="wrap it: Secret.from_env(…), Secret.from_file(…) or Secret(…)",
        )


def _utf8_text(data: bytes) -> str | None:
    """None for anything else: Python's own error would carry the secret along."""
    try:
        return data.decode("utf-8-sig")  # Windows editors write a byte order mark, which is no part of it
    except UnicodeDecodeError:
        return None
