"""Whose signature makes an ID card genuine."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import attrs

from govfile.certificates.signer import SignatureAlgorithm
from govfile.certificates.trust import Trust
from govfile.errors import ConfigurationError
from govfile.xml.algorithms import Digest
from govfile.xml.policy import ALGORITHMS, DIGESTS, Policy, Signers

if TYPE_CHECKING:
    from typing import Any

    from cryptography import x509

    from govfile.certificates._files import Source

#: The organisation that runs the service, and how the common name of its signing certificate began, in production and
#: in the test environments, as long as that was an OCES2 certificate. Today's name is not published.
OPERATOR_CVR = "33257872"
OCES2_COMMON_NAME = "SOSI Federation"
OCES2_TEST_COMMON_NAME = "SOSI Test Federation"


@attrs.frozen(kw_only=True, cache_hash=True)
class StsTrust:
    """Whose cards and tokens are believed.

    A signer's certificate counts when it leads to one of the `anchors`, its subject's common name begins with
    `common_name`, and its subject's company number is `cvr`. Both are needed beside anchors: the same authorities
    issue certificates to every company in Denmark, and any company chooses its certificates' common names itself.
    Certificates that are `pinned` count by themselves. While a signer is being replaced, give the anchors of both, or
    pin both.

    `allow_sha1` accepts signatures with SHA-1, which the service was seen to make up to 2024; nothing else ever does.
    `skew` is how much the clocks may differ. Anchors of test and production must never be in one value.

    Raises `ConfigurationError` when nobody, or anybody, would be believed.
    """

    anchors: Trust = attrs.field(factory=lambda: Trust(system=False))
    common_name: str = ""
    cvr: str = ""
    pinned: tuple[x509.Certificate, ...] = attrs.field(default=(), repr=lambda found: f"<{len(found)} certificates>")
    allow_sha1: bool = False
    skew: timedelta = timedelta(seconds=30)

    def __attrs_post_init__(self) -> None:
        if self.anchors.system:
            raise ConfigurationError(
                "the system's trust store must not vouch for ID cards: any web authority is in it",
                advice="name the anchors: StsTrust.of(…)",
            )
        if not self.anchors.anchors and not self.pinned:
            raise ConfigurationError("no anchor and no pinned certificate: no ID card could be believed")
        if self.anchors.anchors and not (self.common_name and self.cvr):
            raise ConfigurationError(
                "anchors alone would let every company's certificate sign ID cards",
                advice=f"give common_name and cvr of the service's signing certificate ({OPERATOR_CVR} runs it)",
            )

    @classmethod
    def of(cls, anchors: Source, *, common_name: str, cvr: str, allow_sha1: bool = False) -> StsTrust:
        """From the authorities' certificates: a PEM bundle (or one in DER), given as bytes or as a path."""
        return cls(anchors=Trust.only(anchors), common_name=common_name, cvr=cvr, allow_sha1=allow_sha1)

    @classmethod
    def pinned_to(cls, certificates: Source, *, allow_sha1: bool = False) -> StsTrust:
        """From the service's own signing certificates: PEM (or one in DER), given as bytes or as a path."""
        return cls(pinned=Trust.only(certificates).anchors, allow_sha1=allow_sha1)

    @property
    def signers(self) -> Signers:
        """The same for `govfile.xml.verifying`."""
        return Signers(trust=self.anchors, pinned=self.pinned, common_name=self.common_name, cvr=self.cvr or None)

    def policy(self, signed: tuple[str, ...], **more: Any) -> Policy:
        """What is demanded of an element that the service signed, as a card or an assertion is: at the path `signed`,
        and with its own signature in it. `more` are fields of the policy.
        """
        return self.demanded(Policy.enveloped(signed, self.signers, **more))

    def demanded(self, policy: Policy) -> Policy:
        """The same policy for these signers and the algorithms accepted from them."""
        weak = {SignatureAlgorithm.RSA_SHA1_WHERE_DEMANDED} if self.allow_sha1 else set[SignatureAlgorithm]()
        weak_digests = {Digest.SHA1_WHERE_DEMANDED} if self.allow_sha1 else set[Digest]()
        return attrs.evolve(policy, signers=self.signers, algorithms=ALGORITHMS | weak, digests=DIGESTS | weak_digests)
