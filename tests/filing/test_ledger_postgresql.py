"""What is different on a server: the login, making tables together, migrating."""

from __future__ import annotations

import io
import logging
import threading
import traceback
from typing import Any

import pytest

from govfile import Ledger, Secret
from govfile.errors import ConfigurationError, LedgerDamaged, LedgerError, LedgerTooNew
from support.filing import claim
from support.postgres import PASSWORD, Server

pytestmark = pytest.mark.servers


@pytest.fixture
def schema(server: Server, request: pytest.FixtureRequest) -> str:
    name = f"own_{abs(hash(request.node.nodeid))}"
    server.create(name)
    return name


def test_a_password_is_given_as_a_secret(server: Server, schema: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with Ledger.postgresql(
        host="127.0.0.1",
        port=server.port,
        database="postgres",
        user="postgres",
        password=Secret(PASSWORD),
        options=f"-csearch_path={schema}",
    ) as ledger:
        assert ledger.claim(claim())[1]
        assert ledger.is_new
        assert PASSWORD not in repr(ledger)
    assert PASSWORD not in caplog.text


def test_l09_a_wrong_password_is_told_without_repeating_it(server: Server) -> None:
    with pytest.raises(LedgerError, match="password authentication failed") as refused:
        Ledger.postgresql(
            host="127.0.0.1", port=server.port, database="postgres", user="postgres", password=Secret("a wrong hush")
        )
    told = io.StringIO()
    traceback.print_exception(refused.value, file=told)
    assert "a wrong hush" not in told.getvalue()


def test_a_password_is_no_setting(server: Server) -> None:
    with pytest.raises(ConfigurationError, match="Secret"):
        Ledger.postgresql(host="127.0.0.1", database="x", user="y", password=None, sslpassword="hush")


def test_a_password_that_is_not_secret_is_refused_unseen() -> None:
    with pytest.raises(ConfigurationError, match="the password is given as str") as refused:
        Ledger.postgresql(host="127.0.0.1", database="x", user="y", password="hush")  # type: ignore[arg-type]
    assert "hush" not in str(refused.value)


def test_a_database_that_is_not_there_is_named(server: Server) -> None:
    with pytest.raises(LedgerError, match='database "nowhere" does not exist'):
        Ledger.open(server.url("x").replace("/postgres?", "/nowhere?"))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"sslmode": "require"}, "does not support SSL"),
        ({"sslmode": "wrong"}, "invalid sslmode"),
        ({"sslmod": "require"}, "invalid connection option"),
        ({"port": 1}, "Connection refused"),
    ],
    ids=["no-tls", "no-mode", "no-setting", "no-server"],
)
def test_a_connection_that_does_not_come_about_says_why(server: Server, settings: dict[str, Any], words: str) -> None:
    given: dict[str, Any] = {"host": "127.0.0.1", "port": server.port, "database": "postgres", "user": "postgres"}
    with pytest.raises(LedgerError, match=words) as refused:
        Ledger.postgresql(**{**given, "password": Secret(PASSWORD), **settings})
    assert "user, password and settings" in refused.value.advice


def test_g02_words_of_the_server_reach_no_terminal_as_they_are(server: Server) -> None:
    with pytest.raises(LedgerError, match=r'database " \[2J" does not exist') as refused:
        Ledger.postgresql(host=str(server.folder), port=server.port, database="\x1b[2J", user="postgres", password=None)
    assert "\x1b" not in refused.value.what.partition("connection failed")[2]


def test_a_schema_that_is_not_there_is_told_from_a_server_that_refuses(server: Server) -> None:
    with pytest.raises(LedgerError, match="no schema to make the ledger's tables in") as refused:
        Ledger.open(server.url("not_there"))
    assert "search_path" in refused.value.advice


def test_a_user_without_rights_is_told_all_that_it_needs(server: Server, schema: str) -> None:
    Ledger.open(server.url(schema)).close()
    server.run(f"CREATE ROLE {schema} LOGIN; GRANT USAGE ON SCHEMA {schema} TO {schema}")
    place = server.url(schema).replace("//postgres@", f"//{schema}@")
    server.run(f"GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA {schema} TO {schema}")
    with Ledger.open(place) as ledger:
        assert ledger.claim(claim())[1]
        with pytest.raises(LedgerError, match="may not do this") as refused:
            ledger.drop_kept(["0" * 32])
    assert "DELETE" in refused.value.advice
    server.run(f"GRANT DELETE ON ALL TABLES IN SCHEMA {schema} TO {schema}")
    with Ledger.open(place) as ledger:
        ledger.drop_kept(["0" * 32])


def test_g08_what_the_surroundings_say_of_encodings_changes_nothing(
    server: Server, schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", "SQL_ASCII")
    with Ledger.open(server.url(schema)) as ledger:
        first, _ = ledger.claim(claim("pr\u00f8ve \u20ac.zip"))
        assert ledger.get(first.id) == first


def test_many_creators_agree_on_one_set_of_tables(server: Server, schema: str) -> None:
    found: list[bool] = []
    gate = threading.Barrier(6)

    def create() -> None:
        gate.wait()
        with Ledger.open(server.url(schema)) as ledger:
            found.append(ledger.is_new)

    threads = [threading.Thread(target=create) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [False] * 5 + [True]


def test_tables_are_not_made_unless_asked_to(server: Server, schema: str) -> None:
    with pytest.raises(LedgerError, match="holds no ledger"):
        Ledger.open(server.url(schema), create=False)


def test_l05_tables_of_schema_1_are_migrated(server: Server, schema: str) -> None:
    with Ledger.open(server.url(schema)) as ledger:
        first, _ = ledger.claim(claim())
    server.run(
        f"DROP TABLE {schema}.govfile_received; DROP INDEX {schema}.govfile_by_state;"
        + "".join(f"DROP TABLE {schema}.govfile_{name};" for name in ("part", "kept", "counter", "used_number"))
        + f"ALTER TABLE {schema}.govfile_submission DROP COLUMN set_names, DROP COLUMN archived;"
        f"UPDATE {schema}.govfile_about SET value = '1'"
    )
    with Ledger.open(server.url(schema)) as ledger:
        assert list(ledger.search()) == [first]
        assert list(ledger.received()) == []


def test_l05_tables_of_the_future_are_refused(server: Server, schema: str) -> None:
    Ledger.open(server.url(schema)).close()
    server.run(f"UPDATE {schema}.govfile_about SET value = '99'")
    with pytest.raises(LedgerTooNew, match="schema 99"):
        Ledger.open(server.url(schema))


def test_l02_a_changed_row_is_noticed(server: Server, schema: str) -> None:
    with Ledger.open(server.url(schema)) as ledger:
        first, _ = ledger.claim(claim())
        server.run(f"UPDATE {schema}.govfile_submission SET sha256 = repeat('0', 64)")
        with pytest.raises(LedgerDamaged, match="checksum"):
            ledger.get(first.id)
        assert [finding.submission_id for finding in ledger.verify()] == [first.id]


def test_a_table_that_is_gone_is_damage(server: Server, schema: str) -> None:
    with Ledger.open(server.url(schema)) as ledger:
        server.run(f"DROP TABLE {schema}.govfile_submission")
        with pytest.raises(LedgerDamaged, match="tables are not there"):
            ledger.claim(claim())


@pytest.mark.parametrize("guard", ["govfile_one_name", "govfile_one_content"])
def test_l02_tables_without_their_guards_are_refused(server: Server, schema: str, guard: str) -> None:
    Ledger.open(server.url(schema)).close()
    server.run(f"ALTER TABLE {schema}.govfile_submission DROP CONSTRAINT {guard}")
    with pytest.raises(LedgerDamaged, match=guard):
        Ledger.open(server.url(schema))


def test_a_server_without_fsync_is_pointed_out(server: Server, schema: str, caplog: pytest.LogCaptureFixture) -> None:
    Ledger.open(server.url(schema)).close()
    assert "fsync=off" not in caplog.text
    server.run("ALTER SYSTEM SET fsync = off")
    server.run("SELECT pg_reload_conf()")
    try:
        _wait_for(server, "off")
        Ledger.open(server.url(schema)).close()
        assert "fsync=off" in caplog.text
    finally:
        server.run("ALTER SYSTEM RESET fsync")
        server.run("SELECT pg_reload_conf()")
        _wait_for(server, "on")


def _wait_for(server: Server, value: str) -> None:
    import time

    import psycopg

    for _ in range(100):
        with psycopg.connect(**server.admin) as connection:  # type: ignore[arg-type]
            if connection.execute("SHOW fsync").fetchone() == (value,):
                return
        time.sleep(0.05)
    raise AssertionError(f"the server does not turn fsync {value}")
