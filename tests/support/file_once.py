"""Run as a program: file one document, then end. `file_once.py WISH.json`, where WISH holds what `Wish` names."""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path

from govfile import Credential, Ledger, Secret
from govfile.certificates.trust import Trust
from govfile.skat import Environment, Gateway
from govfile.skat.environments import Patience
from govfile.transports.ftps_policy import FtpsPolicy


def main(wish: dict[str, str]) -> None:
    """File `document` as `name`, by the ledger at `ledger`."""
    environment = Environment(
        name=wish["environment"],
        host=wish["host"],
        port=int(wish["port"]),
        is_test=None,
        policy=FtpsPolicy(trust=Trust.only(wish["trust"].encode())),
        patience=Patience(first=timedelta(milliseconds=20), usual=timedelta(milliseconds=50)),
    )
    credential = Credential.from_pkcs12(wish["pkcs12"], Secret.from_file(wish["passphrase"]))
    with (
        Ledger.open(wish["ledger"]) as ledger,
        Gateway(environment, credential, password=Secret.from_file(wish["password"]), ledger=ledger) as gateway,
    ):
        gateway.submit(wish["document"], service=wish["service"], name=wish["name"])


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text("utf-8")))
