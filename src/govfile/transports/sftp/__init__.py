"""Files over SFTP, version 3 (draft-ietf-secsh-filexfer-02), on SSH 2 (RFC 4251 to 4254), with a pinned host key.

Nothing of the SSH library is loaded before the first connection.
"""

from govfile.transports.sftp.first_contact import offered_host_keys
from govfile.transports.sftp.host_keys import HostKeys, OfferedKey
from govfile.transports.sftp.policy import RsaSignatures, SftpPolicy
from govfile.transports.sftp.several import SeveralSessions
from govfile.transports.sftp.transport import SftpTransport
from govfile.transports.sftp.values import SessionFacts, Upload

__all__ = [
    "HostKeys",
    "OfferedKey",
    "RsaSignatures",
    "SessionFacts",
    "SeveralSessions",
    "SftpPolicy",
    "SftpTransport",
    "Upload",
    "offered_host_keys",
]
