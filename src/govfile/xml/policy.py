"""What a signed message must be before a word of it is believed, as values.

Everything is named: where the signature stands, which elements it covers, by which algorithms, whose it may be, and
for how long its statement holds. Nothing is found by searching.
"""

from __future__ import annotations

import enum
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import attrs

from govfile.certificates.signer import SignatureAlgorithm
from govfile.certificates.trust import Trust
from govfile.errors import ConfigurationError
from govfile.xml.algorithms import Canonicalization, Digest
from govfile.xml.parse import Limits

if TYPE_CHECKING:
    from datetime import tzinfo

    from cryptography import x509

    from govfile.certificates.subject import Subject

#: What is accepted unless a policy says otherwise: no SHA-1, no HMAC.
ALGORITHMS = frozenset(SignatureAlgorithm) - {SignatureAlgorithm.RSA_SHA1_WHERE_DEMANDED}
DIGESTS = frozenset(Digest) - {Digest.SHA1_WHERE_DEMANDED}


class Coverage(enum.Enum):
    """How a part is signed."""

    ENVELOPED = "the signature stands in it"
    DETACHED = "by its id"
    BY_REFERENCE = "by a reference to it (STR-Transform)"


@attrs.frozen(kw_only=True)
class Part:
    """An element that must be signed: the one at `path` (`{namespace}local` names from the root down).

    There must be exactly one there. `is_only_one`: no other element of its name anywhere in the document.
    `is_required` False: the element may be missing, or be there without being signed; then it is not returned.
    """

    path: tuple[str, ...]
    coverage: Coverage = Coverage.DETACHED
    is_only_one: bool = True
    is_required: bool = True


@attrs.frozen(kw_only=True, cache_hash=True)
class Signers:
    """Whose signature counts.

    `trust` names the anchors the certificate must chain to; only anchors given by name, since the system's store holds
    every public web authority. `pinned` certificates are believed by themselves while they are valid. Where both are
    given, either will do. `common_name` is how the subject's common name must begin and `cvr` its company number, for
    chained certificates; pinned ones are named already. The certificate's key usage must allow signing documents.
    """

    trust: Trust = attrs.field(factory=lambda: Trust(system=False))
    pinned: tuple[x509.Certificate, ...] = attrs.field(default=(), repr=lambda found: f"<{len(found)} certificates>")
    common_name: str = ""
    cvr: str | None = None

    def __attrs_post_init__(self) -> None:
        if self.trust.system:
            raise ConfigurationError(
                "the system's trust store must not vouch for signed messages: any web authority is in it",
                advice="name the anchors with Trust.only(…)",
            )
        if not self.trust.anchors and not self.pinned:
            raise ConfigurationError("no anchor and no pinned certificate: nobody could be believed")

    def are_met_by(self, subject: Subject) -> bool:
        """Whether a chained certificate's subject is one of those meant."""
        if self.cvr is not None and subject.cvr != self.cvr:
            return False
        return (subject.common_name or "").startswith(self.common_name)


@attrs.frozen(kw_only=True)
class Window:
    """The time for which a signed statement holds: `NotBefore` and `NotOnOrAfter` of the child `element`.

    Both must be there, whole, with a zone or `Z`, and NotBefore <= now < NotOnOrAfter. `skew` is how much the clocks
    may differ, in both directions; `longest` how long a statement may claim to hold. `zone` is that of times that
    name none (DGWS 1.0 writes Danish local time); without it they are refused. `begins_when_issued`: where NotBefore
    is missing, as in bootstrap tokens, the `IssueInstant` of the statement takes its place.
    """

    element: str = "{urn:oasis:names:tc:SAML:2.0:assertion}Conditions"
    skew: timedelta = timedelta(seconds=30)
    longest: timedelta = timedelta(hours=24)
    zone: tzinfo | None = None
    begins_when_issued: bool = False

    def __attrs_post_init__(self) -> None:
        if not timedelta() <= self.skew <= timedelta(minutes=15):
            raise ConfigurationError("the skew of a window must lie between 0 and 15 minutes")
        if self.longest <= timedelta():
            raise ConfigurationError("the longest time a statement may hold must be more than nothing")


@attrs.frozen(kw_only=True)
class Policy:
    """What is demanded of a signature.

    `signature` is the path of the element in which `ds:Signature` stands; it must hold exactly one. `parts` are what
    it covers, and it must cover nothing else. `others` are paths of elements that may hold a signature of their own,
    such as an assertion in a signed envelope; a signature anywhere else is refused. `window` is checked on the first
    part. SHA-1 counts only where `algorithms` and `digests` name it.

    `free` is the path of an element whose content follows rules of its own, such as the Body behind a signed card: ids
    may stand twice in it and signatures may stand in it, but no id that stands outside, and no signed part.

    `is_last`: no element stands behind the signature in the one it stands in.
    """

    signature: tuple[str, ...]
    parts: tuple[Part, ...]
    signers: Signers
    others: tuple[tuple[str, ...], ...] = ()
    free: tuple[str, ...] = ()
    is_last: bool = False
    algorithms: frozenset[SignatureAlgorithm] = ALGORITHMS
    digests: frozenset[Digest] = DIGESTS
    canonicalizations: frozenset[Canonicalization] = frozenset({Canonicalization.EXCLUSIVE})
    window: Window | None = None
    limits: Limits = attrs.field(factory=Limits)

    def __attrs_post_init__(self) -> None:
        if not any(part.is_required for part in self.parts):
            raise ConfigurationError("a policy must demand that something is signed")
        for part in self.parts:
            if self.free and len(part.path) > len(self.free) and part.path[: len(self.free)] == self.free:
                raise ConfigurationError("what is signed cannot stand in content that is free")
            if part.coverage is Coverage.ENVELOPED and part.path != self.signature:
                raise ConfigurationError("an enveloped signature stands in the element it signs, as its child")

    @classmethod
    def enveloped(cls, path: tuple[str, ...], signers: Signers, *, is_only_one: bool = True, **more: Any) -> Policy:
        """For one element that holds its own signature, such as an ID card or an assertion; `more` are fields."""
        part = Part(path=path, coverage=Coverage.ENVELOPED, is_only_one=is_only_one)
        return attrs.evolve(cls(signature=path, parts=(part,), signers=signers), **more)
