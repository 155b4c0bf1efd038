"""The one place that imports pyftpdlib, which carries no types: to the checkers it is all `Any`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    AbstractedFS = Any
    TLS_DTPHandler = Any
    TLS_FTPHandler = Any
    PassiveDTP = Any
    AuthenticationFailed: Any
    FTPServer: Any
    IOLoop: Any
    COMMANDS: dict[str, Any]
else:
    from pyftpdlib.ioloop import IOLoop  # first: it alone imports asyncore without a DeprecationWarning

    # isort: split
    from pyftpdlib.authorizers import AuthenticationFailed
    from pyftpdlib.filesystems import AbstractedFS
    from pyftpdlib.handlers import TLS_DTPHandler, TLS_FTPHandler
    from pyftpdlib.servers import FTPServer

    PassiveDTP = TLS_FTPHandler.passive_dtp
    COMMANDS = TLS_FTPHandler.proto_cmds

logging.getLogger("pyftpdlib").addHandler(logging.NullHandler())  # or its tracebacks end up on stderr

__all__ = [
    "COMMANDS",
    "AbstractedFS",
    "AuthenticationFailed",
    "FTPServer",
    "IOLoop",
    "PassiveDTP",
    "TLS_DTPHandler",
    "TLS_FTPHandler",
]
