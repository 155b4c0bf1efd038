"""`IdCard`: what is to stand in an ID card, before anybody has signed it."""

from __future__ import annotations

import enum
import re
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import attrs

from govfile.certificates.secret import check_secret
from govfile.errors import InvalidContent
from govfile.sosi._text import check_name, check_texts, name_from
from govfile.sosi.times import DgwsVersion

if TYPE_CHECKING:
    from collections.abc import Callable

    from govfile.certificates.secret import Secret
    from govfile.sosi.care_provider import CareProvider

_CPR = re.compile(r"([0-9]{6})-?([0-9]{4})")


class CardType(enum.Enum):
    """Whom a card is about; the value is the word on the wire."""

    USER = "user"
    SYSTEM = "system"


class CertificateHash(enum.Enum):
    """How the signer's certificate is named in a card (`sosi:OCESCertHash`); the service accepts both hashes."""

    SHA1 = "sha1"
    SHA256 = "sha256"
    LEFT_OUT = ""


#: The level each kind of card has when it is signed with an OCES certificate, and which the service signs.
SIGNED_LEVEL = {CardType.USER: 4, CardType.SYSTEM: 3}
#: Levels without a signature: 1 nobody was asked, 2 user name and password.
UNSIGNED_LEVELS = (1, 2)

#: What only a user's card has, with the words for messages.
_USER_FIELDS = {
    "given_name": "the user's given name",
    "surname": "the user's surname",
    "role": "the user's role",
    "email": "the user's e-mail address",
    "authorisation_code": "the user's authorisation code",
    "occupation": "the user's occupation",
}


#: Every text, with the words for messages.
_TEXTS = {
    "it_system": "the system's name",
    **_USER_FIELDS,
    "id": "the card's id",
    "alternative_identifier": "the alternative identifier",
    "username": "the user name",
}
_texts: Callable[[Any], tuple[str | None, ...]] = attrgetter(*_TEXTS)


def _plain_cpr(value: str | None) -> str | None:
    match = _CPR.fullmatch(value) if value is not None else None
    return value if match is None else match[1] + match[2]


@attrs.frozen(kw_only=True)
class IdCard:
    """What an ID card is to say; made by `user` or `system`, built and signed by `govfile.sosi.cards.build`.

    A value: checked when it is made, never changed. Personal fields are kept out of its repr. Raises `InvalidContent`,
    which names the field and never shows its value.
    """

    type: CardType
    it_system: str
    issuer: str = ""
    care_provider: CareProvider | None = None
    level: int | None = None
    version: DgwsVersion = DgwsVersion.V1_0_1
    id: str | None = None
    certificate_hash: CertificateHash = CertificateHash.SHA256
    alternative_identifier: str | None = attrs.field(default=None, repr=False)
    cpr: str | None = attrs.field(default=None, repr=False, converter=_plain_cpr)
    given_name: str | None = attrs.field(default=None, repr=False)
    surname: str | None = attrs.field(default=None, repr=False)
    role: str | None = None
    email: str | None = attrs.field(default=None, repr=False)
    authorisation_code: str | None = attrs.field(default=None, repr=False)
    occupation: str | None = attrs.field(default=None, repr=False)
    username: str | None = attrs.field(default=None, repr=False)
    password: Secret | None = attrs.field(default=None, repr=False)

    def __attrs_post_init__(self) -> None:
        check_texts(zip(_TEXTS.values(), _texts(self), strict=True))
        if not self.issuer:
            object.__setattr__(self, "issuer", name_from(self.it_system))
        check_name("the issuer", self.issuer)
        self._check_user()
        self._check_level()

    @classmethod
    def user(
        cls,
        *,
        it_system: str,
        role: str,
        care_provider: CareProvider | None = None,
        cpr: str | None = None,
        given_name: str | None = None,
        surname: str | None = None,
        issuer: str = "",
        email: str | None = None,
        authorisation_code: str | None = None,
        occupation: str | None = None,
        **more: Any,
    ) -> IdCard:
        """A card for a person, to be signed with an employee's certificate (level 4).

        `it_system` is the name of the program used; `issuer` a name without spaces (made from `it_system` when left
        out). `role` is a four-digit education code (`govfile.sosi.EDUCATION_CODES`), a national role, or other text.
        `cpr` is the personal number, ten digits; when left out, the service looks it up. `care_provider` is the
        certificate's own organisation when left out, and `given_name` and `surname` are the certificate's.

        `more`: `level` (1 or 2 for a card that nobody signs; otherwise it follows from the certificate), `username`
        and `password` (a `Secret`) at level 2, `version`, `id` (unique; random when left out), `certificate_hash`,
        and `alternative_identifier`, which names the user instead of the CPR number.
        """
        return cls(
            type=CardType.USER,
            it_system=it_system,
            issuer=issuer,
            care_provider=care_provider,
            cpr=cpr,
            given_name=given_name,
            surname=surname,
            role=role,
            email=email,
            authorisation_code=authorisation_code,
            occupation=occupation,
            **more,
        )

    @classmethod
    def system(
        cls, *, it_system: str, care_provider: CareProvider | None = None, issuer: str = "", **more: Any
    ) -> IdCard:
        """A card for a system, to be signed with a company's, function's or organisation's certificate (level 3).

        The arguments are those of `user`, without those about a person.
        """
        return cls(type=CardType.SYSTEM, it_system=it_system, issuer=issuer, care_provider=care_provider, **more)

    def _check_user(self) -> None:
        if self.type is CardType.SYSTEM:
            if self.cpr is not None or any(getattr(self, field) is not None for field in _USER_FIELDS):
                raise InvalidContent("a system's card cannot hold anything about a user", advice="use IdCard.user(…)")
            return
        if self.role is None:
            raise InvalidContent("the user's role is missing")
        if self.cpr is not None and _CPR.fullmatch(self.cpr) is None:
            raise InvalidContent("the CPR number does not have ten digits", advice="leave it out to have it looked up")

    def _check_level(self) -> None:
        if self.level not in (None, *UNSIGNED_LEVELS, SIGNED_LEVEL[self.type]):
            raise InvalidContent(
                f"a {self.type.value}'s card cannot have level {self.level}",
                advice=f"leave the level out: signed, it is {SIGNED_LEVEL[self.type]}",
            )
        has_both = self.username is not None and self.password is not None
        if self.level == 2 and not has_both:
            raise InvalidContent("a card of level 2 needs a user name and a password")
        if self.password is not None:
            check_secret(self.password, "password")
        if self.level != 2 and (self.username is not None or self.password is not None):
            raise InvalidContent("user name and password belong to cards of level 2 only")
