"""L-07: names in use that nobody filed with this ledger stop it once; those of another process do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from govfile import State
from govfile.onss.remote import Remote
from support.onss_world import declaration

if TYPE_CHECKING:
    from datetime import date

    import pytest

    from support.onss_world import World


def test_l07_what_another_process_files_meanwhile_is_no_sign_of_a_lost_ledger(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = world.write(1)
    look = Remote.names
    quicker: list[State] = []

    def names(remote: Remote, *, since: date | None = None) -> tuple[str, ...]:
        if not quicker:  # behind the question whether the ledger knows the sender
            monkeypatch.setattr(Remote, "names", look)
            with world.channel() as other:
                quicker.append(other.submit(earlier, purpose="DMFA").state)
        return look(remote, since=since)

    monkeypatch.setattr(Remote, "names", names)
    with world.channel() as channel:
        filed = channel.submit(declaration(2), purpose="DMFA")
    assert (quicker, filed.state) == ([State.SENT], State.SENT)
    assert len(world.server.triggered) == 2
