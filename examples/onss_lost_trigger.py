"""The link breaks while the trigger is sent, and before it: what is never sent again, and what may be."""

from pathlib import Path
from tempfile import TemporaryDirectory

from govfile import ConnectionFailed, Ledger, OutcomeUnknown, State, Submission, onss
from govfile.sandbox import OnssSandbox
from govfile.sandbox.onss import Drop, When


def submit(channel: onss.Channel, declaration: Path, purpose: str) -> Submission:
    try:
        return channel.submit(declaration, purpose=purpose)
    except OutcomeUnknown as unknown:
        print(unknown)
        found = unknown.submission
    assert found is not None
    return found


def main(folder: Path) -> None:
    with (
        OnssSandbox() as authority,
        Ledger.open(folder / "filings.db") as ledger,
        onss.Channel(
            authority.environment,
            authority.credential,
            sender=authority.sender,
            user=authority.user,
            ssh_key=authority.ssh_key,
            ledger=ledger,
        ) as channel,
    ):
        one, two = folder / "dimona.xml", folder / "dmfa.xml"
        one.write_bytes(authority.example("DIMN"))
        two.write_bytes(authority.example("DMFA"))

        print("1. The link is lost after the trigger, before its confirmation.")
        authority.faults.drop = Drop(only="close", on="GO", when=When.AFTER)
        submission = submit(channel, one, "DIMN")
        assert submission.state is State.UNKNOWN
        settled = channel.wait(submission, into=folder / "answers", timeout=20)
        print("what comes back settles it:", " → ".join(event.state.name for event in settled.history))
        assert settled.state is State.ANSWERED

        print("\n2. The link is lost before the trigger: nothing is declared.")
        authority.faults.drop = Drop(only="open", on="FS", when=When.BEFORE)
        try:
            channel.submit(two, purpose="DMFA")
        except ConnectionFailed as lost:
            print(lost)
        (resumed,) = channel.resume()
        print("resumed with the same bytes:", resumed.submission.state.name)
        final = channel.wait(resumed.submission, into=folder / "answers", timeout=20)
        assert final.state is State.ANSWERED
        assert len(authority.filed) == 2


if __name__ == "__main__":
    with TemporaryDirectory() as place:
        main(Path(place))
