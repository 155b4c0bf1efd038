"""File names as the services want them, and names made here. A name is used up for ever, so it is checked before.

Sources: the authority's pages on Rente (oid 2244952), on validating (oid 2254265) and on CRS file rules (oid 2383399).
What no page says (characters, length and scope in general) is kept to what cannot hurt: ASCII letters, digits, `_`,
`.`, `-`, at most 100 characters, never two names that differ in case only.
"""

from __future__ import annotations

import enum
import logging
import re
from typing import TYPE_CHECKING

import attrs

from govfile.errors import InvalidName
from govfile.filing.names import CAREFUL, NameRule, NameTemplate
from govfile.skat.rente import OUTER_SHAPE, smuggles_prefix
from govfile.xml.parse import blot

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from govfile.skat.username import Login

logger = logging.getLogger("govfile.skat")


class Making(enum.Enum):
    """How a name comes about when the caller gives none."""

    TIME = "from the time and eight random digits"
    COMPANY = "from the CVR number, the time and eight random digits"
    SOURCE = "the name of the file itself, since names of this service carry a meaning"


@attrs.frozen(kw_only=True)
class Naming:
    """What a service's names must be. `rule` is kept without exception; `shape` is what a name should look like: one
    that does not is logged, and refused while `is_strict`. `making` says how a name is made where none is given.
    """

    rule: NameRule = CAREFUL
    shape: re.Pattern[str] | None = None
    is_strict: bool = False
    making: Making = Making.TIME

    def check(self, name: str) -> None:
        """Raise `InvalidName`, naming the offending character or rule."""
        self.rule.check(name)
        if self.shape is None or self.shape.fullmatch(name):
            return
        if self.is_strict:
            raise InvalidName(
                f"the file name {name} does not have the shape {self.shape.pattern}",
                advice="give it a name of that shape with name=",
            )
        logger.warning(
            "%s does not have the shape that is inferred for its service; it is used all the same", blot(name)
        )

    def make(
        self,
        login: Login,
        source_name: str | None,
        *,
        clock: Callable[[], datetime],
        randomness: Callable[[int], bytes],
    ) -> str:
        """A new name; raises `InvalidName` where only the caller can know it."""
        suffix = _extension(source_name)
        if self.making is Making.TIME:
            return NameTemplate(suffix=suffix, rule=self.rule, clock=clock, randomness=randomness).make()
        if self.making is Making.COMPANY and login.cvr is not None:
            prefix = f"{login.cvr}_"  # the time and the random digits are exactly the 25 characters allowed
            return NameTemplate(
                prefix=prefix, suffix=suffix, separator="", rule=self.rule, clock=clock, randomness=randomness
            ).make()
        if source_name is None:
            raise InvalidName(
                "names of this service carry a meaning, and this document has none",
                certain="nothing was claimed or sent",
                advice="give name=",
            )
        self.rule.check(source_name)
        return source_name


def _extension(source_name: str | None) -> str:
    found = re.search(r"\.[0-9A-Za-z]{1,8}$", source_name or "")
    return found[0].lower() if found else ""


SAFE_NAMES = Naming()

RENTE_NAMES = Naming(
    rule=NameRule(
        pattern=r"[0-9A-Za-z]+(_[0-9A-Za-z-]*)?(_[0-9A-Za-z_]*)?\.zip",
        shape="letters, digits and `_` (`-` in the period only), ending in .zip",
    ),
    shape=OUTER_SHAPE,
    making=Making.SOURCE,
)

CRS_NAMES = Naming(
    rule=NameRule(
        pattern=r"[0-9]{8}_[0-9A-Za-z_-]{1,25}(\.[0-9A-Za-z]{1,8})?",
        shape="the CVR number, `_` and an id of at most 25 characters",
    ),
    making=Making.COMPANY,
)


def remote_name(naming: Naming, name: str, *, prefix: str | None, is_dry_run: bool) -> str:
    """The name to send under: checked, and with the validation prefix for a dry run. `prefix` None: the service has no
    dry run. Raises `InvalidName`, also for a real filing that the gateway could take for a dry run.
    """
    given: object = name
    if prefix is not None and isinstance(given, str) and smuggles_prefix(name, prefix):
        raise InvalidName(
            f"the name {name} holds {prefix} where the gateway would take the file for a check only",
            certain="nothing was claimed or sent",
            advice="choose another name; for a check give dry_run=True and the name without the prefix",
        )
    naming.check(name)
    if not is_dry_run or prefix is None:
        return name
    whole = prefix + name
    excess = len(whole) - naming.rule.max_length
    if excess > 0:
        raise InvalidName(
            f"the name has {len(whole)} characters with {prefix}, the limit is {naming.rule.max_length}",
            advice=f"shorten it by {excess}",
        )
    return whole
