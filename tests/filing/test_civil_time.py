"""Civil time in Belgium and Denmark, with the time zone database and without it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest

from govfile.filing import civil_time

ZONES = ["Europe/Brussels", "Europe/Copenhagen"]


@pytest.fixture(params=["database", "rule"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(zone: str) -> None:
        raise ZoneInfoNotFoundError(zone)

    if request.param == "rule":
        monkeypatch.setattr(civil_time, "ZoneInfo", missing)


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("zone", ZONES)
def test_every_quarter_of_an_hour_around_the_changes(zone: str) -> None:
    for year in (1999, 2024, 2026, 2031):
        for month in (3, 10):
            start = datetime(year, month, 24, tzinfo=UTC)
            for quarters in range(8 * 96):
                at = start + timedelta(minutes=15 * quarters)
                expected = at.astimezone(ZoneInfo(zone))
                local = civil_time.to_local(at, zone)
                assert local == expected.replace(tzinfo=None)
                if not expected.fold:
                    assert civil_time.to_utc(local, zone) == at


@pytest.mark.usefixtures("either_way")
def test_the_hour_that_the_clock_repeats_is_the_first_of_the_two() -> None:
    twice = datetime(2026, 10, 25, 2, 30)  # noqa: DTZ001 local time
    assert civil_time.to_utc(twice, "Europe/Brussels") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
