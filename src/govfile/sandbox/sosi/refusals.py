"""The STS's refusals: code, actor and words, those of its documents where they are published.

Unpublished are the words for certificates and times; they follow the WS-Trust texts that Seal's sample reply lists.
"""

from __future__ import annotations

import attrs

_STS = "http://www.sosists.dk/sts"
_TRUST = "http://sosi.dk/sts"
_CPR = "dk:sosi:sts:cvrridcpr"
_AUTHORISATION = "dk:sosi:sts:autorisation"
ITS, BST2SOSI, NBO, IBO = "dk:sosi:sts:its", "dk:sosi:sts:bst2sosi", "dk:sosi:sts:nbo", "dk:sosi:sts:ibo"


@attrs.frozen
class Refused(Exception):
    """A fault to answer with. `why` is for the sandbox's owner only."""

    code: str
    actor: str
    words: str
    why: str = ""

    def __str__(self) -> str:
        return f"{self.code} ({self.actor}): {self.words}{f' [{self.why}]' if self.why else ''}"


def malformed(why: str) -> Refused:
    """The request cannot be read, or is not what the service takes."""
    return Refused("InvalidRequest", _STS, "The request was invalid or malformed", why)


def bad_digest(why: str) -> Refused:
    """The card's signature is wrong."""
    return Refused(
        "AuthenticationBadElements", _STS, "Insufficient Digest Elements: Signature could not be validated", why
    )


def bad_envelope(actor: str, why: str) -> Refused:
    """The envelope's signature is wrong or missing."""
    return Refused("InvalidRequest", actor, "Unable to validate envelope signature", why)


def bad_time(why: str) -> Refused:
    """Issue time or duration of a card."""
    return Refused("InvalidTimeRange", _STS, "The requested time range is invalid or unsupported", why)


def expired(why: str) -> Refused:
    """Something is out of date."""
    return Refused("ExpiredData", _STS, "The request data is out-of-date", why)


def failed(why: str) -> Refused:
    """The certificate does not do."""
    return Refused("FailedAuthentication", _STS, "Authentication failed", why)


def revoked() -> Refused:
    """The certificate was revoked."""
    return Refused("InvalidSecurityToken", _STS, "Security token has been revoked")


def untrusted(why: str) -> Refused:
    """Signed by somebody the STS does not know."""
    words = "Authentication failed: Token in request signed by untrusted party"
    return Refused("FailedAuthentication", _TRUST, words, why)


def illegal_identity(identity: str) -> Refused:
    """The registers do not know the employee."""
    return Refused("FailedAuthentication", _CPR, f"Authentication failed: illegal cvrrid [{identity}]")


def cpr_mismatch(identity: str, cpr: str) -> Refused:
    """The personal number is not the employee's."""
    return Refused("FailedAuthentication", _CPR, f"Authentication failed: cvrrid-cpr mismatch [{identity},{cpr}]")


def lookup_failed(identity: str) -> Refused:
    """The register behind the STS did not answer; the one refusal worth repeating."""
    words = f"The specified request failed: no answer; cvrrid-cpr lookup failed [{identity}]"
    return Refused("RequestFailed", _CPR, words)


def authorisation(words: str) -> Refused:
    """The authorisation register says no."""
    return Refused("FailedAuthentication", _AUTHORISATION, words)


def invalid(actor: str, words: str, why: str = "") -> Refused:
    """A request that contradicts itself."""
    return Refused("InvalidRequest", actor, words, why)


def request_failed(actor: str, words: str, why: str = "") -> Refused:
    """A token that does not do."""
    return Refused("RequestFailed", actor, words, why)
