"""An ID card is signed, kept, put on calls with zeep, and replaced by itself a day later."""

from pathlib import Path
from tempfile import TemporaryDirectory

import requests
import zeep
from zeep.transports import Transport

from govfile import Rejected, sosi
from govfile.sandbox import SosiSandbox


def main(folder: Path) -> None:
    with (
        SosiSandbox() as authority,
        sosi.SecurityTokenService(  # really: sosi.TEST1 with your `trust`, and Credential.from_pkcs12(…)
            authority.environment,
            authority.credential,
            clock=authority.clock,  # really: this computer's
        ) as sts,
        requests.Session() as session,
    ):
        (folder / "servers.pem").write_bytes(authority.tls_pem())
        (folder / "echo.wsdl").write_bytes(authority.wsdl("dgws"))  # really: the service's own description
        session.verify, session.trust_env = str(folder / "servers.pem"), False

        print("1. A card.")
        wanted = sosi.IdCard.user(it_system="Example Lab", role="7170")  # the service looks the CPR number up
        source = sosi.CardSource(sts, wanted)
        print(" ", source())

        print("2. Ten calls with it.")
        transport = Transport(session=session)  # type: ignore[no-untyped-call]  # zeep says nothing of its types
        plugin = sosi.DgwsPlugin(sts, source)
        client = zeep.Client(str(folder / "echo.wsdl"), transport=transport, plugins=[plugin])  # type: ignore[no-untyped-call]
        for number in range(10):
            assert client.service.Echo(Text=str(number)) == str(number)
        assert {called.card_id for called in authority.called} == {source().id}
        assert len(authority.answered) == 1, "one card for all of them"

        print("3. Somebody without the authorisation asks for a card.")
        try:
            sts.issue(sosi.IdCard.user(it_system="Example Lab", role="5433"))
        except Rejected as refused:
            print(" ", refused.code, "-", refused.advice)

        print("4. A day later.")
        first = source()
        authority.clock.advance(24 * 3600)
        assert client.service.Echo(Text="hej") == "hej"
        print("  a new card by itself:", source().id != first.id)
        assert len(authority.answered) == 3, "two cards, and the one that was refused"


if __name__ == "__main__":
    with TemporaryDirectory() as place:
        main(Path(place))
