"""`SosiSandbox`: the STS, an identity provider and services to call, as one object to start and stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from govfile.certificates.trust import Trust
from govfile.sandbox import pki
from govfile.sandbox.clock import SandboxClock
from govfile.sandbox.listening import Listening
from govfile.sandbox.sosi import place, stock
from govfile.sandbox.sosi.door import Door
from govfile.sandbox.sosi.faults import Faults
from govfile.sandbox.sosi.people import Authorisation, CertificateKind, Holder, Registers, new_holder
from govfile.sandbox.sosi.service import Answered, TokenService
from govfile.sandbox.sosi.settings import Audience, Settings
from govfile.sandbox.web import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from cryptography import x509

    from govfile.certificates.credential import Credential
    from govfile.sandbox.web import Request
    from govfile.sosi.environments import Environment
    from govfile.sosi.trust import StsTrust


class SosiSandbox(Listening[Door]):
    """The Danish healthcare STS on localhost, for one `with` block or from `start()` to `stop()`.

    `environment` and `credential` are what `sosi.SecurityTokenService` takes; `trust` is whose cards and tokens count.
    `employee` and `system` are the two first certificates with what the registers know of them; `register` makes more.
    `settings` chooses its habits, `faults` break it while it runs, `clock` moves its time. Keys and certificates live
    in memory for as long as the process.
    """

    def __init__(self, *, settings: Settings | None = None, clock: SandboxClock | None = None) -> None:
        super().__init__("the sandbox's STS")
        self.clock = clock or SandboxClock()
        self.faults = Faults()
        self.settings = settings or Settings()
        self.registers = Registers()
        self.audiences: dict[str, Audience] = {}
        self.service = TokenService(
            settings=self.settings,
            registers=self.registers,
            audiences=self.audiences,
            faults=self.faults,
            clock=self.clock,
        )
        self.employee = place.first_employee()
        self.system = place.first_system()
        self.registers.add(self.employee)
        for audience in place.audiences():
            self.add_audience(audience)

    def _server(self) -> Door:
        return Door(self._routes(), settings=self.settings, faults=self.faults, clock=self.clock)

    def _routes(self) -> dict[str, tuple[str, Callable[[Request], Response]]]:
        paths = self.settings.paths
        return {getattr(paths, name): (name, self._exchange(name)) for name in ("new", "legacy")}

    def _exchange(self, name: str) -> Callable[[Request], Response]:
        def answer(request: Request) -> Response:
            return Response(body=self.service.answer(name, request.body))

        return answer

    # --- where it is

    @property
    def port(self) -> int:
        """The one port of everything."""
        return self._open.port

    @property
    def base_url(self) -> str:
        """`https://127.0.0.1:…`, without a slash at its end."""
        return self._open.url

    @property
    def environment(self) -> Environment:
        """The STS as a client is told of it: where it is, its server's anchor, whose signatures count."""
        return place.environment(self.base_url, self.settings, self.trust)

    @property
    def tls(self) -> Trust:
        """The anchor of the server's certificate."""
        return Trust.only(self.tls_pem())

    @staticmethod
    def tls_pem() -> bytes:
        """The same as PEM."""
        return pki.pem(pki.authority(pki.Issuer.SERVERS).certificate)

    @staticmethod
    def federation_pem() -> bytes:
        """The authorities of all OCES certificates here, the STS's and the callers', as PEM."""
        return pki.pem(*(pki.authority(each).certificate for each in (pki.Issuer.OCES3, pki.Issuer.OCES2)))

    @property
    def trust(self) -> StsTrust:
        """Whose signatures on cards and tokens count: the sandbox's STS, with SHA-1 where it signs so."""
        return place.trust(self.settings, self.federation_pem())

    @property
    def sts_certificate(self) -> x509.Certificate:
        """The certificate that cards, tokens and answers are signed with."""
        return stock.sts().certificate

    # --- who exists

    @property
    def credential(self) -> Credential:
        """The first employee's certificate (in the shape of MOCES3) and key."""
        return self.employee.credential

    @property
    def system_credential(self) -> Credential:
        """The first system's certificate (in the shape of VOCES3) and key, of the same company."""
        return self.system.credential

    def register(
        self,
        kind: CertificateKind = CertificateKind.MOCES3,
        *,
        cvr: str = place.CVR,
        company: str = place.COMPANY,
        cpr: str | None = None,
        given_name: str = "",
        surname: str = "",
        authorisations: Iterable[Authorisation] = (),
        national_roles: Iterable[str] = (),
        valid: tuple[datetime, datetime] | None = None,
    ) -> Holder:
        """Issue one more certificate and tell the registers; without `cpr` they do not know its holder."""
        holder = new_holder(
            kind,
            cvr=cvr,
            company=company,
            cpr=cpr,
            given_name=given_name,
            surname=surname,
            authorisations=authorisations,
            national_roles=national_roles,
            valid=valid,
        )
        self.registers.add(holder)
        return holder

    def revoke(self, certificate: x509.Certificate) -> None:
        """Put a certificate on the revocation list."""
        self.registers.revoke(certificate)

    def add_audience(self, audience: Audience) -> None:
        """Register a receiver, or change one's settings."""
        self.audiences[audience.audience] = audience

    # --- what happened

    @property
    def answered(self) -> tuple[Answered, ...]:
        """Every request to the STS so far, with what became of it."""
        return tuple(self.service.answered)
