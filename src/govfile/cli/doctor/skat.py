"""The checks of a set-up for the Danish FTPS gateway, in the order in which a filing would meet the faults."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from govfile import errors
from govfile.cli.doctor.checks import REMEDIES as SHARED
from govfile.cli.doctor.checks import Checks, readable_by
from govfile.cli.doctor.steps import Found

if TYPE_CHECKING:
    from govfile.cli.doctor.checks import Plan
    from govfile.skat.folders import Layout
    from govfile.skat.username import Login
    from govfile.transports.ftps import FtpsTransport

_SE_NUMBER = (
    "order the roles for this certificate (TastSelv Erhverv, or the sign-up form of the area), then wait an hour: they "
    "are copied to the gateway hourly; a company whose duty is registered on an SE number cannot use the gateway "
    "itself: let the legal unit with the CVR number file as its agent"
)

#: In the order of the checks.
REMEDIES = {
    "configuration": SHARED["configuration"],
    "password": "the authority issues it for this certificate and environment; refer to it by env, file or keyring",
    "passphrase": SHARED["passphrase"],
    "certificate": SHARED["certificate"],
    "validity": "renew it in MitID Erhverv; a renewed certificate keeps its UUID, and so its user name and folders",
    "kind": "use an organisation or system certificate (OCES3) of the company",
    "user name": "leave username out of the profile, or write the one the authority registered for this certificate",
    "environment": "choose the environment the certificate was issued for, or the certificate for this environment",
    "name lookup": SHARED["name lookup"],
    "control port": "have the firewall let this machine open connections to this host and port",
    "server identity": "check `trust` in the profile, and whether something on the way opens TLS; never switch it off",
    "registration": "hand in the public half (govfile cert export) and wait for the confirmation, then try again",
    "login": "ask the authority for the password of exactly this user name; do not try again and again: accounts lock",
    "data port": "have the firewall open the whole range of data ports to this host, not only the control port",
    "folders": _SE_NUMBER,
    "out": "only the certificate that filed sees its answers; check that this is the one",
    "ledger": SHARED["ledger"],
    "answers folder": SHARED["answers folder"],
    "clock": SHARED["clock"],
}


class Examination(Checks):
    """The checks of a profile; one login is tried."""

    remedies = REMEDIES

    def plan(self) -> Plan:
        """Which checks there are, in their order."""
        reached = ("server identity", "registration", "login")
        return [
            ("configuration", self.configuration, ()),
            ("password", self.password, ("configuration",)),
            ("passphrase", self.passphrase, ("configuration",)),
            ("certificate", self.certificate, ("passphrase",)),
            ("validity", self.validity, ("certificate",)),
            ("kind", self.kind, ("certificate",)),
            ("user name", self.user_name, ("kind",)),
            ("environment", self.environment, ("certificate",)),
            ("name lookup", self.name_lookup, ("configuration",)),
            ("control port", self.control_port, ("name lookup",)),
            ("server identity", self.server, ("control port", "password", "validity", "user name", "environment")),
            ("registration", self.registration, reached[:1]),
            ("login", self.login, reached[:2]),
            ("data port", self.data_port, reached),
            ("folders", self.folders, ("data port",)),
            ("out", self.out, ("folders",)),
            *self.kept(),
        ]

    # --- what lies on this machine ------------------------------------------------------------------------------

    def password(self) -> Found:
        """The reference to the gateway password leads to one."""
        _ = self._session.password
        return readable_by(self._session.profile.places.secret(self._session.profile.table, "password"))

    def kind(self) -> Found:
        """The certificate stands for a company, in a form the gateway knows."""
        from govfile.certificates.subject import Kind

        kind = self._credential.kind
        if kind is Kind.OTHER and self._session.username is None:
            self._credential.subject.require_identity()
        return Found(kind.name.lower().replace("_", " "))

    @cached_property
    def _login(self) -> Login:
        from govfile.skat.username import Login

        return Login.of(self._credential.subject, self._session.username)

    def user_name(self) -> Found:
        """Certificate and profile agree on the user name."""
        return Found(f"{self._login.username} (this identifier must be registered with the authority)")

    def environment(self) -> Found:
        """The certificate was not issued for the other environment."""
        from govfile.skat.username import check_environment

        check_environment(self._credential, self._session.environment)
        issued = {True: "test", False: "production", None: "an unknown use"}[self._credential.is_test]
        return Found(f"the certificate was issued for {issued}")

    # --- what the gateway says ----------------------------------------------------------------------------------

    @cached_property
    def _transport(self) -> FtpsTransport:
        from govfile.transports.ftps import FtpsTransport

        session = self._session
        return FtpsTransport(
            session.environment.host,
            session.environment.port,
            user=self._login.username,
            password=session.password,
            credential=self._credential,
            policy=session.environment.policy,
        )

    @cached_property
    def _refusal(self) -> errors.GovfileError | None:
        """Why the one login that is tried did not come about."""
        try:
            self._transport.home()
        except errors.GovfileError as error:
            return error
        return None

    def server(self) -> Found:
        """The server is who it should be."""
        refusal = self._refusal
        if refusal is not None and not _is_about_us(refusal):
            phase = getattr(refusal, "phase", errors.Phase.TLS)
            if phase in (errors.Phase.RESOLVE, errors.Phase.CONNECT, errors.Phase.TLS):
                raise refusal
        return Found("chain and host name of the server's certificate hold")

    def registration(self) -> Found:
        """The gateway takes the certificate."""
        refusal = self._refusal
        if isinstance(refusal, errors.CredentialError):
            raise refusal
        if refusal is not None and _is_about_us(refusal):
            what = f"the gateway hung up before it heard a password: {refusal.what}"
            raise errors.CredentialError(what, advice=refusal.advice) from refusal
        return Found("the gateway takes the certificate")

    def login(self) -> Found:
        """The gateway takes user name and password."""
        if self._refusal is not None:
            raise self._refusal
        return Found(f"logged in as {self._login.username}")

    def data_port(self) -> Found:
        """A data connection comes about."""
        try:
            self._transport.list(self._transport.home())
        except errors.TransferRefused as error:
            if error.code == 550:  # an answer about the folder; the next check is about that
                return Found("the gateway answers")
            raise
        return Found("a listing came through")

    @cached_property
    def _layout(self) -> Layout:
        from govfile.skat.folders import discover

        return discover(self._transport, self._login)

    def folders(self) -> Found:
        """At least one service is visible."""
        services = sorted(self._layout.services)
        if not services:
            raise errors.NotAuthorised("no service is visible for this certificate")
        return Found(f"visible: {', '.join(services)}")

    def out(self) -> Found:
        """The folder with the answers can be listed."""
        if self._layout.out is None:
            return Found("not there yet; it comes with the first answer")
        return Found(f"{self._waiting(self._transport, self._layout.out)} files wait in it")


def _is_about_us(refusal: errors.GovfileError) -> bool:
    """Whether it was the server that broke off, once it could see our certificate.

    Under TLS 1.3 it does so after the handshake, and not every server says why (RFC 8446, section 4.4.2.4).
    """
    if isinstance(refusal, errors.TlsFailed):
        return "alert" in refusal.alert and "protocol version" not in refusal.alert
    if isinstance(refusal, errors.ConnectionFailed):
        return refusal.phase is errors.Phase.AUTHENTICATE
    return isinstance(refusal, errors.CredentialError)
