"""File documents with public authorities exactly once, prove who files, and say truthfully what became of it.

The names here are the ones most programs need. They load on first use, so that `import govfile` does no work.
The authorities are packages beside them: `govfile.skat` and those that follow.
"""

from __future__ import annotations

import logging as _logging
from typing import TYPE_CHECKING

from govfile._on_first_use import on_first_use

if TYPE_CHECKING:
    from govfile import onss as onss
    from govfile import skat as skat
    from govfile import sosi as sosi
    from govfile import vero as vero
    from govfile.certificates.credential import Credential as Credential
    from govfile.certificates.keystore import KeyStore as KeyStore
    from govfile.certificates.secret import Secret as Secret
    from govfile.errors import AlreadyFiled as AlreadyFiled
    from govfile.errors import AuthenticationRefused as AuthenticationRefused
    from govfile.errors import ConfigurationError as ConfigurationError
    from govfile.errors import ConnectionFailed as ConnectionFailed
    from govfile.errors import CredentialError as CredentialError
    from govfile.errors import DuplicateContent as DuplicateContent
    from govfile.errors import DuplicateName as DuplicateName
    from govfile.errors import GovfileError as GovfileError
    from govfile.errors import InvalidContent as InvalidContent
    from govfile.errors import InvalidName as InvalidName
    from govfile.errors import LedgerError as LedgerError
    from govfile.errors import NotAuthorised as NotAuthorised
    from govfile.errors import NotReady as NotReady
    from govfile.errors import OutcomeUnknown as OutcomeUnknown
    from govfile.errors import PeerIdentityError as PeerIdentityError
    from govfile.errors import ProtocolError as ProtocolError
    from govfile.errors import Rejected as Rejected
    from govfile.errors import TimedOut as TimedOut
    from govfile.errors import TlsFailed as TlsFailed
    from govfile.errors import TransportError as TransportError
    from govfile.errors import TrustError as TrustError
    from govfile.filing.ledger import Ledger as Ledger
    from govfile.filing.states import State as State
    from govfile.filing.states import Verdict as Verdict
    from govfile.filing.submission import Submission as Submission

__version__ = "0.1.0"

_logging.getLogger(__name__).addHandler(_logging.NullHandler())  # quiet, until the program says where logs go

_HOMES = {
    "Credential": "certificates.credential",
    "KeyStore": "certificates.keystore",
    "Secret": "certificates.secret",
    "Ledger": "filing.ledger",
    "State": "filing.states",
    "Verdict": "filing.states",
    "Submission": "filing.submission",
    **dict.fromkeys(
        (
            "AlreadyFiled",
            "AuthenticationRefused",
            "ConfigurationError",
            "ConnectionFailed",
            "CredentialError",
            "DuplicateContent",
            "DuplicateName",
            "GovfileError",
            "InvalidContent",
            "InvalidName",
            "LedgerError",
            "NotAuthorised",
            "NotReady",
            "OutcomeUnknown",
            "PeerIdentityError",
            "ProtocolError",
            "Rejected",
            "TimedOut",
            "TlsFailed",
            "TransportError",
            "TrustError",
        ),
        "errors",
    ),
}
_PACKAGES = frozenset({"onss", "skat", "sosi", "vero"})

__all__ = [
    "AlreadyFiled",
    "AuthenticationRefused",
    "ConfigurationError",
    "ConnectionFailed",
    "Credential",
    "CredentialError",
    "DuplicateContent",
    "DuplicateName",
    "GovfileError",
    "InvalidContent",
    "InvalidName",
    "KeyStore",
    "Ledger",
    "LedgerError",
    "NotAuthorised",
    "NotReady",
    "OutcomeUnknown",
    "PeerIdentityError",
    "ProtocolError",
    "Rejected",
    "Secret",
    "State",
    "Submission",
    "TimedOut",
    "TlsFailed",
    "TransportError",
    "TrustError",
    "Verdict",
    "onss",
    "skat",
    "sosi",
    "vero",
]

__getattr__, __dir__ = on_first_use(__name__, _HOMES, packages=_PACKAGES)
