"""One name, one content, once: what a claim answers."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from govfile.errors import ConfigurationError, DuplicateContent, DuplicateName, InvalidName, LedgerError
from govfile.filing.states import State
from support.filing import SCOPE, claim, sha256

if TYPE_CHECKING:
    from collections.abc import Callable

    from govfile import Ledger


def test_a_claim_makes_a_prepared_submission_that_can_be_read_back(ledger: Ledger) -> None:
    submission, is_new = ledger.claim(claim(source_path="/srv/out/a1.zip", key="run 7"))
    assert is_new
    assert submission.state is State.PREPARED
    assert (submission.source_path, submission.key, submission.revision) == ("/srv/out/a1.zip", "run 7", 1)
    assert ledger.get(submission.id) == submission
    assert ledger.find(**SCOPE, name=submission.name) == submission


def test_the_same_name_and_content_is_the_same_submission(ledger: Ledger) -> None:
    first, _ = ledger.claim(claim())
    again, is_new = ledger.claim(claim())
    assert (again, is_new) == (first, False)


@pytest.mark.parametrize("changes", [{"key": "x"}, {"again": "sent in error"}, {"certificate": "cd" * 32}])
def test_neither_key_nor_again_files_one_name_twice(ledger: Ledger, changes: dict[str, Any]) -> None:
    first, _ = ledger.claim(claim())
    again, is_new = ledger.claim(claim(**changes))
    assert (again.id, is_new) == (first.id, False)


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (claim(content="other"), "for other content"),
        (claim(content="other", again="meant"), "for other content"),
        (claim(name="10101010_2025_A1.ZIP"), "differs only in case"),
        (claim(content="content of 10101010_2025_a1.zip", service="Indlaan"), "to the service Udlaan"),
        (claim(is_dry_run=True), "as a real filing"),
    ],
)
def test_a_name_that_is_taken_is_refused_with_the_earlier_submission(ledger: Ledger, second: Any, words: str) -> None:
    first, _ = ledger.claim(claim())
    with pytest.raises(DuplicateName, match=words) as refused:
        ledger.claim(second)
    assert refused.value.submission == first
    assert len(list(ledger.search())) == 1


def test_the_same_content_under_another_name_is_refused(ledger: Ledger) -> None:
    first, _ = ledger.claim(claim("a.zip", "the report"))
    with pytest.raises(DuplicateContent, match=r"filed on .* to Udlaan as a\.zip \(prepared\)") as refused:
        ledger.claim(claim("b.zip", "the report"))
    assert refused.value.submission == first
    assert ledger.find(**SCOPE, name="b.zip") is None


@pytest.mark.parametrize(
    "changes",
    [
        {"again": "the first was withdrawn"},
        {"key": "second half of the month"},
        {"is_dry_run": True},
        {"service": "Indlaan"},
        {"sender": "30808460"},
        {"environment": "production"},
        {"authority": "onss"},
    ],
)
def test_the_same_content_may_be_meant(ledger: Ledger, changes: dict[str, Any]) -> None:
    first, _ = ledger.claim(claim("a.zip", "the report"))
    second, is_new = ledger.claim(claim("b.zip", "the report", **changes))
    assert is_new
    assert second.id != first.id


def test_the_same_key_twice_is_the_same_filing(ledger: Ledger) -> None:
    ledger.claim(claim("a.zip", "the report", key="march"))
    with pytest.raises(DuplicateContent):
        ledger.claim(claim("b.zip", "the report", key="march"))


def test_a_reason_to_file_again_counts_each_time(ledger: Ledger) -> None:
    for number in range(3):
        _, is_new = ledger.claim(claim(f"{number}.zip", "the report", again="asked to by the authority"))
        assert is_new


@pytest.mark.parametrize("key", [None, "march"])
@pytest.mark.parametrize("many", [False, True])
def test_a_reason_given_for_a_first_filing_leaves_it_the_first(ledger: Ledger, key: str | None, many: bool) -> None:
    meant = [claim(f"{number}.zip", "the report", key=key, again="the ledger was lost") for number in range(3)]
    outcomes = ledger.claim_many(meant) if many else [ledger.claim(one) for one in meant]
    assert [isinstance(outcome, tuple) and outcome[1] for outcome in outcomes] == [True] * 3
    with pytest.raises(DuplicateContent) as refused:
        ledger.claim(claim("3.zip", "the report", key=key))
    assert refused.value.submission is not None
    assert refused.value.submission.name == "0.zip"
    assert ledger.claim(meant[2])[1] is False
    assert ledger.verify() == []


def test_dry_runs_stand_in_nobodys_way(ledger: Ledger) -> None:
    ledger.claim(claim("val_a.zip", "the report", is_dry_run=True))
    ledger.claim(claim("val_b.zip", "the report", is_dry_run=True))
    _, is_new = ledger.claim(claim("a.zip", "the report"))
    assert is_new


def test_many_claims_answer_in_the_order_asked_with_refusals_as_values(ledger: Ledger) -> None:
    ledger.claim(claim("b.zip", "taken"))
    earlier, _ = ledger.claim(claim("e.zip", "e"))
    wanted = [
        claim("z.zip", "z"),
        claim("b.zip", "other"),
        claim("a.zip", "a"),
        claim("c.zip", "taken"),
        claim("e.zip", "e"),
        claim("y.zip", "z"),
        claim("a.zip", "a"),
    ]
    outcomes = ledger.claim_many(wanted)
    kinds = [type(outcome).__name__ if isinstance(outcome, Exception) else outcome[1] for outcome in outcomes]
    assert kinds == [True, "DuplicateName", True, "DuplicateContent", False, "DuplicateContent", False]
    assert outcomes[4] == (earlier, False)
    assert outcomes[2][0].id == outcomes[6][0].id  # type: ignore[index]
    assert ledger.claim_many([]) == []


def test_what_many_claims_make_is_what_single_ones_make(ledger: Ledger) -> None:
    outcomes = ledger.claim_many([claim(f"{number}.zip") for number in range(250)])
    for outcome in outcomes:
        assert isinstance(outcome, tuple)
        assert ledger.get(outcome[0].id) == outcome[0]
    assert ledger.verify() == []


def test_i2_one_name_never_gets_two_contents_whoever_asks(open_ledger: Callable[..., Ledger]) -> None:
    ledger = open_ledger()
    won: list[str] = []

    def ask(content: str) -> None:
        for number in range(40):
            try:
                _, is_new = ledger.claim(claim(f"{number}.zip", f"{number} {content}"))
            except DuplicateName:
                continue
            if is_new:
                won.append(f"{number}.zip")

    threads = [threading.Thread(target=ask, args=(content,)) for content in "abcdef"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == sorted(f"{number}.zip" for number in range(40))


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"name": ""}, ConfigurationError),
        ({"sender": ""}, ConfigurationError),
        ({"filed_by": ""}, ConfigurationError),
        ({"size": -1}, ConfigurationError),
        ({"size": None}, ConfigurationError),
        ({"size": True}, ConfigurationError),
        ({"size": 2**63}, ConfigurationError),
        ({"sha256": "AB" * 32}, ConfigurationError),
        ({"sha256": "ab"}, ConfigurationError),
        ({"service": b"Udlaan"}, ConfigurationError),
        ({"again": 7}, ConfigurationError),
        ({"again": ""}, ConfigurationError),
        ({"again": " \t"}, ConfigurationError),
        ({"again": "nul\0"}, InvalidName),
        ({"key": "\udce6"}, InvalidName),
    ],
)
def test_a_claim_that_no_database_could_hold_is_refused(changes: dict[str, Any], kind: type[Exception]) -> None:
    with pytest.raises(kind):
        claim(**changes)


def test_g08_a_source_path_that_is_no_utf8_is_spelt_out(ledger: Ledger) -> None:
    submission, _ = ledger.claim(claim(source_path="/srv/l\udcf8n.zip"))
    assert ledger.get(submission.id).source_path == "/srv/l\\udcf8n.zip"


def test_the_largest_size_is_kept(ledger: Ledger) -> None:
    submission, _ = ledger.claim(claim(size=2**63 - 1))
    assert ledger.get(submission.id).size == 2**63 - 1


@pytest.mark.parametrize("odd", ["nobody\0", "nobody\udcff"])
def test_g08_what_no_database_holds_is_asked_for_in_vain(ledger: Ledger, odd: str) -> None:
    ledger.claim(claim())
    scope = {**SCOPE, "sender": odd}
    assert ledger.find(**scope, name="a.zip") is None
    assert not ledger.knows_sender(**scope)
    assert list(ledger.search(sender=odd, service=odd)) == []
    assert list(ledger.received(login=odd)) == []
    with pytest.raises(LedgerError, match="holds no submission"):
        ledger.get(odd)
    assert ledger.burn(**SCOPE, service=odd, names=["b.zip"], found="out") == 1
    assert [known.name for known in ledger.search(service=odd)] == ["b.zip"]


def test_content_of_no_bytes_is_content(ledger: Ledger) -> None:
    ledger.claim(claim("a.zip", b"", sha256=sha256(b"")))
    with pytest.raises(DuplicateContent):
        ledger.claim(claim("b.zip", b"", sha256=sha256(b"")))
