"""A DmfA in three parts: signed, sent, triggered once, acknowledged, and notified form by form."""

from pathlib import Path
from tempfile import TemporaryDirectory

from govfile import DuplicateContent, Ledger, State, Submission, Verdict, onss
from govfile.sandbox import OnssSandbox


def submit_again(channel: onss.Channel, parts: list[Path]) -> Submission | None:
    try:
        return channel.submit(parts, purpose="DMFA")
    except DuplicateContent as refused:
        print(refused)
        return refused.submission


def main(folder: Path) -> None:
    with (
        OnssSandbox(sender="101420", user="EXPDEMOENTREPRISE") as authority,
        Ledger.open(folder / "filings.db") as ledger,
        onss.Channel(
            authority.environment,
            authority.credential,
            sender="101420",
            user="EXPDEMOENTREPRISE",
            ssh_key=authority.ssh_key,
            ledger=ledger,
        ) as channel,
    ):
        parts = []
        for number in (1, 2, 3):
            part = folder / f"dmfa-{number}.xml"
            part.write_bytes(authority.example("DMFA", seed=number))
            parts.append(part)

        print("1. Three declarations, three signatures, one trigger.")
        filed = channel.submit(parts, purpose="DMFA")
        print(*filed.remote_names, sep="\n")
        assert filed.state is State.SENT

        print("\n2. The job runs again.")
        first = submit_again(channel, parts)
        assert first is not None
        assert first.id == filed.id

        print("\n3. What comes back.")
        final = channel.wait(filed, until=State.ANSWERED, into=folder / "answers", timeout=20)
        for event in final.history:
            print(f"{event.at:%H:%M:%S} {event.state.name:<9} {event.evidence.detail}")
        assert final.verdict is Verdict.ACCEPTED
        print(*(answer.path.name for answer in final.answers), sep="\n")
        assert len(authority.filed) == 1


if __name__ == "__main__":
    with TemporaryDirectory() as place:
        main(Path(place))
