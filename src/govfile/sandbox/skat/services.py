"""The service folders, in families that are handled alike.

Folder names: the authority's notice on ICS and Manifest (2019), its page on the Rente areas, and the technical guide's
list of Classic areas (that a Classic folder bears exactly the area code is inferred). `UFO` is what FATCA was called in
2016; today's folder names for FATCA and CRS are not published.
"""

from __future__ import annotations

import enum


class Family(enum.Enum):
    """Services whose content is of one kind."""

    RENTE = "zip with one file per account"
    CLASSIC = "fixed-width records, sent as ASCII"
    CUSTOMS = "XML"
    EXCHANGE = "FATCA and CRS"
    OTHER = "anything"


RENTE = ("Udlaan", "Indlaan", "Pantebreve", "Prioritetslaan", "Pensiondiverse")
CLASSIC = ("BHOL", "AKSA", "UDBY", "ANPA", "AKFA", "FINK", "IFPA", "KTR", "OBLG", "IRTE", "CPS", "PERE")
ICS = (
    "SummariskIndgangsangivelseOpdaterService",
    "SummariskIndgangsangivelseOpretService",
    "SummariskIndgangsangivelseSamlingOmdirigerService",
)
MANIFEST = (
    "Manifest.AfgangsdeklarationOpdater",
    "Manifest.AfgangsdeklarationOpret",
    "Manifest.AfgangsdeklarationSlet",
    "Manifest.AnkomstdeklarationOpdater",
    "Manifest.AnkomstdeklarationOpret",
    "Manifest.AnkomstdeklarationSlet",
    "Manifest.EksternAnkomstOgAfgangsIndberetningOpret",
    "Manifest.MidlertidigOpbevaringOpdater",
    "Manifest.MidlertidigOpbevaringOpret",
    "Manifest.MidlertidigOpbevaringOpsplitOpret",
    "Manifest.MidlertidigOpbevaringSlet",
    "Manifest.TolddokumentSamlingHent",
)
EXCHANGE = ("UFO",)

ALL = (*RENTE, *CLASSIC, *ICS, *MANIFEST, *EXCHANGE)

_FAMILIES = {
    **dict.fromkeys(RENTE, Family.RENTE),
    **dict.fromkeys(CLASSIC, Family.CLASSIC),
    **dict.fromkeys((*ICS, *MANIFEST), Family.CUSTOMS),
    **dict.fromkeys(EXCHANGE, Family.EXCHANGE),
}


def family(service: str) -> Family:
    """The family of `service`; OTHER for a folder that is not on the list."""
    return _FAMILIES.get(service, Family.OTHER)
