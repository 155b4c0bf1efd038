"""The codes a status_0 carries, what they mean and what to do. An open set: unknown codes are kept as they came.

Sources: the authority's page on the content of a status file (oid 2297137), its notice on ICS and Manifest (2019), and
the eKapital gateway news of 2013.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping


@attrs.frozen(kw_only=True)
class ErrorCode:
    """A code, its `meaning` and our `advice`. `is_known` False: we have never heard of it. `is_retired`: the gateway
    before 2020 used it, today's does not. `same_content_may_follow`: the unchanged document may be filed under a new
    name once the advice was followed; otherwise it has to be mended first.
    """

    code: str
    meaning: str
    advice: str
    is_known: bool = True
    is_retired: bool = False
    same_content_may_follow: bool = False


NAME_REUSED = "FILENAME_CANNOT_BE_REUSED_FOR_TRANSACTION"

_MEND = "mend the file, then file it under a new name: the old name is burnt"
_WAIT = "look for the report in the receipts first; only if it never arrived, file it again under a new name"

_CURRENT = (
    ErrorCode(
        code=NAME_REUSED,
        meaning="a file of this name was sent before; names are used up for ever, also by refused files",
        advice="look whether the earlier file of this name is the same report; if it is not, file under a new name",
        same_content_may_follow=True,
    ),
    ErrorCode(
        code="FILE_NOT_UPLOADED_IN_ASCII_MODE",
        meaning="a fixed-width file was sent in binary type",
        advice="use the service's own profile, which sends ASCII, and a new name",
        same_content_may_follow=True,
    ),
    ErrorCode(code="RECORD_LENGTH_INCORRECT", meaning="a record has the wrong length", advice=_MEND),
    ErrorCode(code="FIRST_RECORD_INCORRECT", meaning="the start record breaks the record structure", advice=_MEND),
    ErrorCode(code="LAST_RECORD_INCORRECT", meaning="the end record breaks the record structure", advice=_MEND),
)

_RETIRED = (
    ErrorCode(
        code="BACKEND_SYSTEM_NOT_AVAILABLE",
        meaning="the system behind the gateway was down, or did not handle the file within six hours",
        advice=_WAIT,
        is_retired=True,
        same_content_may_follow=True,
    ),
    ErrorCode(
        code="SERVICE_DOES_NOT_EXIST",
        meaning="no service of this name",
        advice="check the service's name, then file under a new name",
        is_retired=True,
        same_content_may_follow=True,
    ),
    ErrorCode(
        code="CLIENT_NO_PERMISSION",
        meaning="the certificate has no right to this service",
        advice="have the role assigned, wait an hour for the gateway to learn of it, then file under a new name",
        is_retired=True,
        same_content_may_follow=True,
    ),
    ErrorCode(
        code="GUID_NOT_FOUND",
        meaning="the gateway could not find the certificate's identity",
        advice="have the certificate registered, then file under a new name",
        is_retired=True,
        same_content_may_follow=True,
    ),
    ErrorCode(
        code="ROLE_COULD_NOT_BE_FOUND",
        meaning="the gateway found no role for the certificate",
        advice="have the role assigned, wait an hour for the gateway to learn of it, then file under a new name",
        is_retired=True,
        same_content_may_follow=True,
    ),
    ErrorCode(
        code="AUTHORIZATION_TIMED_OUT",
        meaning="the check of rights took too long",
        advice=_WAIT,
        is_retired=True,
        same_content_may_follow=True,
    ),
    ErrorCode(
        code="Internal server error",
        meaning="the gateway failed; in 2013 files were lost with this text",
        advice=_WAIT,
        is_retired=True,
        same_content_may_follow=True,
    ),
    ErrorCode(
        code="Backend System not available",
        meaning="the system behind the gateway was down; in 2013 files were lost with this text",
        advice=_WAIT,
        is_retired=True,
        same_content_may_follow=True,
    ),
)

#: Every code a public text names, by the code.
CODES: Mapping[str, ErrorCode] = MappingProxyType({known.code: known for known in (*_CURRENT, *_RETIRED)})

_BY_FOLDED = {code.casefold(): known for code, known in CODES.items()}


def explain(code: str) -> ErrorCode:
    """What is known of `code`; an unknown one comes back verbatim, with `is_known` False."""
    found = _BY_FOLDED.get(code.strip().casefold())
    return found or ErrorCode(
        code=code,
        meaning="a code this version does not know",
        advice="read the authority's own text in the saved status file",
        is_known=False,
    )
