"""What an exchange gives: the token before it is signed, how it is to be signed, and for whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from govfile.sandbox.sosi.envelopes import Asked, Lifetime
    from govfile.sandbox.sosi.judging import Office
    from govfile.sandbox.sosi.settings import Audience


@attrs.frozen(kw_only=True)
class Grant:
    """A token to be signed: `index` is where among its children the signature goes (None: the end), `signature_id`
    its attribute, `key_info` another content for its KeyInfo. `encrypts_for` is the audience it is sealed for;
    `attached` the id that the references after it name; `is_answer_signed` whether the envelope around it is signed.
    """

    token: str = attrs.field(repr=False)
    lifetime: Lifetime
    audience: str
    index: int | None = None
    signature_id: tuple[str, str] | None = None
    key_info: str | None = None
    encrypts_for: Audience | None = None
    attached: str = ""
    is_answer_signed: bool = True


if TYPE_CHECKING:
    #: From a readable request to what is granted; raises `Refused` or `Unreadable`.
    Exchange = Callable[[Asked, Office, datetime], Grant]
