"""How an FTPS conversation is held: the settings that an environment fixes."""

from __future__ import annotations

import enum

import attrs

from govfile.certificates.trust import Trust
from govfile.errors import ConfigurationError
from govfile.transports.base import Timeouts


class TlsStart(enum.Enum):
    """How TLS starts: after `AUTH TLS` on a plain connection, or with the first byte."""

    EXPLICIT = "explicit"
    IMPLICIT = "implicit"


class SessionReuse(enum.Enum):
    """Whether data connections resume the control connection's TLS session."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class Passive(enum.Enum):
    """How a data port is asked for. The address in a PASV reply is never used."""

    AUTO = "auto"
    EPSV = "epsv"
    PASV = "pasv"


class TlsVersion(enum.Enum):
    """A bound on the TLS version."""

    TLS_1_2 = "1.2"
    TLS_1_3 = "1.3"


def check_versions(floor: TlsVersion, ceiling: TlsVersion | None) -> None:
    """Raise `ConfigurationError` where no version lies between the two."""
    if ceiling is not None and ceiling.value < floor.value:
        raise ConfigurationError(
            f"no TLS version is at least {floor.value} and at most {ceiling.value}",
            advice="lower the floor, or lift the ceiling",
        )


@attrs.frozen(kw_only=True)
class FtpsPolicy:
    """Everything about the conversation that is not who we are.

    `data_ports` is the range the server is documented to open (both ends included): a port outside it is used, and
    named in the error when it fails; `earlier_data_ports` a smaller range it was known by, which old firewall rules may
    still be cut to. `floor` and `ceiling` bound the TLS version (`ceiling` None: no upper bound). `listing_limit`
    bounds the entries of one listing, `reply_limit` the bytes of one server reply. `ask_size` asks for the size of a
    binary upload once it is confirmed: one more round trip, on servers that let it be asked. `ask_ahead` asks for the
    data port of the next upload as soon as one is confirmed, where uploads follow each other: one round trip less to
    wait for. Raises `ConfigurationError` for bounds the wrong way round.
    """

    tls_start: TlsStart = TlsStart.EXPLICIT
    floor: TlsVersion = TlsVersion.TLS_1_2
    ceiling: TlsVersion | None = None
    session_reuse: SessionReuse = SessionReuse.AUTO
    passive: Passive = Passive.AUTO
    data_ports: tuple[int, int] | None = None
    earlier_data_ports: tuple[int, int] | None = None
    trust: Trust = attrs.field(factory=Trust)
    timeouts: Timeouts = attrs.field(factory=Timeouts)
    listing_limit: int = 200_000
    reply_limit: int = 64 * 1024
    ask_size: bool = False
    ask_ahead: bool = True

    def __attrs_post_init__(self) -> None:
        check_versions(self.floor, self.ceiling)
        for low, high in filter(None, (self.data_ports, self.earlier_data_ports)):
            if not 0 < low <= high < 65536:
                raise ConfigurationError(
                    f"data ports {low} to {high} are no range of ports",
                    advice="give the lowest first, e.g. 36000, 39999",
                )
