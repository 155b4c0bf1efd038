"""How the sandbox's gateway behaves: what the authority leaves open is a switch here, with the likeliest default."""

from __future__ import annotations

import enum
from datetime import timedelta

import attrs

from govfile.transports.ftps_policy import TlsStart, TlsVersion


class Layout(enum.Enum):
    """The folder a login starts in. It is published for the retired gateway only (the company's folder)."""

    ROOT = "/"
    COMPANY = "/CVR_<cvr>"
    CERTIFICATE = "/CVR_<cvr>/<kind>_<id>"


class NameScope(enum.Enum):
    """Within what a file name is unique for ever."""

    COMPANY = "company"
    CERTIFICATE = "certificate"
    SERVICE = "service"


class Gate(enum.Enum):
    """Where a certificate that nobody registered is refused."""

    LOGIN = "login"
    TLS = "TLS handshake"


class Broken(enum.Enum):
    """What becomes of an upload whose connection broke off; nothing is published."""

    FORGOTTEN = "as if it had never begun"
    NAME_BURNT = "its name is used up"
    TAKEN = "as much as came is taken for the whole file"


class Spelling(enum.Enum):
    """How the gateway's own transaction id is spelt in a status file: its sample and its table differ."""

    TRANSACTION = "SKATTransactionId"
    TRANSAKTION = "SKATTransaktionsId"


@attrs.frozen(kw_only=True)
class Schedule:
    """Seconds on the sandbox's clock from the end of an upload to each step; quick by default.

    The real gateway takes seconds for status 1, up to two days for status 2, and up to six for an answer.
    `more` is the time between several answers to one upload.
    """

    status_0: float = 0.02
    status_1: float = 0.02
    status_2: float = 0.05
    answer: float = 0.1
    more: float = 0.05

    @classmethod
    def lifelike(cls) -> Schedule:
        """The published pace: 15 seconds, a few hours, the next day."""
        return cls(status_0=15, status_1=15, status_2=4 * 3600, answer=26 * 3600, more=3600)


@attrs.frozen(kw_only=True)
class Settings:
    """The gateway's habits.

    `host` is 127.0.0.1 or ::1; `port` 0 takes any free one. `data_ports` is the passive range, both ends included.
    `data_certificate` demands the client certificate on data connections too, `session_reuse_required` that they resume
    the control connection's TLS session. Without `mlsd` clients must list with NLST or LIST. `out_from_start` shows
    `out` before anything is in it. `all_folders_visible`, `shared_out` and `any_login` are the retired gateway's ways.
    `retention` is the age at which files leave `out`. `stray_space` prints the blank after the first slash that one
    published sample has. `record_length` maps a Classic area to the length of its records, in bytes, where it is
    published. `advice_lists` answers a Classic upload with an advice list beside the error list. `quota` bounds the
    size of an upload, in bytes.
    """

    host: str = "127.0.0.1"
    port: int = 0
    data_ports: tuple[int, int] = (36000, 39999)
    tls_start: TlsStart = TlsStart.EXPLICIT
    floor: TlsVersion = TlsVersion.TLS_1_2
    ceiling: TlsVersion | None = None
    data_certificate: bool = True
    session_reuse_required: bool = False
    pasv: bool = True
    epsv: bool = True
    mlsd: bool = True
    layout: Layout = Layout.CERTIFICATE
    out_from_start: bool = True
    all_folders_visible: bool = False
    shared_out: bool = False
    any_login: bool = False
    unregistered: Gate = Gate.LOGIN
    broken_uploads: Broken = Broken.FORGOTTEN
    name_scope: NameScope = NameScope.COMPANY
    case_sensitive_names: bool = True
    spelling: Spelling = Spelling.TRANSACTION
    stray_space: bool = False
    retention: timedelta = timedelta(days=30)
    record_length: dict[str, int] = attrs.field(factory=lambda: {"CPS": 868})
    advice_lists: bool = False
    quota: int | None = None

    @property
    def host_name(self) -> str:
        """What a client connects to; the server's certificate holds it."""
        return "localhost" if self.host == "127.0.0.1" else self.host

    @classmethod
    def retired_gateway(cls, *, port: int = 0, data_ports: tuple[int, int] = (35000, 35100)) -> Settings:
        """The gateway before 2020: login in the company's folder, every folder shown, files shared in the company."""
        return cls(
            port=port,
            data_ports=data_ports,
            layout=Layout.COMPANY,
            all_folders_visible=True,
            shared_out=True,
            any_login=True,
        )
