"""A citizen's log-in becomes tokens for two services, in her own place and her child's, and signed calls with them."""

from govfile import GovfileError, sosi
from govfile.sandbox import SosiSandbox
from govfile.transports.https import HttpsTransport

CITIZEN, CHILD = "0101001234", "0202101234"  # invented
MEDICINE = "https://fmk"


def call(authority: SosiSandbox, sts: sosi.SecurityTokenService, token: sosi.IdentityToken) -> bytes:
    """One signed call to the service, and the body of its answer."""
    request = sosi.idws_request(
        token,
        sts.credential,  # the token names its key
        body=b"<Medicine xmlns='urn:example'/>",
        header=sosi.IdwsHeader(action="urn:example:Medicine"),
    )
    transport = HttpsTransport(authority.base_url, trust=authority.tls)
    try:
        answer = transport.post(
            authority.settings.paths.idws, request, headers=sosi.Soap.V1_1.http_headers("urn:example:Medicine")
        )
    finally:
        transport.close()
    return sosi.DgwsReply.read(answer.body, content_type=answer.content_type, status=answer.status).accepted()


def main() -> None:
    with (
        SosiSandbox() as authority,
        sosi.SecurityTokenService(authority.environment, authority.credential) as sts,
    ):
        bootstrap = authority.citizen_bootstrap_token(
            CITIZEN
        )  # really: from the citizen's log-in; it lives for minutes

        print("1. In her own place.")
        own = sts.citizen_token(bootstrap, cpr=CITIZEN, audience=MEDICINE)
        print("  ", own)
        print("  ", call(authority, sts, own).decode())

        print("2. In her child's place.")
        custody = sosi.OnBehalfOf.custody(sosi.Custody.PARENTAL, CHILD)
        childs = sts.citizen_token(bootstrap, cpr=CITIZEN, audience=MEDICINE, on_behalf_of=custody)
        assert custody.attribute in childs.attributes
        call(authority, sts, childs)

        print("3. For another service, the first one does not take it.")
        elsewhere = sts.citizen_token(bootstrap, cpr=CITIZEN, audience="https://minlog2")
        try:
            call(authority, sts, elsewhere)
        except GovfileError as refused:
            print("  ", refused)
        else:
            raise AssertionError("a token for another service was taken")

        print("4. For another person, nothing is even sent.")
        asked = len(authority.answered)
        try:
            sts.citizen_token(bootstrap, cpr=CHILD, audience=MEDICINE)
        except GovfileError as refused:
            print("  ", refused)
        assert len(authority.answered) == asked


if __name__ == "__main__":
    main()
