"""`SosiSandbox`: the STS, an identity provider and services to call, as one object to start and stop."""

from __future__ import annotations

import functools
from datetime import timedelta
from typing import TYPE_CHECKING

import attrs

from govfile.certificates.trust import Trust
from govfile.errors import ConfigurationError
from govfile.sandbox import pki
from govfile.sandbox.clock import SandboxClock
from govfile.sandbox.listening import Listening
from govfile.sandbox.sosi import examples, idp, jwt, place, stock, subjects, wsdl
from govfile.sandbox.sosi.citizens import AUDIENCES as CITIZEN_AUDIENCES
from govfile.sandbox.sosi.consumer import Consumer, Login
from govfile.sandbox.sosi.door import Door, Route
from govfile.sandbox.sosi.employees import STS_AUDIENCE
from govfile.sandbox.sosi.envelopes import is_exchange
from govfile.sandbox.sosi.faults import Faults
from govfile.sandbox.sosi.people import Authorisation, CertificateKind, Holder, Registers, new_holder
from govfile.sandbox.sosi.service import SERVICES, Answered, TokenService
from govfile.sandbox.sosi.services import Called, Services
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
        self.services = Services(settings=self.settings, faults=self.faults, clock=self.clock)
        self.consumer = Consumer(audiences=self.audiences, clock=self.clock)
        self.employee = place.first_employee()
        self.registers.add(self.employee)
        for audience in place.audiences():
            self.add_audience(audience)

    def start(self) -> None:
        """Listen on loopback. The service provider's assertions are from now on delivered to its consumer here."""
        super().start()
        provider = self.audiences[place.PROVIDER]
        self.add_audience(attrs.evolve(provider, recipient_url=self.service_url("consumer")))

    def _server(self) -> Door:
        return Door(self._routes(), settings=self.settings, faults=self.faults, clock=self.clock)

    def _routes(self) -> dict[str, Route]:
        paths = self.settings.paths
        routes: dict[str, Route] = {
            paths.dgws: (lambda _: "dgws", self._described("dgws", self.services.dgws)),
            paths.idws: (lambda _: "idws", self._described("idws", self.services.idws)),
            paths.consumer: (lambda _: "consumer", self.consumer.take),
        }
        for name in SERVICES:
            routes.setdefault(getattr(paths, name), self._exchange(name))
        return routes

    def _exchange(self, name: str) -> Route:
        def namer(request: Request) -> str:
            """ITS may share the path of the legacy card service."""
            is_shared = name == "legacy" and self.settings.paths.its == self.settings.paths.legacy
            return "its" if is_shared and is_exchange(request.body) else name

        def answer(request: Request) -> Response:
            return Response(body=self.service.answer(namer(request), request.body))

        return namer, answer

    def _described(self, name: str, answer: Callable[[Request], Response]) -> Callable[[Request], Response]:
        def described(request: Request) -> Response:
            if request.method == "GET" and request.query.lower() == "wsdl":
                return Response(body=self.wsdl(name))
            return answer(request)

        return described

    # --- where it is

    @property
    def port(self) -> int:
        """The one port of everything."""
        return self._open.port

    @property
    def base_url(self) -> str:
        """`https://127.0.0.1:…`, without a slash at its end."""
        return self._open.url

    def service_url(self, name: str = "dgws") -> str:
        """The whole address of a service: `dgws`, `idws` and `consumer`, or one of the STS's (as in `Paths`)."""
        path: str | None = getattr(self.settings.paths, name, None)
        if path is None:
            raise ConfigurationError(f"there is no service {name!r}")
        return self.base_url + path

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

    @staticmethod
    def sts_pem() -> bytes:
        """The same as PEM."""
        return pki.pem(stock.sts().certificate)

    @property
    def next_sts_certificate(self) -> x509.Certificate:
        """The one it signs with while `faults.renewed` is on."""
        return stock.next_sts().certificate

    def wsdl(self, name: str = "dgws") -> bytes:
        """The description of an echo service (`dgws` or `idws`); the same answers a GET with `?wsdl`."""
        return wsdl.describe(self.service_url(name))

    # --- who exists

    @functools.cached_property
    def system(self) -> Holder:
        """The first system, made when it is first needed."""
        return place.first_system()

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
        identifier: str | None = None,
        cpr: str | None = None,
        given_name: str = "",
        surname: str = "",
        authorisations: Iterable[Authorisation] = (),
        national_roles: Iterable[str] = (),
        valid: tuple[datetime, datetime] | None = None,
    ) -> Holder:
        """Issue one more certificate and tell the registers; without `cpr` they do not know its holder.

        Names are invented where none is given. `identifier` is the RID, UID, FID or UUID of its subject, a fresh one by
        default.
        """
        holder = new_holder(
            kind,
            cvr=cvr,
            company=company,
            identifier=identifier,
            cpr=cpr,
            given_name=given_name,
            surname=surname,
            authorisations=authorisations,
            national_roles=national_roles,
            valid=valid,
        )
        self.registers.add(holder)
        return holder

    def adopt(
        self,
        certificate: x509.Certificate,
        *,
        issuer: x509.Certificate | None = None,
        rid: str | None = None,
        cpr: str | None = None,
        given_name: str = "",
        surname: str = "",
        authorisations: Iterable[Authorisation] = (),
        national_roles: Iterable[str] = (),
    ) -> Holder:
        """Tell the registers of a certificate that somebody else made, whose key is elsewhere, and of its `issuer`.

        Raises `ConfigurationError` when it is no OCES certificate.
        """
        read = subjects.read(certificate)
        if read is None:
            raise ConfigurationError("the certificate has the shape of no OCES certificate")
        if issuer is not None:
            self.registers.authorities.append(issuer)
        holder = Holder(
            kind=read.kind,
            cvr=read.cvr,
            company=read.organisation,
            identifier=read.identifier,
            certificate=certificate,
            rid=rid,
            cpr=cpr,
            given_name=given_name,
            surname=surname,
            authorisations=tuple(authorisations),
            national_roles=tuple(national_roles),
        )
        self.registers.add(holder)
        return holder

    def register_citizen(self, pid: str, cpr: str) -> None:
        """Tell the registers whose personal number a PID stands for, as names in old citizens' tokens have it."""
        self.registers.citizens[pid] = cpr

    def trust_identity_provider(self, certificate: x509.Certificate) -> None:
        """Believe the assertions and bootstrap tokens that this certificate's key signs, beside the sandbox's own."""
        self.registers.identity_providers.append(certificate)

    def revoke(self, certificate: x509.Certificate) -> None:
        """Put a certificate on the revocation list."""
        self.registers.revoke(certificate)

    def add_audience(self, audience: Audience) -> None:
        """Register a receiver, or change one's settings."""
        self.audiences[audience.audience] = audience

    # --- tokens of the identity provider

    def oiosaml_assertion(
        self,
        holder: Holder | None = None,
        *,
        life: float = 3600.0,
        level: str = "3",
        has_certificate: bool = True,
        has_cpr: bool = True,
    ) -> bytes:
        """An OIOSAML 2 assertion about an employee (the first one by default), as NemLog-in gave them.

        `life` is in seconds, `level` its assurance level; certificate and personal number are attributes it may lack.
        """
        whom = holder or self.employee
        at = self.clock()
        return idp.oiosaml(
            whom, at, life=timedelta(seconds=life), level=level, has_certificate=has_certificate, has_cpr=has_cpr
        )

    def bootstrap_token(
        self,
        holder: Holder | None = None,
        *,
        bound_to: x509.Certificate | None = None,
        life: float = 300.0,
        audience: str = STS_AUDIENCE,
        privileges: str = "",
        is_encrypted: bool = False,
    ) -> bytes:
        """An employee's bootstrap token for BST2SOSI, bound to the certificate that will sign the exchange.

        `bound_to` is the holder's own certificate by default. `privileges` is the Base64 text of the privilege
        attribute, `life` in seconds. An encrypted one is an `EncryptedAssertion` for the STS.
        """
        whom = holder or self.employee
        return idp.employee_token(
            whom,
            bound_to or whom.certificate,
            self.clock(),
            life=timedelta(seconds=life),
            audience=audience,
            privileges=privileges,
            is_encrypted=is_encrypted,
        )

    def citizen_bootstrap_token(
        self,
        cpr: str = place.CPR,
        *,
        bound_to: x509.Certificate | None = None,
        life: float = 300.0,
        audience: str = CITIZEN_AUDIENCES[0],
        is_encrypted: bool = False,
    ) -> bytes:
        """A citizen's bootstrap token for Bst2Idws; `bound_to` is the first employee's certificate by default."""
        bound = bound_to or self.employee.certificate
        return idp.citizen_token(
            cpr, bound, self.clock(), life=timedelta(seconds=life), audience=audience, is_encrypted=is_encrypted
        )

    def jwt(self, cpr: str = place.CPR, *, life: float = 300.0, issuer: str = jwt.ISSUER) -> str:
        """A citizen's JWT for JWT2Idws and JWT2OIOSaml, in compact form."""
        return idp.web_token(cpr, self.clock(), life=timedelta(seconds=life), issuer=issuer)

    def example(self, kind: str) -> bytes:
        """A sample message; see `govfile.sandbox.sosi.examples`. The cards are signed by this STS, now."""
        return examples.example(kind, employee=self.employee, system=self.system, service=self.service, at=self.clock())

    # --- what happened

    @property
    def answered(self) -> tuple[Answered, ...]:
        """Every request to the STS so far, with what became of it."""
        return tuple(self.service.answered)

    @property
    def called(self) -> tuple[Called, ...]:
        """Every call to the DGWS and the IDWS service so far."""
        return tuple(self.services.called)

    @property
    def logins(self) -> tuple[Login, ...]:
        """Everybody the service provider let in."""
        return tuple(self.consumer.logins)

    @property
    def findings(self) -> tuple[str, ...]:
        """Why somebody was refused, in words a real one would keep to itself."""
        sts = [str(each.refusal) for each in self.answered if each.refusal is not None]
        calls = [str(each.refusal) for each in self.called if each.refusal is not None]
        return (*sts, *calls, *self.consumer.findings)
