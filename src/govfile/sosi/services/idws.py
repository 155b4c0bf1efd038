"""Calling an identity-based web service: an envelope signed with the key that a token names (holder of key).

Sources: OIO IDWS SOAP profile 1.1 as the national client for patients' data abroad implements it; Liberty's framework
header and the weaker algorithms as Seal.Java writes them for older services; OASIS SOAP Message Security 1.0 and SAML
Token Profile 1.1 for the reference to the token and its STR-Transform.
"""

from __future__ import annotations

import enum
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import attrs

from govfile.certificates.signer import SignatureAlgorithm
from govfile.errors import ConfigurationError, CredentialError, InvalidContent
from govfile.sosi import constants
from govfile.sosi._text import check_text
from govfile.sosi.services.dgws import Soap, check_element
from govfile.sosi.services.medcom import trimmed
from govfile.xml.algorithms import SAML_ID
from govfile.xml.canonical import escape_attribute, escape_text
from govfile.xml.key_info import KeyInfo
from govfile.xml.signing import Reference, sign
from govfile.xml.splicing import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from govfile.certificates.credential import Credential
    from govfile.sosi.assertions import Assertion

#: The version of the framework that older services ask for.
_FRAMEWORK = f'xmlns:sbf="{constants.LIBERTY}" xmlns:sbfprofile="{constants.LIBERTY_PROFILE}" version="2.0"'
_PROFILE = "urn:liberty:sb:profile:basic"


class IdwsProfile(enum.Enum):
    """How a service wants calls signed."""

    OIO_IDWS_1_1 = "OIO IDWS SOAP profile 1.1"
    #: With Liberty's framework header, SHA-1 and the certificate itself; for services that take nothing better.
    LIBERTY_BASIC = "Liberty ID-WSF basic profile"


@attrs.frozen(kw_only=True)
class IdwsHeader:
    """The addressing of a call: the `action` as the service's description names it, the `message_id` (a URI; a call
    sent again keeps it, a new call gets a new one), and `to`, the address called, where the service wants it.
    """

    action: str
    message_id: str = attrs.field(factory=lambda: f"urn:uuid:{uuid.uuid4()}", converter=trimmed)
    to: str | None = None

    def __attrs_post_init__(self) -> None:
        check_text("the action", self.action)
        check_text("the message's id", self.message_id)
        if self.to is not None:
            check_text("the address", self.to)


def idws_request(
    token: Assertion,
    credential: Credential,
    *,
    body: bytes,
    header: IdwsHeader,
    profile: IdwsProfile = IdwsProfile.OIO_IDWS_1_1,
    other_headers: Sequence[bytes] = (),
    soap: Soap = Soap.V1_1,
    at: datetime | None = None,
    life: timedelta | None = None,
    new_id: Callable[[], uuid.UUID] = uuid.uuid4,
) -> bytes:
    """The envelope of a call with a token: UTF-8, signed, ready to be posted.

    `token` is what the STS handed out; its bytes go in as they are. `credential` has the key the token names. `body` is
    one element in UTF-8 that declares the namespaces it uses. `other_headers` are further header elements; they are not
    signed. `at` is the time (aware; now, if left out), `life` how long the message itself is good for (None: it does
    not say, and the service decides).

    Signed are action, message id, address, time stamp, body, and the token by a reference to it.

    Raises `CredentialError` when the token has expired or names another key, and `InvalidContent` when the body cannot
    be put into an envelope.
    """
    at = at or datetime.now(UTC)
    _check_usable(token, credential, at)
    check_element(body, "the body")
    for found in other_headers:
        check_element(found, "a header", may_be_empty=False)
    ids = _Ids(new_id().hex)
    whole = b"".join(
        (
            _opened(header, ids, profile, soap, _window(at, life)),
            token.xml,
            _referred(token, ids),
            *other_headers,
            f"</soap:Header><soap:Body {ids.on('body')}>".encode(),
            body,
            b"</soap:Body></soap:Envelope>",
        )
    )
    path = (f"{{{soap.value}}}Envelope", f"{{{soap.value}}}Header", f"{{{constants.WSSE}}}Security")
    is_old = profile is IdwsProfile.LIBERTY_BASIC
    return sign(
        whole,
        credential,
        _references(header, ids, profile),
        Place(path=path),
        algorithm=SignatureAlgorithm.RSA_SHA1_WHERE_DEMANDED if is_old else None,
        key_info=KeyInfo.certificate() if is_old else KeyInfo.token(token.id),
        free=(path[0], f"{{{soap.value}}}Body"),
    )


def _opened(header: IdwsHeader, ids: _Ids, profile: IdwsProfile, soap: Soap, window: str) -> bytes:
    """All that stands before the token."""
    framework = ""
    if profile is IdwsProfile.LIBERTY_BASIC:
        framework = f'<sbf:Framework {_FRAMEWORK} sbfprofile:profile="{_PROFILE}" {ids.on("sbf")}/>'
    addressed = f"<wsa:To {ids.on('to')}>{escape_text(header.to)}</wsa:To>" if header.to else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><soap:Envelope xmlns:soap="{soap.value}" xmlns:wsa="{constants.WSA}" '
        f'xmlns:wsse="{constants.WSSE}" xmlns:wsu="{constants.WSU}"><soap:Header>{framework}'
        f"<wsa:Action {ids.on('action')}>{escape_text(header.action)}</wsa:Action>"
        f"<wsa:MessageID {ids.on('messageID')}>{escape_text(header.message_id)}</wsa:MessageID>{addressed}"
        f'<wsse:Security soap:mustUnderstand="1"><wsu:Timestamp {ids.on("ts")}>{window}</wsu:Timestamp>'
    ).encode()


def _referred(token: Assertion, ids: _Ids) -> bytes:
    """The reference to the token, by which it is signed, and the end of the security header."""
    return (
        f'<wsse:SecurityTokenReference {ids.on("str")} xmlns:wsse11="{constants.WSSE11}" '
        f'wsse11:TokenType="{constants.SAML_TOKEN_TYPE}"><wsse:KeyIdentifier ValueType="{SAML_ID}">'
        f"{escape_text(token.id)}</wsse:KeyIdentifier></wsse:SecurityTokenReference></wsse:Security>"
    ).encode()


def _references(header: IdwsHeader, ids: _Ids, profile: IdwsProfile) -> list[Reference]:
    names = ["action", "messageID", "ts", "body"]
    if header.to:
        names.append("to")
    if profile is IdwsProfile.LIBERTY_BASIC:
        names.append("sbf")
    return [*(Reference(id=ids.of(name)) for name in names), Reference(id=ids.of("str"), is_token=True)]


@attrs.frozen
class _Ids:
    """Ids that nothing in a token or a body has by chance."""

    _unique: str

    def of(self, name: str) -> str:
        return f"{name}-{self._unique}"

    def on(self, name: str) -> str:
        return f'wsu:Id="{escape_attribute(self.of(name))}"'


def _window(at: datetime, life: timedelta | None) -> str:
    ends = "" if life is None else f"<wsu:Expires>{_stamp(at + life)}</wsu:Expires>"
    return f"<wsu:Created>{_stamp(at)}</wsu:Created>{ends}"


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _check_usable(token: Assertion, credential: Credential, at: datetime) -> None:
    if at.tzinfo is None:
        raise ConfigurationError(f"the time {at} has no time zone", advice="give an aware datetime, e.g. in UTC")
    if at >= token.expires:
        raise CredentialError(
            f"the token expired at {token.expires:%Y-%m-%d %H:%M:%S} UTC", advice="have a new one issued"
        )
    if not token.id:
        raise InvalidContent("the token has no ID, by which the signature could refer to it")
    if token.holder is not None and token.holder.public_key() != credential.public_key:
        raise CredentialError(
            "the token names another key than the credential's",
            advice="sign with the credential with which the token was asked for",
        )
