"""A payroll product's night: every customer on its own, a program told of each renewal, and an exit status."""

from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from govfile import KeyStore, Secret, vero
from govfile.certificates.deploy import Renewed
from govfile.certificates.renewal import Outcome, Renewer
from govfile.sandbox import VeroSandbox

#: Customers, and how many days their certificates still last.
CUSTOMERS = {"0123456-7": 20, "1111111-1": 45, "2222222-2": 400, "3333333-3": -2}


def main(folder: Path) -> int:
    told: list[str] = []

    def reload(renewed: Renewed) -> None:
        """Tell the part that sends. A failure here is reported and undoes nothing."""
        told.append(renewed.slot.holder)

    with VeroSandbox() as authority:
        keys = KeyStore(folder / "keys", Secret("a passphrase for the keys at rest"), clock=authority.clock)
        with vero.CertificateService(authority.environment, keys, clock=authority.clock) as service:
            for holder, left in CUSTOMERS.items():
                issued = authority.clock() - timedelta(days=730 - left)
                keys.adopt(service.slot(holder), authority.credential_for(holder, issued=issued))

            night = Renewer(keys, {"vero": service}, hooks=(reload,), clock=authority.clock)
            summary = night.run(service.slots())
            print(summary)

            outcomes = {result.slot.holder: result.outcome for result in summary.results}
            assert outcomes == {
                "0123456-7": Outcome.RENEWED,
                "1111111-1": Outcome.RENEWED,
                "2222222-2": Outcome.NOT_DUE,
                "3333333-3": Outcome.MISSED,
            }
            assert sorted(told) == ["0123456-7", "1111111-1"]

            quiet = night.run(service.slots())
            assert {result.outcome for result in quiet.results} == {Outcome.NOT_DUE, Outcome.MISSED}
            assert len(authority.issued) == 2, "the second run asks for nothing"
    return summary.exit_status


if __name__ == "__main__":
    with TemporaryDirectory() as place:
        status = main(Path(place))
    print("exit status", status, "since somebody has to enrol one customer anew")
    assert status == 1
