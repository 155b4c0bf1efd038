"""Audiences in the one form in which the token service compares them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govfile.errors import InvalidContent
from govfile.sosi.audience import Audience, means

NORMAL = {
    "HTTPS://SP.Example.dk/": "https://sp.example.dk",
    "https://sp.example.dk": "https://sp.example.dk",
    "https://sp.example.dk/a/": "https://sp.example.dk/a/",
    "https://SP.example.dk/Path/Of/It": "https://sp.example.dk/Path/Of/It",
    "Https://sp.example.dk:443/": "https://sp.example.dk:443",
    "https://SP.example.dk:8443": "https://sp.example.dk:8443",
    "https://SP.example.dk/?Query=A#Part": "https://sp.example.dk?Query=A#Part",
    "https://SP.example.dk?Query=A": "https://sp.example.dk?Query=A",
    "https://SP.example.dk#Part": "https://sp.example.dk#Part",
    "https://fmk": "https://fmk",
    "//SP.example.dk/": "//sp.example.dk",
    "URN:Example:Service": "urn:Example:Service",
    "https://audience.nspop.dk/dgws": "https://audience.nspop.dk/dgws",
}


@pytest.mark.parametrize(("text", "normal"), NORMAL.items())
def test_t08_an_audience_is_normalised_as_the_service_does_it(text: str, normal: str) -> None:
    assert str(Audience.parse(text)) == normal
    assert Audience.parse(normal) == Audience.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "https://",
        "https:",
        "sp.example.dk",
        "/path",
        "ht tps://a",
        "https://a b",
        "https://a\n",
        "9a://b",
        "?q",
        "https://" + "a" * 1100,
        "https://a\u200b.dk",
    ],
)
def test_t08_what_cannot_be_an_audience_is_refused(text: str) -> None:
    with pytest.raises(InvalidContent):
        Audience.parse(text)
    assert not means(text, Audience.parse("https://fmk"))


def test_an_audience_made_by_hand_must_be_in_its_normal_form() -> None:
    with pytest.raises(InvalidContent, match="normal form"):
        Audience("HTTPS://fmk/")


@given(
    scheme=st.sampled_from(["https", "HTTP", "hTTps", "urn.x"]),
    authority=st.text("aZ0.-:@æØ", min_size=1, max_size=12),
    rest=st.text("/aB?#=%2", max_size=12),
)
def test_normalising_twice_changes_nothing_and_keeps_what_comes_behind_the_host(
    scheme: str, authority: str, rest: str
) -> None:
    rest = rest if rest[:1] in {"", "/", "?", "#"} else f"/{rest}"
    found = Audience.parse(f"{scheme}://{authority}{rest}")
    assert Audience.parse(str(found)) == found
    assert str(found).startswith(f"{scheme.lower()}://{authority.lower()}")
    assert str(found).endswith(rest.removeprefix("/") if rest[:2] in {"/", "/?", "/#"} else rest)
