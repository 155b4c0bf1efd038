"""A user with an ID card opens a web site in healthcare without another log-in; the browser is played by hand."""

import ssl
import urllib.error
import urllib.parse
import urllib.request
from html.parser import HTMLParser

from govfile import sosi
from govfile.sandbox import SosiSandbox

PROVIDER = "https://sp.example.dk"  # the web site, as it is registered with the token service


class Form(HTMLParser):
    """What a browser makes of the page: where the form goes, and with which fields."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "form":
            self.action = found["action"] or ""
        elif tag == "input":
            self.fields[found["name"] or ""] = found["value"] or ""


def post(form: Form, anchors: str) -> str:
    """Submit the form, as the page's script does in a browser."""
    trust = ssl.create_default_context(cadata=anchors)
    data = urllib.parse.urlencode(form.fields).encode()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust))
    with opener.open(form.action, data, timeout=10) as answer:
        body: bytes = answer.read()
    return body.decode()


def main() -> None:
    with (
        SosiSandbox() as authority,
        sosi.SecurityTokenService(authority.environment, authority.credential) as sts,
    ):
        card = sts.issue(sosi.IdCard.user(it_system="Example Lab", role="7170"))

        print("1. The user clicks: your system has the card exchanged for an assertion.")
        assertion = sts.to_oiosaml(card, audience=PROVIDER)
        print("  ", assertion)
        assert assertion.is_encrypted, "only the provider can read it"

        print("2. Your system serves the browser this page, once, with Cache-Control: no-store.")
        page = sosi.log_in_form(
            assertion,
            action=authority.service_url("consumer"),  # really: the provider's recipient URL
            issuer="ExampleLab",
            relay_state="/patients",
        )
        form = Form(page)
        print("  ", len(page), "characters; fields:", *form.fields)

        print("3. The browser posts it, and the provider lets the user in.")
        post(form, authority.tls_pem().decode())
        (login,) = authority.logins
        print("  ", "company", login.cvr, "opens", login.relay_state)

        print("4. Posted twice, it does not work.")
        try:
            post(form, authority.tls_pem().decode())
        except urllib.error.HTTPError as refused:
            with refused:
                print("  ", "HTTP", refused.code)
        assert len(authority.logins) == 1


if __name__ == "__main__":
    main()
