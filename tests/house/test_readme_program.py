"""The program in the README files a report, given a gateway to file with."""

from __future__ import annotations

import re
import types
from typing import TYPE_CHECKING

from govfile import Ledger, State, skat
from support.repository import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_the_program_in_the_readme_files_a_report_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from govfile.sandbox import SkatSandbox

    (source,) = re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(tmp_path)
    with SkatSandbox() as authority:
        (tmp_path / "company.p12").write_bytes(authority.pkcs12())
        (tmp_path / "report.zip").write_bytes(authority.example("Udlaan"))
        monkeypatch.setenv("P12_PASSPHRASE", authority.passphrase.reveal())
        monkeypatch.setenv("SKAT_PASSWORD", authority.password.reveal())
        monkeypatch.setattr(skat, "PRODUCTION", authority.environment)
        program = types.ModuleType("readme")
        exec(compile(source, "README.md", "exec"), vars(program))
        for _ in range(2):
            program.report_loans("report.zip", "19552101_2025_a1.zip")
        assert [arrival.name for arrival in authority.filed] == ["19552101_2025_a1.zip"]
    with Ledger.open("filings.db") as ledger:
        (submission,) = ledger.search()
    assert submission.state is State.ANSWERED
    assert submission.answers
