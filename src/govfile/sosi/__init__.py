"""The Danish healthcare security token service: ID cards, what they are exchanged for, and calls made with them.

    with sosi.SecurityTokenService(environment, credential) as sts:
        card = sts.issue(sosi.IdCard.user(it_system="Example Lab", role="7170", …))
        request = sosi.dgws_request(card, body=b"…")

The names below load on first use. Facts and their sources: `docs/protocols/sosi.md`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from govfile._on_first_use import on_first_use

if TYPE_CHECKING:
    from govfile.sosi.assertions import Assertion as Assertion
    from govfile.sosi.assertions import read_assertion as read_assertion
    from govfile.sosi.audience import Audience as Audience
    from govfile.sosi.authorisation import Authorisation as Authorisation
    from govfile.sosi.authorisation import AuthorisationMatch as AuthorisationMatch
    from govfile.sosi.authorisation import AuthorisationOutcome as AuthorisationOutcome
    from govfile.sosi.authorisation import match_authorisation as match_authorisation
    from govfile.sosi.browser import from_url_value as from_url_value
    from govfile.sosi.browser import log_in_form as log_in_form
    from govfile.sosi.browser import to_url_value as to_url_value
    from govfile.sosi.cache import Freshness as Freshness
    from govfile.sosi.cache import TokenCache as TokenCache
    from govfile.sosi.cache_store import TokenStore as TokenStore
    from govfile.sosi.card import CardType as CardType
    from govfile.sosi.card import CertificateHash as CertificateHash
    from govfile.sosi.card import IdCard as IdCard
    from govfile.sosi.card_source import CardSource as CardSource
    from govfile.sosi.cards import read_card as read_card
    from govfile.sosi.cards import verify_card as verify_card
    from govfile.sosi.care_provider import CareProvider as CareProvider
    from govfile.sosi.care_provider import NameFormat as NameFormat
    from govfile.sosi.claims import Custody as Custody
    from govfile.sosi.claims import OnBehalfOf as OnBehalfOf
    from govfile.sosi.constants import EDUCATION_CODES as EDUCATION_CODES
    from govfile.sosi.environments import PRODTEST as PRODTEST
    from govfile.sosi.environments import PRODUCTION as PRODUCTION
    from govfile.sosi.environments import TEST1 as TEST1
    from govfile.sosi.environments import TEST2 as TEST2
    from govfile.sosi.environments import TRAINING as TRAINING
    from govfile.sosi.environments import Endpoint as Endpoint
    from govfile.sosi.environments import Endpoints as Endpoints
    from govfile.sosi.environments import Environment as Environment
    from govfile.sosi.faults import FAULTS as FAULTS
    from govfile.sosi.faults import KnownFault as KnownFault
    from govfile.sosi.services.dgws import Soap as Soap
    from govfile.sosi.services.dgws import dgws_request as dgws_request
    from govfile.sosi.services.fault_codes import CallRefused as CallRefused
    from govfile.sosi.services.fault_codes import FaultCode as FaultCode
    from govfile.sosi.services.hsuid import HsuidHeader as HsuidHeader
    from govfile.sosi.services.hsuid import UserType as UserType
    from govfile.sosi.services.idws import IdwsHeader as IdwsHeader
    from govfile.sosi.services.idws import IdwsProfile as IdwsProfile
    from govfile.sosi.services.idws import idws_request as idws_request
    from govfile.sosi.services.idws_provider import IdwsCall as IdwsCall
    from govfile.sosi.services.idws_provider import verify_idws_request as verify_idws_request
    from govfile.sosi.services.medcom import FlowStatus as FlowStatus
    from govfile.sosi.services.medcom import MedcomHeader as MedcomHeader
    from govfile.sosi.services.medcom import Priority as Priority
    from govfile.sosi.services.medcom import TimeOut as TimeOut
    from govfile.sosi.services.medcom import seal_message_id as seal_message_id
    from govfile.sosi.services.provider import DgwsCall as DgwsCall
    from govfile.sosi.services.provider import verify_request as verify_request
    from govfile.sosi.services.reply import DgwsFault as DgwsFault
    from govfile.sosi.services.reply import DgwsReply as DgwsReply
    from govfile.sosi.services.requests_auth import DgwsAuth as DgwsAuth
    from govfile.sosi.services.zeep_plugins import DgwsPlugin as DgwsPlugin
    from govfile.sosi.services.zeep_plugins import IdwsPlugin as IdwsPlugin
    from govfile.sosi.signed_card import SignedCard as SignedCard
    from govfile.sosi.signed_card import WrittenCard as WrittenCard
    from govfile.sosi.sts import SecurityTokenService as SecurityTokenService
    from govfile.sosi.times import DgwsVersion as DgwsVersion
    from govfile.sosi.tokens import IdentityToken as IdentityToken
    from govfile.sosi.tokens import OiosamlAssertion as OiosamlAssertion
    from govfile.sosi.tokens import verify_token as verify_token
    from govfile.sosi.trust import StsTrust as StsTrust

_HOMES = {
    "Assertion": "assertions",
    "read_assertion": "assertions",
    "from_url_value": "browser",
    "log_in_form": "browser",
    "to_url_value": "browser",
    "Freshness": "cache",
    "TokenCache": "cache",
    "TokenStore": "cache_store",
    "CardSource": "card_source",
    "Custody": "claims",
    "OnBehalfOf": "claims",
    "FAULTS": "faults",
    "KnownFault": "faults",
    "SecurityTokenService": "sts",
    "IdentityToken": "tokens",
    "OiosamlAssertion": "tokens",
    "verify_token": "tokens",
    "Audience": "audience",
    "Authorisation": "authorisation",
    "AuthorisationMatch": "authorisation",
    "AuthorisationOutcome": "authorisation",
    "match_authorisation": "authorisation",
    "CardType": "card",
    "CertificateHash": "card",
    "IdCard": "card",
    "read_card": "cards",
    "verify_card": "cards",
    "CareProvider": "care_provider",
    "NameFormat": "care_provider",
    "EDUCATION_CODES": "constants",
    "SignedCard": "signed_card",
    "WrittenCard": "signed_card",
    "DgwsVersion": "times",
    "StsTrust": "trust",
    "PRODTEST": "environments",
    "PRODUCTION": "environments",
    "TEST1": "environments",
    "TEST2": "environments",
    "TRAINING": "environments",
    "Endpoint": "environments",
    "Endpoints": "environments",
    "Environment": "environments",
    "DgwsCall": "services.provider",
    "verify_request": "services.provider",
    "dgws_request": "services.dgws",
    "Soap": "services.dgws",
    "MedcomHeader": "services.medcom",
    "TimeOut": "services.medcom",
    "FlowStatus": "services.medcom",
    "Priority": "services.medcom",
    "seal_message_id": "services.medcom",
    "HsuidHeader": "services.hsuid",
    "UserType": "services.hsuid",
    "DgwsReply": "services.reply",
    "DgwsFault": "services.reply",
    "CallRefused": "services.fault_codes",
    "FaultCode": "services.fault_codes",
    "idws_request": "services.idws",
    "IdwsHeader": "services.idws",
    "IdwsProfile": "services.idws",
    "DgwsPlugin": "services.zeep_plugins",
    "IdwsPlugin": "services.zeep_plugins",
    "DgwsAuth": "services.requests_auth",
    "IdwsCall": "services.idws_provider",
    "verify_idws_request": "services.idws_provider",
}

__all__ = sorted(_HOMES)  # pyright: ignore[reportUnsupportedDunderAll]

__getattr__, __dir__ = on_first_use(__name__, _HOMES)
