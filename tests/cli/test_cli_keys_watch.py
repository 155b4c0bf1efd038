"""`govfile keys watch`: the calendar of expiries, on the terminal and as a page that anybody can read."""

from __future__ import annotations

import re
import subprocess
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from govfile.certificates.keystore import SlotId
from govfile.cli.keystore.expiries import Expiry, Mark, expiries, within
from govfile.cli.keystore.page import page
from govfile.cli.keystore.style import STYLE
from support.cli import run
from support.keystores import NOON, enrolled, open_store
from support.programs import require

if TYPE_CHECKING:
    from pathlib import Path

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
VOID = {"meta", "link", "br", "img", "input"}


def _expiry(holder: str = "1234567-1", *, days: float = 100, **changes: object) -> Expiry:
    given = {"slot": SlotId("vero", "production", holder), "at": AT, "expires": AT + timedelta(days=days), **changes}
    return Expiry(**given)  # type: ignore[arg-type]


class Reader(HTMLParser):
    """Reads a page as strictly as it can: what is opened is closed, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        assert len(dict(attrs)) == len(attrs), "an attribute stands twice"
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data

    def all(self, attribute: str) -> list[str]:
        return [value for _, attrs in self.tags if (value := attrs.get(attribute)) is not None]


@pytest.mark.parametrize(
    ("days", "mark"),
    [
        (-0.1, Mark.EXPIRED),
        (0, Mark.WEEK),
        (7, Mark.WEEK),
        (7.1, Mark.MONTH),
        (30, Mark.MONTH),
        (30.1, Mark.SEASON),
        (60, Mark.SEASON),
        (60.1, Mark.QUIET),
    ],
)
def test_how_near_the_end_is(days: float, mark: Mark) -> None:
    assert _expiry(days=days).mark is mark


def test_what_can_be_done_is_said() -> None:
    assert _expiry().renewal == "only a person can renew it"
    assert _expiry(opens=AT + timedelta(days=40)).renewal == "opens 2027-01-02"
    assert _expiry(opens=AT).renewal == "open now"
    assert _expiry(days=-1, opens=AT - timedelta(days=61)).renewal == "over: enrol anew"
    assert _expiry(opens=AT, is_pending=True).renewal == "a request waits"


def test_what_is_in_use_is_found_the_nearest_end_first_and_what_is_damaged_before_all(tmp_path: Path) -> None:
    store = open_store(tmp_path / "keys")
    for holder, days in (("b", 50), ("a", 10), ("c", 700)):
        enrolled(store, SlotId("vero", "test", holder), not_after=NOON + timedelta(days=days))
    slot = SlotId("skat", "production", "30808460")
    enrolled(store, slot)
    (tmp_path / "keys" / slot.folder / "pointer.json").write_text("[]")
    found = expiries(store, {("vero", "test"): timedelta(days=60)}, NOON)
    assert [one.slot.holder for one in found] == ["30808460", "a", "b", "c"]
    assert [one.mark for one in found] == [Mark.UNREADABLE, Mark.MONTH, Mark.SEASON, Mark.QUIET]
    assert found[1].renewal == "open now"
    assert [one.slot.holder for one in within(found, 10)] == ["30808460", "a"]


def test_the_page_can_be_read_by_a_strict_reader_and_says_everything() -> None:
    found = [
        Expiry(slot=SlotId("skat", "test", "30808460"), at=AT, problem="it is damaged"),
        _expiry("1111111-1", days=-3, opens=AT - timedelta(days=63)),
        _expiry("2222222-2", days=3, opens=AT - timedelta(days=57), is_pending=True),
        _expiry("3333333-3", days=3.1),
        _expiry("4444444-4", days=400, opens=AT + timedelta(days=340)),
    ]
    read = Reader(page(found, ["a folder of nobody"], AT))
    for words in (
        "30808460",
        "it is damaged",
        "a request waits",
        "only a person can renew it",
        "a folder of nobody",
        "26 2 end",
    ):
        assert words in read.text
    ids = read.all("id")
    assert len(set(ids)) == len(ids)
    assert {link[1:] for link in read.all("href")} <= set(ids)
    assert read.text.count("November 2026") == 1
    assert "December 2027" in read.text
    assert read.all("lang") == ["en"]
    assert set(read.all("scope")) == {"col", "row"}
    assert read.all("aria-current") == ["date"]


def test_the_page_needs_nothing_from_elsewhere_and_runs_nothing() -> None:
    text = page([_expiry()], [], AT)
    read = Reader(text)
    tags = {tag for tag, _ in read.tags}
    assert not tags & {"script", "link", "img", "iframe", "object", "form", "base"}
    assert not read.all("src")
    assert not any(name.startswith("on") for _, attrs in read.tags for name in attrs)
    assert not re.search(r"(?i)https?:|//[a-z]|url\(|@import", text)
    (policy,) = [attrs["content"] for _, attrs in read.tags if attrs.get("http-equiv") == "Content-Security-Policy"]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"


@pytest.mark.parametrize("holder", ["<script>alert(1)</script>", '"><b onclick=x>', "&lt;i&gt;", "a'b", "--><h1>"])
def test_what_others_named_stays_text(holder: str) -> None:
    read = Reader(page([_expiry(holder, problem="<i>no</i>", expires=None)], ["<u>stray</u>"], AT))
    assert {tag for tag, _ in read.tags}.isdisjoint({"script", "b", "i", "u"})
    assert holder in read.text


def test_text_that_turns_its_line_around_is_shown_as_what_it_is() -> None:
    text = page([_expiry(problem="left \u202eright", expires=None)], [], AT)
    assert "\u202e" not in text
    assert "\\u202e" in text


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_colour_can_be_told_from_its_ground(scheme: str) -> None:
    """At least 4.5 to 1, as WCAG 2.2, criterion 1.4.3, asks for text."""
    blocks = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
    colours = dict(re.findall(r"--([a-z]+): (#[0-9a-f]+);", blocks[["light", "dark"].index(scheme)]))
    ground = _luminance(colours["back"])
    for name in {"fore", "faint", "ended", "week", "month", "season", "quiet"}:
        lighter, darker = sorted((ground, _luminance(colours[name])), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, name


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[start : start + 2], 16) / 255 for start in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_a_thousand_credentials_make_a_page_of_bounded_size() -> None:
    found = [_expiry(f"{number:07}-0", days=number % 720) for number in range(1000)]
    found.sort(key=lambda one: (one.expires, one.slot))
    text = page(found, [], AT)
    assert len(text) < 700_000
    assert len(re.findall("<caption>", text)) == 25


@pytest.mark.slow
def test_a_browser_shows_it_and_complains_of_nothing(tmp_path: Path) -> None:
    shown = tmp_path / "calendar.html"
    shown.write_text(page([_expiry("<b>Pelle</b>", days=3)], [], AT), encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
    options += [f"--user-data-dir={tmp_path / 'profile'}", "--enable-logging=stderr", "--log-level=0", "--dump-dom"]
    ended = subprocess.run(
        [require("chromium"), *options, shown.as_uri()], capture_output=True, text=True, timeout=120, check=True
    )
    assert "&lt;b&gt;Pelle&lt;/b&gt;" in ended.stdout
    assert "CONSOLE" not in ended.stderr
    shown.write_text(shown.read_text().replace("</body>", "<script>1</script></body>"))
    worse = subprocess.run(
        [require("chromium"), *options, shown.as_uri()], capture_output=True, text=True, timeout=120, check=True
    )
    assert "CONSOLE" in worse.stderr, "the page's own policy keeps scripts out, and the browser says so"


# --- as a command -------------------------------------------------------------------------------------------------


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A profile with a key store of two credentials, of which one ends in five days."""
    now = datetime.now(UTC)
    store = open_store(tmp_path / "keys", lambda: now)
    for holder, days in (("1111111-1", 5), ("2222222-2", 100)):
        slot = SlotId("vero", "production", holder)
        enrolled(store, slot, not_before=now, not_after=now + timedelta(days=days, minutes=5))
    (tmp_path / "passphrase.txt").write_text("the 1 passphrase of the store")
    path = tmp_path / "govfile.toml"
    path.write_text(
        '[profiles.default]\nenvironment = "test"\nkeys = "keys"\nkeys_passphrase = {file = "passphrase.txt"}\n'
    )
    return path


def test_the_calendar_tells_when_and_what_to_do(config: Path) -> None:
    found = run("keys", "watch", "--config", config, "--json")
    assert found.code == 5
    near, later = found.kind("expiry")
    assert (near["holder"], near["days"], near["mark"]) == ("1111111-1", 5, "a week or less")
    assert (later["days"], later["mark"]) == (100, "quiet")
    opens = datetime.fromisoformat(later["renewal_opens"])
    assert opens == datetime.fromisoformat(later["expires"]) - timedelta(days=60)
    assert found.kind("summary")[0]["near"] == 1
    text = run("keys", "watch", "--config", config).out
    assert "1111111-1: open now" in text


@pytest.mark.parametrize(("days", "code"), [(0, 0), (4, 0), (6, 5)])
def test_the_exit_code_tells_what_ends_within_so_many_days(config: Path, days: int, code: int) -> None:
    assert run("keys", "watch", "--within", days, "--config", config).code == code


def test_the_page_of_the_night_before_is_replaced_and_no_other_file(config: Path) -> None:
    html = config.parent / "calendar.html"
    for _ in range(2):
        assert run("keys", "watch", "--html", html, "--within", 0, "--config", config).code == 0
    assert "1111111-1" in Reader(html.read_text("utf-8")).text
    html.write_text("somebody's own page")
    found = run("keys", "watch", "--html", html, "--config", config)
    assert found.code == 2
    assert html.read_text() == "somebody's own page"
    assert run("keys", "watch", "--html", config.parent / "no" / "folder.html", "--config", config).code == 2
    assert {path.name for path in config.parent.iterdir()} == {
        "keys",
        "passphrase.txt",
        "govfile.toml",
        "calendar.html",
    }


def test_a_folder_of_nobody_is_told(config: Path) -> None:
    (config.parent / "keys" / "vero.somebody").mkdir()
    (config.parent / "keys" / "vero.somebody" / "pointer.json").write_text("{")
    found = run("keys", "watch", "--within", 0, "--config", config)
    assert found.code == 5
    assert "vero.somebody" in found.err
