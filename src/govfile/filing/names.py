"""File names: which an authority takes, and fresh ones that it will.

A rule is a value. What an authority leaves open is a setting here, with the most careful default.
"""

from __future__ import annotations

import re
import secrets
import string
import unicodedata
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import attrs

from govfile.errors import ConfigurationError, InvalidName

if TYPE_CHECKING:
    from collections.abc import Callable

#: Letters without accents, digits, underscore, full stop, hyphen: the set that every system keeps as it is.
SAFE_CHARACTERS = frozenset(string.ascii_letters + string.digits + "_.-")

#: Never part of a name, whatever a rule allows: they end lines, separate folders or command words, or hide.
_NEVER = frozenset("/\\\0\r\n")

_WORDS = {"\0": "NUL", "\r": "a carriage return", "\n": "a line feed", "\t": "a tab", " ": "a space"}


def _check_pattern(_rule: object, attribute: attrs.Attribute[Any], value: str | None) -> None:
    if value is None:
        return
    try:
        re.compile(value)
    except re.error as error:
        raise ConfigurationError(
            f"{attribute.name} is not a regular expression: {error}", advice="write it as Python's re does"
        ) from error


@attrs.frozen(kw_only=True)
class NameRule:
    """What a name must look like.

    `characters` may occur; `max_length` (characters) bounds it; `pattern` is a regular expression for the whole name
    and `shape` says the same in words; `forbidden_prefixes` are compared without regard to case, unless
    `is_case_sensitive`; `scope` says in words where the name must be unique.
    """

    characters: frozenset[str] = SAFE_CHARACTERS
    max_length: int = 100
    pattern: str | None = attrs.field(default=None, validator=_check_pattern)
    shape: str = ""
    forbidden_prefixes: tuple[str, ...] = ()
    is_case_sensitive: bool = False
    scope: str = "the sender, for ever, whatever the service"

    def check(self, name: str) -> str:
        """`name` itself, when it keeps the rule; raises `InvalidName` that names what breaks it and where."""
        self._check_characters(name)
        self._check_form(name)
        return name

    def allows(self, name: str) -> bool:
        """Whether `check` would raise nothing."""
        try:
            self.check(name)
        except InvalidName:
            return False
        return True

    def _check_characters(self, name: str) -> None:
        if not isinstance(name, str):
            raise InvalidName(f"the file name is {type(name).__name__}, not text", advice="give it as str")
        if not name:
            raise InvalidName("the file name is empty", advice="give one, or leave it out to have one made")
        for position, character in enumerate(name, start=1):
            if character in _NEVER or character not in self.characters:
                raise InvalidName(
                    f"the file name {_shown(name)} holds {_described(character)} at position {position}",
                    certain="nothing has left the machine",
                    advice=f"use only {_alphabet(self.characters)}",
                )

    def _check_form(self, name: str) -> None:
        if len(name) > self.max_length:
            raise InvalidName(
                f"the file name {_shown(name)} has {len(name)} characters, the limit is {self.max_length}",
                advice="shorten it",
            )
        if name[0] in ". ":
            raise InvalidName(
                f"the file name {_shown(name)} begins with {_described(name[0])}",
                advice="begin it with a letter or a digit",
            )
        if ".." in name:
            raise InvalidName(
                f"the file name {_shown(name)} holds '..' at position {name.index('..') + 1}",
                advice="leave one of the dots out",
            )
        compared = name if self.is_case_sensitive else name.casefold()
        for prefix in self.forbidden_prefixes:
            if compared.startswith(prefix if self.is_case_sensitive else prefix.casefold()):
                raise InvalidName(
                    f"the file name {_shown(name)} begins with {prefix!r}, which means something else here",
                    advice="begin it with something else",
                )
        if self.pattern is not None and not re.fullmatch(self.pattern, name):
            raise InvalidName(
                f"the file name {_shown(name)} does not have the form {self.shape or self.pattern}",
                advice=f"name it {self.shape}" if self.shape else "",
            )


#: For the Danish gateway, whose own rule is not published: safe characters, and the 100 that its longest known names
#: add up to. Names that differ only in case count as one.
CAREFUL = NameRule()


@attrs.frozen(kw_only=True)
class NameTemplate:
    """Makes fresh names, such as `10101010_2025_20260302090005123-1f00c3d2.zip`.

    Between `prefix` and `suffix` stand the time of `clock` (UTC, to the millisecond), `separator`, and eight hex
    digits of `randomness(4)`. Raises `InvalidName` at once when no such name could keep `rule`.
    """

    prefix: str = ""
    suffix: str = ""
    separator: str = "-"
    rule: NameRule = CAREFUL
    clock: Callable[[], datetime] = attrs.field(default=lambda: datetime.now(UTC), repr=False, eq=False)
    randomness: Callable[[int], bytes] = attrs.field(default=secrets.token_bytes, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        self.rule.check(self._name(datetime(2000, 1, 1, tzinfo=UTC), bytes(4)))

    def make(self) -> str:
        """A fresh name that keeps the rule."""
        return self.rule.check(self._name(self.clock().astimezone(UTC), self.randomness(4)))

    def _name(self, at: datetime, noise: bytes) -> str:
        stamp = f"{at:%Y%m%d%H%M%S}{at.microsecond // 1000:03}"
        return f"{self.prefix}{stamp}{self.separator}{noise.hex()}{self.suffix}"


def _shown(name: str) -> str:
    """The name for a message: bounded, and every unusual character spelt out."""
    short = name if len(name) <= 60 else name[:57] + "..."
    return ascii(short)


def _described(character: str) -> str:
    if character in _WORDS:
        return _WORDS[character]
    number = f"U+{ord(character):04X}"
    if character.isascii() and character.isprintable():
        return f"{character!r}"
    return f"{unicodedata.name(character, 'an unnamed character')} ({number})"


def _alphabet(characters: frozenset[str]) -> str:
    if characters == SAFE_CHARACTERS:
        return "A-Z, a-z, 0-9 and _ . -"
    ranges = [("A-Z", string.ascii_uppercase), ("a-z", string.ascii_lowercase), ("0-9", string.digits)]
    words, left = [], set(characters - _NEVER)
    for word, members in ranges:
        if left.issuperset(members):
            words.append(word)
            left -= set(members)
    return " ".join([*words, *(_WORDS.get(character, ascii(character)[1:-1]) for character in sorted(left))])
