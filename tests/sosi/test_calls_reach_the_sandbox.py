"""Real calls to the sandbox's services, by card and by token: they judge them by code of their own."""

from __future__ import annotations

import importlib
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pytest
import requests

from govfile import sosi
from govfile.errors import Rejected
from govfile.sandbox import SosiSandbox
from govfile.sosi.card_source import CardSource
from govfile.transports.https import HttpsTransport

if TYPE_CHECKING:
    from collections.abc import Iterator

zeep: Any = importlib.import_module("zeep")
Transport: Any = importlib.import_module("zeep.transports").Transport

WSDL = str(Path(__file__).parent.parent / "support" / "ping.wsdl")
BODY = b"<Ping xmlns='urn:example'><word>h\xc3\xa6j &amp; hej</word></Ping>"
WANTED = sosi.IdCard.user(it_system="Example Lab", role="7170", cpr="0101001234", given_name="Test", surname="Person")


@attrs.define
class World:
    """The sandbox, its STS asked by a physician, and a session that believes its server."""

    sandbox: SosiSandbox
    sts: sosi.SecurityTokenService
    session: requests.Session
    source: CardSource

    def called(self) -> Any:
        """The last call to a service."""
        return self.sandbox.called[-1]

    def proxy(self, service: str, plugin: Any) -> Any:
        """A zeep proxy for one of the services."""
        client = zeep.Client(WSDL, transport=Transport(session=self.session), plugins=[plugin])
        return client.create_service("{urn:example}PingBinding", self.sandbox.service_url(service))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with (
        SosiSandbox() as sandbox,
        sosi.SecurityTokenService(sandbox.environment, sandbox.credential, clock=sandbox.clock) as sts,
        requests.Session() as session,
    ):
        anchors = tmp_path_factory.mktemp("trust") / "servers.pem"
        anchors.write_bytes(sandbox.tls_pem())
        session.trust_env, session.verify = False, str(anchors)
        yield World(sandbox, sts, session, CardSource(sts, WANTED))


@pytest.mark.parametrize("soap", sosi.Soap)
def test_an_envelope_of_ours_is_taken_by_card(world: World, soap: sosi.Soap) -> None:
    header = sosi.MedcomHeader(
        flow_id="f-1",
        timeout=sosi.TimeOut.HOURS_24,
        flow_status=sosi.FlowStatus.RUNNING,
        priority=sosi.Priority.ROUTINE,
        non_repudiation=False,
    )
    hsuid = sosi.HsuidHeader(
        issuer="Example Lab",
        user_type=sosi.UserType.PROFESSIONAL,
        vendor="Example A/S",
        system="Example Lab",
        system_version="1",
        operations_organisation="Example",
    )
    card = world.source()
    request = sosi.dgws_request(card, body=BODY, header=header, hsuid=hsuid, soap=soap, at=world.sandbox.clock())
    transport = HttpsTransport(world.sandbox.base_url, trust=world.sandbox.tls)
    try:
        answer = transport.post(
            world.sandbox.settings.paths.dgws, request, headers=soap.http_headers("urn:example:echo")
        )
    finally:
        transport.close()
    reply = sosi.DgwsReply.read(answer.body, content_type=answer.content_type, status=answer.status)
    assert b"<word>h\xc3\xa6j &amp; hej</word>" in reply.accepted(header.message_id)
    assert (reply.in_response_to, reply.flow_id, reply.soap) == (header.message_id, "f-1", soap)
    assert world.called().card_id == card.id


def test_zeep_calls_by_card(world: World) -> None:
    plugin = sosi.DgwsPlugin(world.sts, world.source)
    assert world.proxy("dgws", plugin).Echo(word="hæj & hej") == "hæj & hej"
    assert world.called().card_id == world.source().id
    assert world.source().xml in world.called().request


def test_requests_calls_by_card(world: World) -> None:
    auth = sosi.DgwsAuth(world.sts, world.source)
    answer = world.session.post(world.sandbox.service_url("dgws"), BODY, auth=auth)
    reply = sosi.DgwsReply.read(answer.content, content_type=answer.headers["Content-Type"], status=answer.status_code)
    assert b"<word>h\xc3\xa6j &amp; hej</word>" in reply.accepted()
    assert world.called().card_id == world.source().id


def test_a_message_sent_again_is_the_same_message_to_the_service(world: World) -> None:
    plugin = sosi.DgwsPlugin(world.sts, world.source)
    echo = world.proxy("dgws", plugin).Echo
    with plugin.using(sosi.MedcomHeader()):
        echo(word="hej")
        echo(word="hej")
    assert world.called().is_replayed


def test_a_card_that_expired_on_the_way_is_replaced(world: World) -> None:
    """The service's clock is ahead: our card is good by our clock, and spent by its."""
    plugin = sosi.DgwsPlugin(world.sts, world.source)
    spent = world.source()
    echo = world.proxy("dgws", plugin).Echo
    ahead = world.sandbox.faults.during(only=frozenset({"dgws"}), date_off=timedelta(hours=24))
    with ahead, pytest.raises(Rejected, match="expired_idcard"):
        echo(word="hej")
    assert world.source().id != spent.id
    assert echo(word="hej") == "hej"


@pytest.mark.parametrize("profile", sosi.IdwsProfile)
def test_zeep_calls_by_token(world: World, profile: sosi.IdwsProfile) -> None:
    token = world.sts.citizen_token(
        world.sandbox.citizen_bootstrap_token(), cpr="0101001234", audience=world.sandbox.settings.service_audience
    )
    plugin = sosi.IdwsPlugin(world.sts, lambda: token, profile=profile, names_address=True)
    assert world.proxy("idws", plugin).Echo(word="hæj & hej") == "hæj & hej"
    assert world.called().assertion_id == token.id
    assert token.xml in world.called().request
