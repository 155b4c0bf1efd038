"""The account: numbers, names, half-hours; and the three environments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from govfile import AuthenticationRefused, ConfigurationError
from govfile.errors import ChannelNotYetSynchronised, Phase, Retry
from govfile.onss import CIRCUIT_TEST, DECLARATION_TEST, PRODUCTION, Environment, Layout, Signing
from govfile.onss.accounts import (
    check_sender,
    explained,
    next_synchronisation,
    sender_of_client_id,
    user_name_warnings,
)
from govfile.onss.name_rules import folder_fault


class TestNumbersAndNames:
    @pytest.mark.parametrize("number", ["101420", "006400", "000001"])
    def test_six_digits(self, number: str) -> None:
        assert check_sender(number) == number

    @pytest.mark.parametrize("number", ["6400", "1014200", "10142A", " 101420", "", 101420, None, "\u0661" * 6])
    def test_anything_else_is_refused(self, number: object) -> None:
        with pytest.raises(ConfigurationError, match="six digits") as caught:
            check_sender(number)  # type: ignore[arg-type]
        assert "leading zeros" in caught.value.advice

    @pytest.mark.parametrize(
        ("client_id", "sender"),
        [
            ("self_service_chaman_101420_abcdefghij", "101420"),
            ("self_service_chaman_006400_A1B2C3D4E5", "006400"),
            ("self_service_expeditor_305123", "305123"),
            ("self_service_chaman_1014_abcdefghij", None),
            ("something else", None),
        ],
    )
    def test_the_sender_in_the_id_of_a_rest_client(self, client_id: str, sender: str | None) -> None:
        assert sender_of_client_id(client_id) == sender

    @pytest.mark.parametrize("name", ["expdemo1", "EXPDEMOENTREPRISE", "a2345678", "A" * 20])
    def test_proper_user_names(self, name: str) -> None:
        assert user_name_warnings(name) == ()

    @pytest.mark.parametrize(
        ("name", "says"),
        [
            ("short12", "7 characters"),
            ("a" * 21, "21 characters"),
            ("with space", "' '"),
            ("old_name1", "'_'"),
            ("café1234", "'\\xe9'"),
        ],
    )
    def test_others_are_warned_of_only(self, name: str, says: str) -> None:
        (warning,) = user_name_warnings(name)
        assert says in warning


class TestSynchronisation:
    @pytest.mark.parametrize(
        ("at", "expected"),
        [((10, 0, 0), (10, 30)), ((10, 29, 59), (10, 30)), ((10, 30, 0), (11, 0)), ((10, 31, 0), (11, 0))],
    )
    def test_every_half_hour(self, at: tuple[int, int, int], expected: tuple[int, int]) -> None:
        found = next_synchronisation(datetime(2026, 3, 2, *at, tzinfo=UTC))
        assert found == datetime(2026, 3, 2, *expected, tzinfo=UTC)

    def test_it_is_the_same_in_any_zone(self) -> None:
        from zoneinfo import ZoneInfo

        brussels = datetime(2026, 7, 1, 23, 45, tzinfo=ZoneInfo("Europe/Brussels"))
        assert next_synchronisation(brussels) == datetime(2026, 7, 1, 22, 0, tzinfo=UTC)

    def refusal(self) -> AuthenticationRefused:
        return AuthenticationRefused("the key was refused", certain="no login took place", endpoint="[host]:8022")

    def test_s03_a_new_channel_has_an_error_of_its_own(self) -> None:
        created = datetime(2026, 3, 2, 10, 5, tzinfo=UTC)
        refusal = self.refusal()
        found = explained(refusal, created=created, at=created + timedelta(minutes=10))
        assert isinstance(found, ChannelNotYetSynchronised)
        assert isinstance(found, AuthenticationRefused)
        assert found.expected == datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
        assert "10:30 UTC" in str(found)
        assert found.retry is Retry.NEVER
        assert found.phase is Phase.AUTHENTICATE
        assert found.endpoint == "[host]:8022"
        assert found.__cause__ is refusal

    @pytest.mark.parametrize("minutes", [-1, 35, 60, 60 * 24 * 365])
    def test_s03_an_older_one_has_not(self, minutes: int) -> None:
        now = datetime(2026, 3, 2, 10, 5, tzinfo=UTC)
        refusal = self.refusal()
        assert explained(refusal, created=now - timedelta(minutes=minutes), at=now) is refusal
        assert explained(refusal, created=None, at=now) is refusal

    def test_it_travels_between_processes(self) -> None:
        import pickle

        expected = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
        again = pickle.loads(pickle.dumps(ChannelNotYetSynchronised("refused", expected=expected)))
        assert again.expected == expected


class TestEnvironments:
    @pytest.mark.parametrize(
        ("environment", "letter", "upload", "answers", "signing"),
        [
            (PRODUCTION, "R", "IN", "OUT", Signing.ALWAYS),
            (CIRCUIT_TEST, "T", "INTEST", "OUTTEST", Signing.WITH_KEY),
            (DECLARATION_TEST, "S", "INTEST-S", "OUTTEST-S", Signing.NEVER),
        ],
    )
    def test_letter_folders_and_signing(
        self, environment: Environment, letter: str, upload: str, answers: str, signing: Signing
    ) -> None:
        assert (environment.letter, environment.upload, environment.answers) == (letter, upload, answers)
        assert environment.signing is signing
        assert environment.is_test == (letter != "R")
        assert (environment.host, environment.port) == ("sftp.socialsecurity.be", 8022)
        assert environment.layout is Layout.SINGLE
        assert environment.host_keys is None
        assert folder_fault(letter, environment.upload) is None

    @pytest.mark.parametrize(
        ("environment", "with_key", "without"),
        [(PRODUCTION, True, None), (CIRCUIT_TEST, True, False), (DECLARATION_TEST, False, False)],
    )
    def test_who_signs_where(self, environment: Environment, with_key: bool, without: bool | None) -> None:
        assert environment.is_signed(has_credential=True) is with_key
        if without is not None:
            assert environment.is_signed(has_credential=False) is without
            return
        with pytest.raises(ConfigurationError, match="must be signed"):
            environment.is_signed(has_credential=False)

    def test_the_ledger_tells_them_apart(self) -> None:
        assert len({found.name for found in (PRODUCTION, CIRCUIT_TEST, DECLARATION_TEST)}) == 3

    def test_looks_begin_after_a_minute_and_slow_down(self) -> None:
        patience = PRODUCTION.patience
        assert patience.pause(timedelta(0)) == timedelta(minutes=1)
        assert patience.pause(timedelta(hours=2)) == timedelta(minutes=15)
