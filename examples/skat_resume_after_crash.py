"""The program is killed while it files. The next run asks the ledger, looks, and sends nothing twice.

The filing runs in a child process, so that it can be killed in earnest: between the last byte and the confirmation.
"""

import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from govfile import Credential, Ledger, Secret, State, skat
from govfile.certificates.trust import Trust
from govfile.sandbox import SkatSandbox
from govfile.sandbox.skat.command import write_papers
from govfile.transports.ftps_policy import FtpsPolicy

NAME = "19552101_2025_c1.zip"


def file_report(folder: Path, environment_name: str, port: int) -> None:
    """What the nightly program does; here it is the child process."""
    papers = folder / "papers"
    environment = skat.Environment(  # really: skat.PRODUCTION
        name=environment_name,
        host="localhost",
        port=port,
        is_test=None,
        policy=FtpsPolicy(trust=Trust.only(papers / "gateway-ca.pem")),
    )
    credential = Credential.from_pkcs12(papers / "company.p12", Secret.from_file(papers / "passphrase.txt"))
    password = Secret.from_file(papers / "password.txt")
    with (
        Ledger.open(folder / "filings.db") as ledger,
        skat.Gateway(environment, credential, password=password, ledger=ledger) as gateway,
    ):
        gateway.submit(folder / "report.zip", service="Udlaan", name=NAME)


def kill_while_filing(folder: Path, authority: SkatSandbox) -> None:
    with authority.faults.during(silent_at=frozenset({"226"})):  # the confirmation never comes
        child = subprocess.Popen(
            [sys.executable, __file__, str(folder), authority.environment.name, str(authority.port)]
        )
        while not authority.filed and child.poll() is None:
            time.sleep(0.01)
        child.kill()
        child.wait()


def main(folder: Path) -> None:
    with SkatSandbox() as authority:
        write_papers(authority, folder / "papers")
        (folder / "report.zip").write_bytes(authority.example("Udlaan"))
        kill_while_filing(folder, authority)

        with (
            Ledger.open(folder / "filings.db") as ledger,
            skat.Gateway(
                authority.environment, authority.credential, password=authority.password, ledger=ledger
            ) as gateway,
        ):
            print("the ledger remembers:", gateway.status(NAME).state.name)
            for resumed in gateway.resume():
                print("resumed:", resumed.submission.name, "is", resumed.submission.state.name)
            again = gateway.submit(folder / "report.zip", service="Udlaan", name=NAME)
            final = gateway.wait(again, into=folder / "answers", timeout=10)
            for event in final.history:
                print(event.at.time(), event.state.name, event.evidence)
            assert final.state is State.ANSWERED
        assert len(authority.arrived) == 1, "it was sent once"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        file_report(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
    else:
        with TemporaryDirectory() as place:
            main(Path(place))
