"""The three environments of the batch channel: where they are, how they are spoken to, and what they ask for.

Sources: published clients for host and port, annex 30 of the glossary (codes 118, 119, 257) for the folders to send
into, a page on the second-pillar pensions and a published client for those with answers. Test and production share
host and login; letter and folders separate them.
"""

from __future__ import annotations

import enum
from datetime import timedelta
from typing import TYPE_CHECKING

import attrs

from govfile.errors import ConfigurationError
from govfile.filing.patience import Patience
from govfile.onss.fs import Layout
from govfile.transports.sftp.policy import SftpPolicy

if TYPE_CHECKING:
    from govfile.transports.sftp.host_keys import HostKeys

HOST = "sftp.socialsecurity.be"
PORT = 8022


class Signing(enum.Enum):
    """Whether declarations are signed: `ALWAYS`, `WITH_KEY` where a signing credential is given, `NEVER`."""

    ALWAYS = "always"
    WITH_KEY = "with key"
    NEVER = "never"


@attrs.frozen(kw_only=True)
class Environment:
    """One environment. Derive a variant with `attrs.evolve`, above all to pin the host key:
    `attrs.evolve(PRODUCTION, host_keys=HostKeys.pinned("SHA256:…"))`.

    `name` is part of every ledger record, so that test filings never block real ones. `letter` is the one in file
    names; what S checks that T does not is not published. `upload` and `answers` are folders below the login's root.
    `host_keys` None: none is pinned, and no connection is made; the authority publishes no fingerprint. `signing`
    follows the manual (required in production alone). `layout` is that of FS files.
    """

    name: str
    letter: str
    upload: str
    answers: str
    signing: Signing
    host: str = HOST
    port: int = PORT
    host_keys: HostKeys | None = None
    layout: Layout = Layout.SINGLE
    policy: SftpPolicy = attrs.field(factory=SftpPolicy)
    patience: Patience = attrs.field(
        factory=lambda: Patience(
            first=timedelta(minutes=1),
            usual=timedelta(minutes=5),
            slow=timedelta(minutes=15),
            silence=timedelta(hours=6),
        )
    )

    @property
    def is_test(self) -> bool:
        """Whether what is sent here counts for nothing."""
        return self.letter != "R"

    def is_signed(self, *, has_credential: bool) -> bool:
        """Whether declarations are signed here by whoever has a signing credential, or has none.

        Raises `ConfigurationError` where they must be signed and there is none.
        """
        if self.signing is Signing.ALWAYS and not has_credential:
            raise ConfigurationError(
                f"declarations in the environment {self.name} must be signed, and no signing credential is given",
                advice="give the credential whose certificate is loaded on the channel",
            )
        return self.signing is not Signing.NEVER and has_credential


PRODUCTION = Environment(name="production", letter="R", upload="IN", answers="OUT", signing=Signing.ALWAYS)
CIRCUIT_TEST = Environment(
    name="circuit-test", letter="T", upload="INTEST", answers="OUTTEST", signing=Signing.WITH_KEY
)
DECLARATION_TEST = Environment(
    name="declaration-test", letter="S", upload="INTEST-S", answers="OUTTEST-S", signing=Signing.NEVER
)
