"""File one report, once, and read what became of it.

Runs against a gateway of its own on this machine; the comments say what changes against the real one.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from govfile import DuplicateContent, DuplicateName, Ledger, State, skat
from govfile.sandbox import SkatSandbox


def main(folder: Path) -> None:
    report = folder / "report.zip"
    with SkatSandbox() as authority, Ledger.open(folder / "filings.db") as ledger:
        report.write_bytes(authority.example("Udlaan"))  # really: the file your bank system made
        with skat.Gateway(
            authority.environment,  # really: skat.PRODUCTION or skat.TEST
            authority.credential,  # really: Credential.from_pkcs12("company.p12", Secret.from_env("P12_PASSPHRASE"))
            password=authority.password,  # really: Secret.from_env("SKAT_PASSWORD")
            ledger=ledger,
        ) as gateway:
            checked = gateway.submit(report, service="Udlaan", name="19552101_2025_a1.zip", dry_run=True)
            print("looked at, not filed:", checked.name)

            filed = gateway.submit(report, service="Udlaan", name="19552101_2025_a1.zip")
            again = gateway.submit(report, service="Udlaan", name="19552101_2025_a1.zip")
            print("the same submission:", again.id == filed.id)
            refuse_doubles(gateway, report, authority.example("Udlaan", seed=2))

            final = gateway.wait(filed, until=State.ANSWERED, into=folder / "answers", timeout=10)
            for event in final.history:
                print(event.at.time(), event.state.name, event.evidence)
            final.raise_for_rejection()
            print("answers to read:", [answer.path.name for answer in final.answers])

        assert [arrival.name for arrival in authority.filed] == ["19552101_2025_a1.zip"]
        assert [arrival.name for arrival in authority.validated] == ["val_19552101_2025_a1.zip"]


def refuse_doubles(gateway: skat.Gateway, report: Path, other: bytes) -> None:
    try:
        gateway.submit(report, service="Udlaan", name="19552101_2025_a2.zip")
    except DuplicateContent as refused:
        print("same content, new name:", refused.what)
    try:
        gateway.submit(other, service="Udlaan", name="19552101_2025_a1.zip")
    except DuplicateName as refused:
        print("new content, same name:", refused.what)


if __name__ == "__main__":
    with TemporaryDirectory() as place:
        main(Path(place))
