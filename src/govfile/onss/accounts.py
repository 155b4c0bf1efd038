"""The account: sender number, technical user name, and the half-hours in which a new channel becomes known.

Source: the portal's manual on creating an SFTP channel.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from govfile.errors import ChannelNotYetSynchronised, ConfigurationError

if TYPE_CHECKING:
    from govfile.errors import AuthenticationRefused

#: The channel's data is taken over around each hour and half hour.
SYNCHRONISATION = timedelta(minutes=30)

#: Until this long after its creation, a refused login may mean that the channel is not known yet.
NOT_YET_KNOWN = timedelta(minutes=35)

_CLIENT_ID = re.compile(r"self_service_(?:chaman|expeditor)_(?P<sender>[0-9]{6})(?:_[0-9A-Za-z]+)?")


def check_sender(number: str) -> str:
    """The sender number itself: six digits, leading zeros kept. Raises `ConfigurationError`."""
    given: object = number  # people give numbers, and lose the leading zeros
    if not isinstance(given, str) or not re.fullmatch("[0-9]{6}", given):
        raise ConfigurationError(
            f"the sender number {ascii(number)[:20]} is not six digits",
            advice="the portal shows it with the channel; give it as text, with its leading zeros: '006400'",
        )
    return number


def sender_of_client_id(client_id: str) -> str | None:
    """The sender number in the id of a REST client (`self_service_chaman_101420_…`); None where there is none."""
    found = _CLIENT_ID.fullmatch(client_id)
    return found["sender"] if found else None


def user_name_warnings(name: str) -> tuple[str, ...]:
    """What the portal would not accept in a new technical user name, in words; none for a proper one.

    Warnings only: names given before today's rule stay in use. Upper and lower case are both letters here, since the
    manual's rule says a to z and its own example is in capitals; either must be given exactly as it was chosen.
    """
    found = []
    if not 8 <= len(name) <= 20:
        found.append(f"the user name has {len(name)} characters; new ones have 8 to 20")
    others = sorted(set(re.sub("[0-9A-Za-z]", "", name)))
    if others:
        found.append(f"the user name holds {', '.join(map(ascii, others))}; new ones have letters and digits only")
    return tuple(found)


def next_synchronisation(at: datetime) -> datetime:
    """The first hour or half hour after `at` (aware), in UTC."""
    moment = at.astimezone(UTC)
    whole = moment.replace(minute=moment.minute // 30 * 30, second=0, microsecond=0)
    return whole + SYNCHRONISATION


def explained(refusal: AuthenticationRefused, *, created: datetime | None, at: datetime) -> AuthenticationRefused:
    """A refused login as `ChannelNotYetSynchronised` when the channel is so new that it may not be known yet.

    `created` (aware) is when the channel was made or its key changed, None where nobody says; `at` (aware) is now.
    """
    if created is None or not timedelta(0) <= at - created < NOT_YET_KNOWN:
        return refusal
    expected = next_synchronisation(at)
    found = ChannelNotYetSynchronised(
        f"the login was refused; the channel was made at {created.astimezone(UTC):%H:%M} UTC and may not be known yet",
        expected=expected,
        certain=refusal.certain,
        advice=f"try again a few minutes after {expected:%H:%M} UTC; channels are taken over every half hour",
        operation=refusal.operation,
        endpoint=refusal.endpoint,
        phase=refusal.phase,
    )
    found.__cause__ = refusal
    return found
