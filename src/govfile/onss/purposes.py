"""What a file is for: the second element of its name, with its direction and the form it holds.

Sources: the manual on FI, FS and GO files (version 13) for the codes marked there; a published client that cites the
portal's page on purposes for the rest; annex 11 of the glossary for the forms' identifications. The set is open: any
four capital letters are accepted, and an unknown code says so.
"""

from __future__ import annotations

import enum
import logging
import re
from types import MappingProxyType
from typing import TYPE_CHECKING

import attrs

from govfile.errors import InvalidName

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger("govfile.onss")

#: The largest file (bytes) that is taken without a warning: 35 MB are published for one purpose (DmfAPPL, historic).
SIZE_WARNING = 35_000_000


class Direction(enum.Enum):
    """Who sends it: `SENT` by you, `RECEIVED` from the authority, or `BOTH`."""

    SENT = "sent"
    RECEIVED = "received"
    BOTH = "both"


@attrs.frozen(kw_only=True)
class Purpose:
    """A purpose: its four-letter `code`, `direction` and `meaning`.

    `identifications` are what the tag Identification of its forms says, `root` the name of the XML's root element,
    both empty where no text tells. `is_pair_certain`: a published sample or a working client shows that code and form
    belong together; otherwise it is inferred from their names. `is_known` False: a code this version has never heard
    of. Beyond `size_warning` (bytes) a file may be too large.
    """

    code: str
    direction: Direction
    meaning: str
    identifications: tuple[str, ...] = ()
    root: str = ""
    is_pair_certain: bool = False
    is_known: bool = True
    size_warning: int = SIZE_WARNING

    @property
    def is_sent(self) -> bool:
        """Whether a sender sends it; unknown ones may be."""
        return self.direction is not Direction.RECEIVED

    def contradiction(self, root: str, identification: str = "") -> str:
        """What speaks against a file's being of this purpose, in words, "" where nothing does.

        `root` is the local name of its root element, `identification` that of its first form where it is known. The
        authority refuses a form that does not fit the name (ACRF-158).
        """
        if self.root and root != self.root:
            return f"the root element is {root}, and {self.code} files have {self.root}"
        if identification and self.identifications and identification not in self.identifications:
            return f"the form is {identification}, and {self.code} files hold {', '.join(self.identifications)}"
        return ""


def purpose(code: str) -> Purpose:
    """The purpose of this code; an unknown one is logged as a warning and comes back with `is_known` False.

    Raises `InvalidName` for anything but four capital letters.
    """
    if not re.fullmatch("[A-Z]{4}", code):
        raise InvalidName(f"the purpose {code[:20]!a} is not four capital letters", advice="for instance DMFA or DIMN")
    found = PURPOSES.get(code)
    if found is None:
        logger.warning("the purpose %s is not known to this version; it is sent as it is", code)
        return Purpose(code=code, direction=Direction.BOTH, meaning="not known to this version", is_known=False)
    return found


def _numbered(stem: str, *numbers: int) -> tuple[str, ...]:
    return tuple(f"{stem}{number:03}" for number in numbers)


def _sent(code: str, meaning: str, *identifications: str, root: str = "", certain: bool = False) -> Purpose:
    return Purpose(
        code=code,
        direction=Direction.SENT,
        meaning=meaning,
        identifications=identifications,
        root=root,
        is_pair_certain=certain,
    )


def _received(code: str, meaning: str, *identifications: str, root: str = "", certain: bool = False) -> Purpose:
    return attrs.evolve(
        _sent(code, meaning, *identifications, root=root, certain=certain), direction=Direction.RECEIVED
    )


_ALL = (
    _sent("DIMN", "Dimona: an employment begins, changes or ends", "DIMONA", root="Dimona", certain=True),
    _sent("DMFA", "DmfA: the quarter's wages and working time, original", "DMFA", root="DmfAOriginal", certain=True),
    _sent("DMWA", "DmfA: changes to a declaration made before", "DMFAUPD", root="DmfAUpdate"),
    _sent("DMRQ", "DmfA: request to consult", "DMFAREQ", root="DmfAConsultationRequest"),
    _received("DMDB", "DmfA: answer to a request to consult", "DMFADB", root="DmfAConsultationAnswer"),
    _received("DMNO", "DmfA: the office changed your declaration", "DMFANOT", root="DmfAUpdateNotification"),
    _received("DMPI", "DmfA: technical keys, on request only", "DMFAPID", root="DmfAPID"),
    attrs.evolve(
        _received("ACRF", "acknowledgement of receipt of a file", "ACRF001", root="ACRF", certain=True),
        direction=Direction.BOTH,
    ),
    _received("NOTI", "notification: what became of each form", "NOTI001", root="NOTIFICATION", certain=True),
    _received("IDFL", "changes of identity, such as of a social security number", "IDFLUX", root="IDFLUX"),
    _sent("PFRQ", "personnel file: request to consult", "PFREQ", root="PersonnelFileConsultationRequest"),
    _received("PFAN", "personnel file: answer", "PFANS", root="PersonnelFileConsultationAnswer"),
    _sent("DUCN", "single worksite declaration, older", "UWDUC"),
    _sent("DDTN", "declaration of works, original or changed", "AVWDDT", "AVDDTUP"),
    _sent("TWCT", "communication of temporary unemployment", *_numbered("TWCT", 1)),
    _sent("VBLV", "validation book", *_numbered("VBLV", 1)),
    _sent("WECH", "declaration of social risks: unemployment", *_numbered("WECH", *range(1, 12))),
    _sent("ZIMA", "declaration of social risks: allowances", *_numbered("ZIMA", 1, 2, 3, 5, 6)),
    _sent("AOAT", "declaration of social risks: work accidents", *_numbered("AOAT", 1, 2, 3), certain=True),
    _sent("PUBL", "work accident in the public sector (Publiato)"),
    _sent("CDHG", "career data of the past (Capelo)", *_numbered("CDHG", 1), root="CareerHistory"),
    _sent("LOIC", "request for a career break or time credit", *_numbered("LOIC", 1)),
    _sent("FLEX", "wages of flexi-jobs", "FLXWAGE"),
    _sent("ATDO", "archive of employment contracts (CareerPro)", *_numbered("ATDO", 1), root="GenericXmlDocument"),
    _sent("ECRQ", "Ecaro: request", "ECARORQ"),
    _received("ECAN", "Ecaro: answer", "ECAROAN"),
    _sent("ECOR", "days of economic unemployment: request", "ECOUDRQ"),
    _received("ECOA", "days of economic unemployment: answer", "ECOUDAN"),
    _sent("RECO", "reductions: request to consult", "REDCORQ"),
    _received("REAN", "reductions: answer", "REDCOAN"),
    _received("BEWA", "Beware: notices of corrections", "BEWARE"),
    _received("BEWL", "Beware: control list", "BEWLST"),
    _received("FINO", "financial note", *_numbered("FINO", 1)),
    _received("FISI", "financial situation", *_numbered("FISI", 1)),
    _received("LIRE", "list of allocated payments"),
    _received("PROA", "proactive information", *_numbered("PROA", 1)),
    _received("SIGN", "alert about the directory"),
    _received("DEFI", "final decision", *_numbered("DEFI", 1)),
)

#: Every purpose a public text names, by its code.
PURPOSES: Mapping[str, Purpose] = MappingProxyType({known.code: known for known in _ALL})
