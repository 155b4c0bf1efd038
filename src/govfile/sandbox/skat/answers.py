"""What the back ends put in `out` in answer to an upload.

Only FATCA's names (2016) are published. For the others the names here embed the upload's own, as those do; the texts
are samples in plain Danish and no official format. A departure declaration is answered twice (IED42 comes first).
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from govfile.sandbox.skat.services import Family, family
from govfile.sandbox.skat.status import danish

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from govfile.sandbox.skat.settings import Settings

_DEPARTURES = "Manifest.Afgangsdeklaration"
_USUAL_RECORD = 80

Answer = tuple[str, bytes]


def answers(
    service: str, name: str, *, at: datetime, findings: Sequence[str], is_validation: bool, settings: Settings
) -> list[Answer]:
    """The files, in the order in which they appear: (name in `out`, content)."""
    stem = name.rsplit(".", 1)[0]
    verdict = _verdict(name, at, findings, is_validation=is_validation)
    match family(service):
        case Family.CLASSIC:
            width = settings.record_length.get(service, _USUAL_RECORD)
            lists = ["Fejlliste", "Advisliste"] if settings.advice_lists else ["Fejlliste"]
            return [(f"{service}_{title}_{stem}.txt", _list(title, name, width)) for title in lists]
        case Family.EXCHANGE:
            receipt = _xml("Kvittering", ("Filnavn", name), ("Modtaget", _stamp(at)))
            return [
                (f"{service}_KvitteringsFil_{service}_{stem}.xml", receipt),
                (f"{service}_SvarFil_{service}_{name}", verdict),
            ]
        case Family.CUSTOMS if service.startswith(_DEPARTURES) and not findings:
            in_process = _xml("IED42", ("Filnavn", name), ("Status", "UNDER BEHANDLING"))
            return [(f"IED42_{stem}.xml", in_process), (f"Kvittering_{stem}.xml", verdict)]
        case Family.CUSTOMS:
            return [(f"Kvittering_{stem}.xml", verdict)]
        case _:
            return [(f"{service}_SvarFil_{stem}.xml", verdict)]


def replaced(content: bytes) -> bytes:
    """Another edition of an answer: one line longer."""
    return content + (b"<!-- erstatter tidligere fil -->\n" if content.startswith(b"<") else b"9999ERSTATTER\n")


def _verdict(name: str, at: datetime, findings: Sequence[str], *, is_validation: bool) -> bytes:
    result = "AFVIST" if findings else "VALIDERET" if is_validation else "GODKENDT"
    errors = [("Fejl", finding) for finding in findings]
    return _xml("Svar", ("Filnavn", name), ("Modtaget", _stamp(at)), ("Resultat", result), *errors)


def _xml(root: str, *fields: tuple[str, str]) -> bytes:
    inner = "".join(f"  <{tag}>{escape(_printable(text))}</{tag}>\n" for tag, text in fields)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}>\n{inner}</{root}>\n'.encode()


def _printable(text: str) -> str:
    return "".join(found if found.isprintable() else "?" for found in text)


def _list(title: str, name: str, width: int) -> bytes:
    lines = [f"0001{title.upper()} {_printable(name)}", "9998000000"]
    return "".join(f"{line[:width]:<{width}}\r\n" for line in lines).encode("latin-1", "replace")


def _stamp(at: datetime) -> str:
    return danish(at).strftime("%Y-%m-%dT%H:%M:%S")
