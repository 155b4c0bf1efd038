"""`govfile vero enrol`: a first certificate, by the one-time codes that the authority sent."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from govfile.cli.commands import command
from govfile.cli.exits import Exit
from govfile.cli.session import Session
from govfile.cli.vero import app, told
from govfile.cli.vero.codes import Given
from govfile.cli.vero.service import customer, customer_name, open_service, refusals

if TYPE_CHECKING:
    from govfile.certificates.signer import PrivateKey

CustomerArgument = Annotated[
    str | None, typer.Argument(metavar="CUSTOMER", help="Business ID; the profile's customer without.")
]
NameOption = Annotated[
    str | None, typer.Option("--name", metavar="NAME", help="The customer's name [`customer_name` of the profile].")
]
TimeoutOption = Annotated[
    float | None,
    typer.Option("--timeout", min=0, metavar="SECONDS", help="Stop looking for the certificate then, with 10."),
]
KeyOption = Annotated[
    Path | None, typer.Option("--key", metavar="PATH", help="Use this key (PEM), as the test bench demands.")
]


@command(app, "enrol")
def enrol(
    session: Session,
    which: CustomerArgument = None,
    name: NameOption = None,
    codes: Annotated[
        Path | None, typer.Option(metavar="PATH", help="File with transfer id and password; - is standard input.")
    ] = None,
    transfer_id: Annotated[
        str | None, typer.Option(metavar="ID", help="The transfer id itself, seen by everybody on this machine.")
    ] = None,
    transfer_id_env: Annotated[
        str | None, typer.Option(metavar="NAME", help="Environment variable with the transfer id.")
    ] = None,
    transfer_id_file: Annotated[Path | None, typer.Option(metavar="PATH", help="File with the transfer id.")] = None,
    password_env: Annotated[
        str | None, typer.Option(metavar="NAME", help="Environment variable with the transfer password.")
    ] = None,
    password_file: Annotated[Path | None, typer.Option(metavar="PATH", help="File with the transfer password.")] = None,
    key: KeyOption = None,
    timeout: TimeoutOption = None,
) -> Exit:
    """Enrol a customer by the one-time codes that the authority sent; the codes leave this machine once.

    Key and request are on the disk before. A person is asked for the codes that are not given. Run again after an
    interruption, it goes on with the request that was taken.
    """
    given = Given(
        codes=codes,
        transfer_id=transfer_id,
        transfer_id_env=transfer_id_env,
        transfer_id_file=transfer_id_file,
        password_env=password_env,
        password_file=password_file,
    )
    holder = customer(session, which)
    own_key = None if key is None else read_key(key)
    with refusals(session), open_service(session, create=True) as service:
        identifier, password = given.secrets(session.out)
        service.enrol(
            holder,
            transfer_id=identifier,
            transfer_password=password,
            customer_name=customer_name(session, name),
            key=own_key,
            timeout=timeout,
        )
        current = service.keystore.current(service.slot(holder))
    assert current is not None
    told.credential(session.out, current, "enrolled")
    return Exit.DONE


def read_key(path: Path) -> "PrivateKey":
    """The key of a PEM file that is not encrypted; raises `CredentialError`."""
    from govfile.certificates._files import read_source
    from govfile.certificates._pem import open_pem

    return open_pem(read_source(path, "key file"), None).key
