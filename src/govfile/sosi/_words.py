"""Words that others wrote, where only certain ones exist."""

from __future__ import annotations

import enum
from typing import TypeVar

Word = TypeVar("Word", bound=enum.Enum)


def known(kind: type[Word], text: str) -> Word | None:
    """The member of `kind` that is written `text`, None where there is none.

    The enumeration's own error would show the word, which may be a person's number.
    """
    return next((word for word in kind if word.value == text), None)
