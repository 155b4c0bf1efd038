"""The link breaks after the last byte: did it arrive? Wait and look; never send again. A person settles the rest."""

from pathlib import Path
from tempfile import TemporaryDirectory

from govfile import Ledger, OutcomeUnknown, State, Submission, skat
from govfile.sandbox import SkatSandbox
from govfile.sandbox.skat import LinkLoss


def submit(gateway: skat.Gateway, report: bytes, name: str) -> Submission:
    try:
        return gateway.submit(report, service="Udlaan", name=name)
    except OutcomeUnknown as unknown:
        print(unknown)
        return gateway.status(name)


def main(folder: Path) -> None:
    with (
        SkatSandbox() as authority,
        Ledger.open(folder / "filings.db") as ledger,
        skat.Gateway(
            authority.environment, authority.credential, password=authority.password, ledger=ledger
        ) as gateway,
    ):
        one, two = (authority.example("Udlaan", seed=seed) for seed in (1, 2))

        print("\n1. The file arrived, its confirmation did not.")
        with authority.faults.during(link_loss=LinkLoss.AFTER_DATA_KEPT):
            first = submit(gateway, one, "19552101_2025_b1.zip")
        assert first.state is State.UNKNOWN
        assert submit(gateway, one, "19552101_2025_b1.zip").state is State.UNKNOWN, "asked again, it is not sent again"
        settled = gateway.wait(first, into=folder / "answers", timeout=10)
        print("the statuses settle it:", " → ".join(event.state.name for event in settled.history))
        assert settled.state is State.ANSWERED

        print("\n2. The file was lost with the link.")
        with authority.faults.during(link_loss=LinkLoss.AFTER_DATA_LOST):
            second = submit(gateway, two, "19552101_2025_b2.zip")
        waited = gateway.wait(second, into=folder / "answers", timeout=1)
        print("after a second of silence it is still", waited.state.name)
        gateway.settle(waited, arrived=False, reason="the authority's service desk has no trace of it")
        sent = submit(gateway, two, "19552101_2025_b2.zip")
        final = gateway.wait(sent, into=folder / "answers", timeout=10)
        print("a person settles it, then:", " → ".join(event.state.name for event in final.history[3:]))
        assert final.state is State.ANSWERED

        assert [arrival.name for arrival in authority.filed] == ["19552101_2025_b1.zip", "19552101_2025_b2.zip"]


if __name__ == "__main__":
    with TemporaryDirectory() as place:
        main(Path(place))
