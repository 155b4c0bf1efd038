"""A sandbox's life on loopback: it listens between `start()` and `stop()`, or for one `with` block."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from govfile.errors import ConfigurationError

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self


class Startable(Protocol):
    """A server, as far as its life goes."""

    def start(self) -> None:
        """Listen and serve. Raises `ConfigurationError` when the port is taken."""
        ...

    def stop(self) -> None:
        """End all conversations and free the ports."""
        ...


Server = TypeVar("Server", bound=Startable)


class Listening(abc.ABC, Generic[Server]):
    """Something called `name` that makes a fresh server for each `start()`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._running: Server | None = None

    @abc.abstractmethod
    def _server(self) -> Server:
        """A server that remembers what the last one was told."""

    def start(self) -> None:
        """Listen on loopback. What was stopped may be started again and remembers what was filed."""
        if self._running is not None:
            raise ConfigurationError(f"{self._name} is running already")
        server = self._server()
        server.start()
        self._running = server

    def stop(self) -> None:
        """End every conversation and free the ports; may be called twice."""
        if self._running is not None:
            self._running.stop()
            self._running = None

    @property
    def _open(self) -> Server:
        if self._running is None:
            raise ConfigurationError(f"{self._name} is not running", advice="use it in a with block, or call start()")
        return self._running

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
