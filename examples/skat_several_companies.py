"""One program, several companies, one ledger: each files with its own certificate and collects with the same one."""

from pathlib import Path
from tempfile import TemporaryDirectory

from govfile import CredentialError, Ledger, NotAuthorised, State, skat
from govfile.sandbox import SkatSandbox
from govfile.sandbox.skat import CertificateKind, Identity

PERIOD = "2025"


def gateway_of(company: Identity, authority: SkatSandbox, ledger: Ledger) -> skat.Gateway:
    return skat.Gateway(authority.environment, company.credential, password=company.password, ledger=ledger)


def main(folder: Path) -> None:
    with SkatSandbox() as authority, Ledger.open(folder / "filings.db") as ledger:
        companies = [
            authority.register(cvr="30808460"),
            authority.register(CertificateKind.OCES2_FUNCTION, cvr="19552101", services=["Udlaan"]),
        ]
        for number, company in enumerate(companies):
            with gateway_of(company, authority, ledger) as gateway:
                report = authority.example("Udlaan", seed=number)
                filed = gateway.submit(report, service="Udlaan", name=f"{company.cvr}_{PERIOD}_a1.zip")
                final = gateway.wait(filed, into=folder / company.cvr, timeout=10)
                print(company.username, final.name, final.state.name)
                assert final.state is State.ANSWERED

        without_role(companies[1], authority, ledger)
        other_certificate(companies[0], authority, ledger, folder)

        found = {submission.sender: submission.name for submission in ledger.search(state=State.ANSWERED)}
        print("in the ledger:", found)
        assert set(found) == {"30808460", "19552101"}


def without_role(company: Identity, authority: SkatSandbox, ledger: Ledger) -> None:
    with gateway_of(company, authority, ledger) as gateway:
        try:
            gateway.submit(authority.example("Indlaan"), service="Indlaan", name=f"{company.cvr}_{PERIOD}_a2.zip")
        except NotAuthorised as refused:
            print("no role:", refused)
        authority.grant(company, "Indlaan")
        authority.clock.advance(3600)  # roles are copied every hour
    with gateway_of(company, authority, ledger) as gateway:
        filed = gateway.submit(authority.example("Indlaan"), service="Indlaan", name=f"{company.cvr}_{PERIOD}_a2.zip")
        print("an hour later:", filed.name, filed.state.name)


def other_certificate(company: Identity, authority: SkatSandbox, ledger: Ledger, folder: Path) -> None:
    """`out` belongs to the certificate that filed: another one of the same company finds nothing there."""
    with gateway_of(company, authority, ledger) as gateway:
        gateway.submit(authority.example("Udlaan", seed=9), service="Udlaan", name=f"{company.cvr}_{PERIOD}_a3.zip")
    colleague = authority.register(cvr=company.cvr)
    with gateway_of(colleague, authority, ledger) as gateway:
        try:
            gateway.collect(into=folder / "colleague")
        except CredentialError as refused:
            print("the wrong certificate:", refused)


if __name__ == "__main__":
    with TemporaryDirectory() as place:
        main(Path(place))
