"""Run as a program: declare one document, then end. `declare_once.py WISH.json`, where WISH holds what `main` reads."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import attrs

from govfile import Credential, Ledger, Secret, onss
from govfile.certificates.ssh import SshKey
from govfile.transports.sftp import HostKeys


def main(wish: dict[str, str]) -> None:
    """Declare `document`, by the ledger at `ledger`."""
    environment = attrs.evolve(
        onss.PRODUCTION,
        name=wish["environment"],
        host=wish["host"],
        port=int(wish["port"]),
        host_keys=HostKeys.pinned(wish["host_key"]),
    )
    credential = Credential.from_pkcs12(wish["pkcs12"], Secret.from_file(wish["passphrase"]))
    with (
        Ledger.open(wish["ledger"]) as ledger,
        onss.Channel(
            environment,
            credential,
            sender=wish["sender"],
            user=wish["user"],
            ssh_key=SshKey.from_file(wish["ssh_key"]),
            ledger=ledger,
        ) as channel,
    ):
        print(channel.submit(wish["document"], purpose="DMFA").name)


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text("utf-8")))
