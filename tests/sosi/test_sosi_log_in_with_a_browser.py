"""The log-in form in a real browser: it posts itself, and the service provider lets its user in."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from govfile.sosi.browser import log_in_form
from support.programs import require
from support.sosi_client import PROVIDER

if TYPE_CHECKING:
    from pathlib import Path

    from govfile.sandbox.sosi import SosiSandbox
    from govfile.sosi.signed_card import SignedCard
    from govfile.sosi.sts import SecurityTokenService

#: Seconds; a browser takes its time on a busy machine.
PATIENCE = 120.0


@pytest.mark.slow
def test_the_form_posts_itself_in_chromium(
    sts: SecurityTokenService, authority: SosiSandbox, card: SignedCard, tmp_path: Path
) -> None:
    assertion = sts.to_oiosaml(card, audience=PROVIDER)
    page = tmp_path / "log-in.html"
    consumer = authority.service_url("consumer")
    page.write_text(
        log_in_form(
            assertion, action=consumer, issuer="ExampleLab", relay_state='næste & "side"', at=authority.clock()
        ),
        encoding="utf-8",
    )
    before = len(authority.logins)
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
    options += ["--ignore-certificate-errors", f"--user-data-dir={tmp_path / 'profile'}"]
    with subprocess.Popen(
        [require("chromium"), *options, "--remote-debugging-port=0", page.as_uri()],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as browser:
        try:
            until = time.monotonic() + PATIENCE
            while len(authority.logins) == before and browser.poll() is None and time.monotonic() < until:
                time.sleep(0.05)
        finally:
            browser.kill()
    assert len(authority.logins) == before + 1, authority.findings
    assert authority.logins[-1].relay_state == 'næste & "side"'
    assert authority.logins[-1].was_encrypted
