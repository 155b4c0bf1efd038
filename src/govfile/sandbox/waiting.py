"""The long wait of `govfile sandbox`."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def wait(say: Callable[[str], None], until: threading.Event | None) -> None:
    """Say how to end it, and wait for Ctrl-C (or until `until` is set)."""
    say("Ctrl-C ends it; nothing it was sent is kept.")
    try:
        (until or threading.Event()).wait()
    except KeyboardInterrupt:
        say("Ended.")
