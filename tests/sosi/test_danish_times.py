"""Times of Den Gode Webservice: Danish and without a zone in version 1.0, UTC in 1.0.1."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govfile.errors import ConfigurationError, ProtocolError
from govfile.sosi import DgwsVersion, times
from govfile.sosi.times import DANISH_TIME

V1_0, V1_0_1 = DgwsVersion.V1_0, DgwsVersion.V1_0_1
DAY = timedelta(hours=24)
COPENHAGEN = ZoneInfo("Europe/Copenhagen")
MOMENTS = st.datetimes(datetime(2006, 1, 1), datetime(2036, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 UTC by timezones


@given(MOMENTS)
def test_danish_time_is_that_of_the_time_zone_database(at: datetime) -> None:
    ours, theirs = at.astimezone(DANISH_TIME), at.astimezone(COPENHAGEN)
    assert (ours.replace(tzinfo=None), ours.fold) == (theirs.replace(tzinfo=None), theirs.fold)
    assert (ours.utcoffset(), ours.tzname(), ours.dst()) == (theirs.utcoffset(), theirs.tzname(), theirs.dst())
    assert ours.astimezone(UTC) == at


@given(st.datetimes(datetime(2006, 1, 1), datetime(2036, 12, 31)), st.integers(0, 1))  # noqa: DTZ001 local times
def test_local_times_mean_what_they_mean_in_the_database(local: datetime, fold: int) -> None:
    local = local.replace(fold=fold)
    assert local.replace(tzinfo=DANISH_TIME).utcoffset() == local.replace(tzinfo=COPENHAGEN).utcoffset()


@pytest.mark.parametrize(
    ("at", "old", "new"),
    [
        (datetime(2026, 1, 5, 7, 53, 0, 999999, tzinfo=UTC), "2026-01-05T08:53:00", "2026-01-05T07:53:00Z"),
        (datetime(2026, 6, 1, 23, 30, tzinfo=UTC), "2026-06-02T01:30:00", "2026-06-01T23:30:00Z"),
        (
            datetime(2026, 6, 1, 1, 30, tzinfo=ZoneInfo("America/New_York")),
            "2026-06-01T07:30:00",
            "2026-06-01T05:30:00Z",
        ),
    ],
)
def test_each_version_is_written_in_its_way(at: datetime, old: str, new: str) -> None:
    assert (times.write(at, V1_0), times.write(at, V1_0_1)) == (old, new)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-01-05T07:53:00Z", datetime(2026, 1, 5, 7, 53, tzinfo=UTC)),
        ("2026-01-05T07:53:00", datetime(2026, 1, 5, 6, 53, tzinfo=UTC)),
        ("2006-01-05T07:53:00.00", datetime(2006, 1, 5, 6, 53, tzinfo=UTC)),
        ("2026-06-05T07:53:00.250+02:00", datetime(2026, 6, 5, 5, 53, 0, 250000, tzinfo=UTC)),
        ("2026-10-25T02:30:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
    ],
)
def test_both_versions_are_read(text: str, at: datetime) -> None:
    assert times.read(text) == at


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-13-01T00:00:00Z", "2026-03-29T02:30:00", "2026-01-05", "0000-01-01T00:00:00Z"]
)
def test_t07_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ProtocolError, match="the moment"):
        times.read(text, "the moment")


@given(MOMENTS, st.sampled_from(DgwsVersion))
def test_what_is_written_is_read(at: datetime, version: DgwsVersion) -> None:
    begin, end = times.window(at, DAY, version)
    assert (times.read(times.write(begin, version)), times.read(times.write(end, version))) == (begin, end)


@given(MOMENTS, st.sampled_from(DgwsVersion), st.timedeltas(timedelta(minutes=10), DAY))
def test_a_window_is_never_longer_than_it_should_be_by_any_reading(
    at: datetime, version: DgwsVersion, life: timedelta
) -> None:
    begin, end = times.window(at, life, version)
    assert begin <= at
    assert timedelta() <= end - begin <= life
    if version is V1_0_1:
        assert (begin, end) == (at.replace(microsecond=0), at.replace(microsecond=0) + life)
        return
    written = [datetime.fromisoformat(times.write(moment, version)) for moment in (begin, end)]
    assert written[1] - written[0] <= life
    assert all(
        each.replace(tzinfo=DANISH_TIME, fold=0).utcoffset() == each.replace(tzinfo=DANISH_TIME, fold=1).utcoffset()
        for each in written
    )


@pytest.mark.parametrize(
    ("at", "begin", "end"),
    [
        # begun in the repeated hour, first and second time: from before it
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "2026-10-25T01:59:59", "2026-10-26T00:59:59"),
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "2026-10-25T01:59:59", "2026-10-26T00:59:59"),
        # ends in it: before it
        (datetime(2026, 10, 24, 0, 30, tzinfo=UTC), "2026-10-24T02:30:00", "2026-10-25T01:59:59"),
        # over the spring change: 24 hours on the wall are 23
        (datetime(2026, 3, 28, 12, 0, tzinfo=UTC), "2026-03-28T13:00:00", "2026-03-29T13:00:00"),
    ],
)
def test_t07_times_without_a_zone_keep_clear_of_the_hours_nobody_can_tell(at: datetime, begin: str, end: str) -> None:
    window = times.window(at, DAY, V1_0)
    assert tuple(times.write(moment, V1_0) for moment in window) == (begin, end)


def test_a_time_without_a_zone_is_not_written() -> None:
    for version in DgwsVersion:
        with pytest.raises(ConfigurationError, match="no time zone"):
            times.write(datetime(2026, 1, 1), version)  # noqa: DTZ001 that is the point
