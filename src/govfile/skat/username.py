"""Who logs in: the user name a certificate gives, and what contradicts it before a connection is made.

Sources: the authority's page on production access (oid 2244618) and its notice on ICS and Manifest (2019) for UID and
RID; its public AS4 client for FID and for the UUID of today's certificates.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs

from govfile.certificates.subject import Kind
from govfile.errors import ConfigurationError

if TYPE_CHECKING:
    from govfile.certificates.credential import Credential
    from govfile.certificates.subject import Subject
    from govfile.skat.environments import Environment

_FORM = re.compile(r"CVR_(?P<cvr>[0-9]{8})_(?P<kind>UID|RID|FID|UI)_(?P<identifier>[0-9A-Za-z-]+)", re.IGNORECASE)

_WORDS = {
    Kind.OCES2_COMPANY: "UID",
    Kind.OCES2_EMPLOYEE: "RID",
    Kind.OCES2_FUNCTION: "FID",
    Kind.OCES3_ORGANISATION: "UI",
    Kind.OCES3_EMPLOYEE: "UI",
}


@attrs.frozen(kw_only=True)
class Login:
    """A user name and what it stands for. `cvr` (8 digits) and `folder` (`UID_<digits>`, `UI_<uuid>` …) are None where
    neither the certificate nor the user name tells.
    """

    username: str
    cvr: str | None = None
    folder: str | None = None

    @property
    def sender(self) -> str:
        """Whose names are counted together: the company's CVR number, or the user name where no CVR is known."""
        return self.cvr or self.username

    @property
    def company_folder(self) -> str | None:
        """`CVR_<8 digits>`, as paths on the gateway have it."""
        return f"CVR_{self.cvr}" if self.cvr else None

    @classmethod
    def of(cls, subject: Subject, username: str | None = None) -> Login:
        """The login of a certificate. A `username` given by hand must not contradict the certificate; it stands as it
        is where the certificate gives no name (`Kind.OTHER`) or where it is free text of another form.

        Raises `CredentialError` where neither gives a name, `ConfigurationError` for a contradiction.
        """
        if username is None:
            subject.require_identity()
            return _from_subject(subject)
        if not username.strip() or not username.isprintable():
            raise ConfigurationError(
                "the user name is empty or holds a character that cannot be printed",
                advice="write it as the authority registered it, or leave it out",
            )
        form = _FORM.fullmatch(username)
        if subject.kind is Kind.OTHER:
            return _from_form(username, form)
        built = _from_subject(subject)
        if form and username.casefold() != built.username.casefold():
            raise ConfigurationError(
                f"the user name {username} contradicts the certificate, which stands for {built.username}",
                certain="no connection was made, so no login was used up",
                advice="leave the user name out, or use the certificate it belongs to",
            )
        return attrs.evolve(built, username=username)


def _from_subject(subject: Subject) -> Login:
    cvr, identifier = subject.require_identity()
    folder = f"{_WORDS[subject.kind]}_{identifier}"
    return Login(username=f"CVR_{cvr}_{folder}", cvr=cvr, folder=folder)


def _from_form(username: str, form: re.Match[str] | None) -> Login:
    if form is None:
        return Login(username=username)
    return Login(username=username, cvr=form["cvr"], folder=f"{form['kind']}_{form['identifier']}")


def check_environment(credential: Credential, environment: Environment) -> None:
    """Refuse a test certificate for production and the other way round, before a connection is made.

    Issuers this version does not know pass, unless the environment says otherwise. Raises `ConfigurationError`.
    """
    if environment.is_test is None:
        return
    if credential.is_test is None:
        if environment.accepts_unknown_issuers:
            return
        raise ConfigurationError(
            f"the certificate's issuer is not known, so it cannot be told whether it belongs to {environment.name}",
            advice="use an OCES certificate, or allow it: attrs.evolve(environment, accepts_unknown_issuers=True)",
        )
    if credential.is_test is not environment.is_test:
        kind = "a test certificate" if credential.is_test else "a certificate for production"
        raise ConfigurationError(
            f"{kind} cannot be used with the environment {environment.name}: the gateway refuses it",
            certain="no connection was made",
            advice="test and production need certificates of their own; use the other environment or certificate",
        )
