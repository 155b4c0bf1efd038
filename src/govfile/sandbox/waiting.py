"""The long wait of `govfile sandbox`."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_LOOK_UP = 0.5


def wait(say: Callable[[str], None], until: threading.Event | None) -> None:
    """Say how to end it, and wait for Ctrl-C (or until `until` is set)."""
    ended = until or threading.Event()
    try:
        say("Ctrl-C ends it; nothing it was sent is kept.")
        while not ended.wait(_LOOK_UP):  # a signal just before an endless wait would not end it
            pass
    except KeyboardInterrupt:
        say("Ended.")
