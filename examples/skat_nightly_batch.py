"""A nightly run: file what lies in a folder, collect what has come, print a summary. Run twice, it files once."""

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from govfile import GovfileError, Ledger, skat
from govfile.sandbox import SkatSandbox


def run(gateway: skat.Gateway, outgoing: Path, answers: Path) -> Counter[str]:
    """One night. It never stops at one bad file, and it is safe to run again at any time."""
    summary: Counter[str] = Counter()
    for resumed in gateway.resume():  # what an earlier night left unfinished
        summary[f"resumed as {resumed.submission.state.name}"] += 1

    filings = [skat.Filing(document=path, name=path.name) for path in sorted(outgoing.glob("*.zip"))]
    for document, outcome in gateway.submit_many(filings, service="Udlaan", connections=2):
        if isinstance(outcome, GovfileError):
            print(f"{Path(str(document)).name}: {outcome}")
            summary["not filed"] += 1
        else:
            summary[outcome.state.name] += 1

    collection = gateway.collect(into=answers)
    summary["statuses"] += collection.statuses
    summary["answers"] += len(collection.answers)
    return summary


def main(folder: Path) -> None:
    outgoing, answers = folder / "outgoing", folder / "answers"
    outgoing.mkdir()
    with SkatSandbox() as authority, Ledger.open(folder / "filings.db") as ledger:
        for number in range(8):
            report = authority.example("Udlaan", seed=number)
            (outgoing / f"10101010_2025_natlig{number}.zip").write_bytes(report)
        (outgoing / "10101010_2025_knust.zip").write_bytes(b"not a zip at all")
        for night in (1, 2, 3):
            with skat.Gateway(
                authority.environment, authority.credential, password=authority.password, ledger=ledger
            ) as gateway:
                print(f"night {night}:", dict(run(gateway, outgoing, answers)))
            authority.clock.advance(24 * 3600)
        assert len(authority.filed) == len(authority.arrived) == 8, "nothing was sent twice"
        assert len(list(answers.iterdir())) == 8 * 4, "statuses 1 to 3 and an answer for each"


if __name__ == "__main__":
    with TemporaryDirectory() as place:
        main(Path(place))
