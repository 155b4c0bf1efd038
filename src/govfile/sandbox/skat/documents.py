"""Documents to file, in the published shapes: whole zips, records at full width, XML.

Published are: one file per account named by its KontoID in a zip without folders (Rente), 868 positions with 0001 first
and 9998 last (pensions), the names of the services. The fields inside are samples, made up for the occasion; so are all
companies and accounts. Equal arguments give equal bytes, another `seed` gives another document.
"""

from __future__ import annotations

import io
import random
import zipfile
from typing import TYPE_CHECKING

from govfile.errors import ConfigurationError
from govfile.sandbox.skat import services

if TYPE_CHECKING:
    from collections.abc import Callable

_CVR = ("10101010", "30808460", "19552101")
_STREETS = ("Prøvevej", "Ærøgade", "Kålmarken", "Lindealle")
_PENSION_WIDTH = 868
_SAMPLE_WIDTH = 80
_LIKE = {"FATCA": "UFO", "CRS": "UFO"}
_FIXED_DATE = (2026, 1, 5, 9, 0, 0)

KINDS = (*services.ALL, *_LIKE)


def example(kind: str, *, seed: int = 0, size: int = 3) -> bytes:
    """A document for the service `kind` (or "CRS", "FATCA"); `size` is the number of accounts, records or items in it.

    Raises `ConfigurationError` for a kind there is no shape for.
    """
    if kind not in KINDS:
        raise ConfigurationError(f"there is no example of {kind!r}", advice=f"one of: {', '.join(KINDS)}")
    dice = random.Random(f"{kind}/{seed}/{size}")  # noqa: S311 - content, not a secret
    make: Callable[[str, random.Random, int], bytes] = {
        services.Family.RENTE: _rente,
        services.Family.CLASSIC: _classic,
        services.Family.CUSTOMS: _customs,
        services.Family.EXCHANGE: _exchange,
    }[services.family(_LIKE.get(kind, kind))]
    return make(kind, dice, size)


def file_name(kind: str, *, seed: int = 0) -> str:
    """A name that fits `example(kind, seed=seed)`, unique for each seed."""
    company = _CVR[0]
    match services.family(_LIKE.get(kind, kind)):
        case services.Family.RENTE:
            return f"{company}_2025_{kind[:4].lower()}{seed}.zip"
        case services.Family.EXCHANGE:
            return f"{company}_{kind.lower()}{seed}"
        case services.Family.CUSTOMS:
            return f"{kind.rsplit('.', 1)[-1][:40]}-{seed}.xml"
        case _:
            return f"{kind}_{company}_{seed}.txt"


def _rente(kind: str, dice: random.Random, size: int) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(size):
            konto_id = f"5301-{dice.randrange(10**10):010}-{number}"
            member = zipfile.ZipInfo(konto_id, _FIXED_DATE)
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, _account(kind, konto_id, dice))
    return packed.getvalue()


def _account(kind: str, konto_id: str, dice: random.Random) -> bytes:
    return _xml(
        f"{kind}Indberetning",
        ("KontoID", konto_id),
        ("Indberetter", dice.choice(_CVR)),
        ("IndkomstAar", "2025"),
        ("Adresse", f"{dice.choice(_STREETS)} {dice.randrange(1, 200)}"),
        ("Rente", f"{dice.randrange(10**6) / 100:.2f}"),
        ("Restgaeld", f"{dice.randrange(10**8) / 100:.2f}"),
        ("Valuta", "DKK"),
    )


def _classic(kind: str, dice: random.Random, size: int) -> bytes:
    width = _PENSION_WIDTH if kind == "CPS" else _SAMPLE_WIDTH
    lines = [f"0001{dice.choice(_CVR)}2025{kind:<8}"]
    lines += [
        f"{1000 + number % 8000:04}{dice.randrange(10**10):010}{dice.randrange(10**13):015}" for number in range(size)
    ]
    lines.append(f"9998{len(lines) + 1:010}")
    return "".join(f"{line:<{width}}\r\n" for line in lines).encode("latin-1")


def _customs(kind: str, dice: random.Random, size: int) -> bytes:
    items = [
        _element("VareLinje", ("Nummer", str(number + 1)), ("Vaegt", f"{dice.randrange(1, 9000)}"), ("Kolli", "4"))
        for number in range(size)
    ]
    head = _element("Transport", ("Rejse", f"DK{dice.randrange(10**6):06}"), ("Havn", "DKAAR"))
    root = kind.rsplit(".", 1)[-1]
    return _document(root, [_element("Indberetter", ("CVRNummer", dice.choice(_CVR))), head, *items])


def _exchange(kind: str, dice: random.Random, size: int) -> bytes:
    accounts = [
        _element("Konto", ("KontoID", f"{dice.randrange(10**12):012}"), ("Saldo", f"{dice.randrange(10**7)}.00"))
        for _ in range(size)
    ]
    head = _element("Afsender", ("CVRNummer", dice.choice(_CVR)), ("Aar", "2025"), ("Type", "NY"))
    return _document(f"{'FATCA' if kind == 'UFO' else kind}Indberetning", [head, *accounts])


def _element(name: str, *fields: tuple[str, str]) -> str:
    return f"<{name}>" + "".join(f"<{tag}>{text}</{tag}>" for tag, text in fields) + f"</{name}>"


def _xml(root: str, *fields: tuple[str, str]) -> bytes:
    return _document(root, [f"<{tag}>{text}</{tag}>" for tag, text in fields])


def _document(root: str, lines: list[str]) -> bytes:
    inner = "".join(f"  {line}\n" for line in lines)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}>\n{inner}</{root}>\n'.encode()
