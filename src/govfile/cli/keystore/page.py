"""The calendar of expiries as one HTML page: no script, nothing from elsewhere, readable in the dark and by ear.

Every text in it is escaped, and its own policy forbids whatever is not its style, so that a holder's name can do no
harm. What a colour says stands there in words, too.
"""

from __future__ import annotations

import calendar
import html
import itertools
import os
import secrets
from typing import TYPE_CHECKING

from govfile.cli.escape import printable
from govfile.cli.keystore.expiries import Mark
from govfile.cli.keystore.style import STYLE
from govfile.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from govfile.cli.keystore.expiries import Expiry

_SIGNATURE = "<!-- Written by govfile keys watch; its next run replaces this page. -->"
_HEAD = f"""\
<!DOCTYPE html>
{_SIGNATURE}
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>Certificates and when they end</title>
<style>
{STYLE}</style>
</head>
"""
_CLASSES = {
    Mark.EXPIRED: "ended",
    Mark.UNREADABLE: "ended",
    Mark.WEEK: "week",
    Mark.MONTH: "month",
    Mark.SEASON: "season",
    Mark.QUIET: "quiet",
}
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MOST_MONTHS = 36


def write_page(path: Path, found: Sequence[Expiry], strays: Sequence[str], at: datetime) -> None:
    """Put the page at `path` in one step, in place of the one of an earlier run.

    Raises `ConfigurationError` when there is another file, or it cannot be written.
    """
    draft = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    try:
        if path.exists() and _SIGNATURE.encode() not in path.read_bytes()[:200]:
            raise ConfigurationError(f"{path} is there, and is no such page", advice="give the name of a new file")
        draft.write_text(page(found, strays, at), encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be written: {error.strerror}", advice="check folder and disk"
        ) from error
    finally:
        if os.path.lexists(draft):
            draft.unlink()


def page(found: Sequence[Expiry], strays: Sequence[str], at: datetime) -> str:
    """The page, seen at `at` (aware UTC)."""
    parts = [
        _HEAD,
        "<body>\n<header>\n<h1>Certificates and when they end</h1>\n",
        f"<p>As of {_time(at)} UTC. All times are UTC.</p>\n",
        _counts(found),
        "</header>\n<main>\n",
        _strays(strays),
        _table(found),
        _months(found, at),
        "</main>\n</body>\n</html>\n",
    ]
    return "".join(parts)


def _counts(found: Sequence[Expiry]) -> str:
    """How many are how near, in words."""
    marks = [one.mark for one in found]
    items = [
        f'<li class="{_CLASSES[mark]}"><strong>{marks.count(mark)}</strong> {html.escape(_IN_WORDS[mark])}</li>\n'
        for mark in Mark
        if mark in marks
    ]
    if not items:
        return "<p>Nothing is in use.</p>\n"
    return f'<ul class="counts" aria-label="In short">\n{"".join(items)}</ul>\n'


_IN_WORDS = {
    Mark.EXPIRED: "expired",
    Mark.WEEK: "end within 7 days",
    Mark.MONTH: "end within 30 days",
    Mark.SEASON: "end within 60 days",
    Mark.QUIET: "later",
    Mark.UNREADABLE: "cannot be read",
}


def _strays(strays: Sequence[str]) -> str:
    if not strays:
        return ""
    items = "".join(f"<li>{_text(stray)}</li>\n" for stray in strays)
    return f"<section>\n<h2>In the store, and nobody's</h2>\n<ul>\n{items}</ul>\n</section>\n"


def _table(found: Sequence[Expiry]) -> str:
    """One row a credential, the nearest end first."""
    if not found:
        return ""
    seen: set[str] = set()
    rows = "".join(_row(one, seen) for one in found)
    return (
        '<section>\n<h2 id="next">Next first</h2>\n'
        '<div class="wide" role="region" aria-labelledby="next" tabindex="0">\n'
        "<table>\n<thead>\n<tr>"
        + "".join(f'<th scope="col">{title}</th>' for title in _COLUMNS)
        + f"</tr>\n</thead>\n<tbody>\n{rows}</tbody>\n</table>\n</div>\n</section>\n"
    )


_COLUMNS = ("Holder", "Authority", "Environment", "Ends", "Days left", "State", "Renewal")


def _row(one: Expiry, seen: set[str]) -> str:
    """The first row of a day can be reached from the calendar."""
    anchor = ""
    if one.expires is not None and (day := f"{one.expires:%Y-%m-%d}") not in seen:
        seen.add(day)
        anchor = f' id="d{day}"'
    ends = "" if one.expires is None else _time(one.expires)
    days = "" if one.days is None else str(one.days)
    return (
        f'<tr{anchor} class="{_CLASSES[one.mark]}"><th scope="row">{_text(one.slot.holder)}</th>'
        f"<td>{_text(one.slot.authority)}</td><td>{_text(one.slot.environment)}</td><td>{ends}</td>"
        f'<td class="number">{days}</td><td><span class="mark">{html.escape(one.mark.value)}</span></td>'
        f"<td>{_text(one.problem or one.renewal)}</td></tr>\n"
    )


def _months(found: Sequence[Expiry], at: datetime) -> str:
    """A sheet for every month in which something ends, from this one on."""
    dated = [one for one in found if one.expires is not None and f"{one.expires:%Y-%m}" >= f"{at:%Y-%m}"]
    grouped = itertools.groupby(dated, key=lambda one: one.expires and (one.expires.year, one.expires.month))
    sheets = [_sheet(month, list(ending), at) for month, ending in itertools.islice(grouped, _MOST_MONTHS) if month]
    if not sheets:
        return ""
    return f'<section>\n<h2>Calendar</h2>\n<div class="sheets">\n{"".join(sheets)}</div>\n</section>\n'


def _sheet(month: tuple[int, int], ending: list[Expiry], at: datetime) -> str:
    """One month; a day on which something ends leads to its row."""
    by_day: dict[int, list[Expiry]] = {}
    for one in ending:
        assert one.expires is not None
        by_day.setdefault(one.expires.day, []).append(one)
    year, number = month
    today = at.day if (at.year, at.month) == month else 0
    weeks = "".join(
        "<tr>"
        + "".join(_day(year, number, day, by_day.get(day, []), is_today=day == today) for day in week)
        + "</tr>\n"
        for week in calendar.Calendar().monthdayscalendar(year, number)
    )
    heads = "".join(f'<th scope="col" abbr="{name}">{name[:2]}</th>' for name in _WEEKDAYS)
    return (
        f'<table class="sheet">\n<caption>{calendar.month_name[number]} {year}</caption>\n'
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{weeks}</tbody>\n</table>\n"
    )


def _day(year: int, month: int, day: int, ending: list[Expiry], *, is_today: bool) -> str:
    if not day:
        return "<td></td>"
    now = ' aria-current="date"' if is_today else ""
    if not ending:
        return f"<td{now}>{day}</td>"
    worst = _CLASSES[ending[0].mark]
    said = f"{len(ending)} end{'s' if len(ending) == 1 else ''}"
    link = f'<a href="#d{year}-{month:02}-{day:02}">{day}<span class="said"> {said}</span></a>'
    return f'<td{now} class="{worst}">{link}</td>'


def _time(at: datetime) -> str:
    return f'<time datetime="{at:%Y-%m-%dT%H:%M:%SZ}">{at:%Y-%m-%d %H:%M}</time>'


def _text(value: object) -> str:
    """Text from elsewhere: no markup, nothing hidden, nothing that turns the line around."""
    return html.escape(printable(value))
