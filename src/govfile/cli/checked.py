"""A table of a configuration file, read key by key: what is unknown, missing or of the wrong type is an error."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from govfile.cli.escape import printable
from govfile.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_T = TypeVar("_T")
_KINDS = {
    str: "text in quotes",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    dict: "a table",
    datetime: "a date and time without quotes",
}
_CORRECT = "correct it; `docs/reference/cli.md` lists the keys and what they hold"


@attrs.frozen
class Table:
    """One table: `where` names it as an error should, e.g. `govfile.toml [profiles.nightly]`."""

    where: str
    values: Mapping[str, Any]

    def allow(self, keys: Collection[str]) -> None:
        """Raise `ConfigurationError` for a key that is none of `keys`, naming it and them."""
        for key in self.values:
            if key not in keys:
                from difflib import get_close_matches

                close = get_close_matches(key, keys, n=1)
                meant = f"did you mean {close[0]}? " if close else ""
                raise ConfigurationError(
                    f"{self.where}: unknown key {printable(key)}",
                    advice=f"{meant}allowed here: {', '.join(sorted(keys))}",
                )

    def get(self, key: str, kind: type[_T]) -> _T | None:
        """The value of `key`, None where it is not there; raises `ConfigurationError` when it is of another type."""
        value = self.values.get(key)
        if value is None:
            return None
        if kind is float and type(value) is int:
            value = float(value)
        if type(value) is not kind:
            raise ConfigurationError(f"{self.where}: {key} must be {_KINDS[kind]}", advice=_CORRECT)
        return value

    def need(self, key: str, kind: type[_T]) -> _T:
        """The value of `key`; raises `ConfigurationError` where it is missing."""
        value = self.get(key, kind)
        if value is None:
            raise ConfigurationError(f"{self.where}: {key} is missing", advice=f"add {key} = …")
        return value

    def choice(self, key: str, choices: Mapping[str, _T]) -> _T | None:
        """What `choices` says of the value of `key`; raises `ConfigurationError` naming the choices."""
        word = self.get(key, str)
        if word is None:
            return None
        if word not in choices:
            raise ConfigurationError(
                f"{self.where}: {key} = {printable(word)!r} is not known", advice=f"one of: {', '.join(choices)}"
            )
        return choices[word]

    def pair(self, key: str, kind: type[_T]) -> tuple[_T, _T] | None:
        """A list of exactly two values of one type."""
        value = self.values.get(key)
        if value is None:
            return None
        if not (isinstance(value, list) and len(value) == 2 and all(type(part) is kind for part in value)):
            raise ConfigurationError(f"{self.where}: {key} must be a list of two, each {_KINDS[kind]}", advice=_CORRECT)
        return value[0], value[1]

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, empty where it is not there."""
        value = self.values.get(key, [])
        if not (isinstance(value, list) and all(type(part) is str for part in value)):
            raise ConfigurationError(f"{self.where}: {key} must be a list, each {_KINDS[str]}", advice=_CORRECT)
        return tuple(value)

    def seconds(self, key: str) -> float:
        """A number of seconds above 0."""
        found = self.need(key, float)
        if not 0 < found < 10**8:
            raise ConfigurationError(f"{self.where}: {key} must be a number of seconds above 0", advice=_CORRECT)
        return found

    def port(self, key: str) -> int | None:
        """A port number, None where it is not there."""
        found = self.get(key, int)
        if found is not None and not 0 < found < 65536:
            raise ConfigurationError(f"{self.where}: {key} must be between 1 and 65535", advice=_CORRECT)
        return found

    def table(self, key: str) -> Table:
        """The table under `key`, empty where it is not there."""
        name = f"{self.where.removesuffix(']')}.{key}]" if self.where.endswith("]") else f"{self.where} [{key}]"
        return Table(name, self.get(key, dict) or {})
