"""What each service wants: its folder, how bytes cross, what a name and the content must be. Data, not code.

Sources: the authority's notice on ICS and Manifest (2019), its pages on Rente through the gateway (oid 2244952), on CRS
file rules (oid 2383399) and on FATCA receipts (oid 2233279), its Manifest page (XML only, oid 1970698), and the
technical guide for eKapital, whose area codes are taken for folder names (inferred). The list is open: a service that
is not in it is taken as a plain binary one, and `attrs.evolve` makes a variant of any profile.
"""

from __future__ import annotations

import enum
from types import MappingProxyType
from typing import TYPE_CHECKING

import attrs

from govfile.errors import ConfigurationError, InvalidContent
from govfile.filing.names import CAREFUL
from govfile.skat import rente
from govfile.skat.classic import RecordRules
from govfile.skat.naming import CRS_NAMES, RENTE_NAMES, SAFE_NAMES, Naming
from govfile.transports.base import TransferType
from govfile.xml.parse import check_well_formed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from govfile.transports.base import Content


class Family(enum.Enum):
    """Services that are handled alike."""

    ICS = "ICS"
    MANIFEST = "Manifest"
    RENTE = "Rente"
    CLASSIC = "Classic"
    CRS = "CRS and FATCA"
    OTHER = "other"


def _check_prefix(profile: ServiceProfile, _attribute: object, prefix: str | None) -> None:
    """An empty one would file for real what is meant to be checked only."""
    if prefix is not None and not CAREFUL.allows(prefix):
        raise ConfigurationError(
            f"{prefix!r} cannot be the validation prefix of {profile.name}",
            advice="give letters, digits, `_`, `.` or `-`, or None for a service that has no dry run",
        )


@attrs.frozen(kw_only=True)
class ServiceProfile:
    """One service.

    `name` is how this library and the ledger call it, `folder` the remote folder (the same unless given); to the ledger
    two profiles of one folder are two services, each with filings of its own. `transfer` is how bytes cross, `naming`
    what file names must be. `content_check` reads the document and raises `InvalidContent`; None checks only that it is
    not empty. `validation_prefix` put before a name asks for a check instead of filing, None where the service has no
    such thing. `largest` bounds the document in bytes, None: no bound is known.
    """

    name: str
    family: Family = Family.OTHER
    folder: str = attrs.field(default=attrs.Factory(lambda self: self.name, takes_self=True))
    transfer: TransferType = TransferType.BINARY
    naming: Naming = SAFE_NAMES
    content_check: Callable[[Content], object] | None = None
    validation_prefix: str | None = attrs.field(default=None, validator=_check_prefix)
    largest: int | None = None

    def check(self, content: Content) -> None:
        """Raise `InvalidContent` for a document the service is known to refuse."""
        if content.size == 0:
            raise InvalidContent("the document is empty", advice="check the program that wrote it")
        if self.largest is not None and content.size > self.largest:
            raise InvalidContent(
                f"the document has {content.size} bytes; {self.name} takes at most {self.largest}",
                advice="file it in several documents",
            )
        if self.content_check is not None:
            self.content_check(content)


def _check_xml(content: Content) -> None:
    with content.open() as reader:
        check_well_formed(reader)


def classic_profile(name: str, records: RecordRules | None = None) -> ServiceProfile:
    """A profile for a Classic area: ASCII, fixed-width records."""
    return ServiceProfile(
        name=name, family=Family.CLASSIC, transfer=TransferType.ASCII, content_check=records or RecordRules()
    )


def crs_profile(name: str, folder: str) -> ServiceProfile:
    """A profile for CRS or FATCA in a folder you name: today's folder names are not published."""
    return ServiceProfile(name=name, folder=folder, family=Family.CRS, naming=CRS_NAMES)


def _customs(family: Family, *names: str) -> tuple[ServiceProfile, ...]:
    return tuple(ServiceProfile(name=name, family=family, content_check=_check_xml) for name in names)


def _rente(*names: str) -> tuple[ServiceProfile, ...]:
    return tuple(
        ServiceProfile(
            name=name,
            family=Family.RENTE,
            naming=RENTE_NAMES,
            content_check=rente.check_zip,
            validation_prefix=rente.VALIDATION_PREFIX,
        )
        for name in names
    )


ICS = _customs(
    Family.ICS,
    "SummariskIndgangsangivelseOpdaterService",
    "SummariskIndgangsangivelseOpretService",
    "SummariskIndgangsangivelseSamlingOmdirigerService",
)
MANIFEST = _customs(
    Family.MANIFEST,
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
RENTE = _rente("Udlaan", "Indlaan", "Pantebreve", "Prioritetslaan", "Pensiondiverse")

#: Pensions: the one Classic layout that is published here.
CPS = classic_profile("CPS", RecordRules(length=868))
CLASSIC = (
    CPS,
    *map(classic_profile, ("BHOL", "AKSA", "UDBY", "ANPA", "AKFA", "FINK", "IFPA", "KTR", "OBLG", "IRTE", "PERE")),
)

#: FATCA as its service was called in 2016; today's name is not published.
UFO = crs_profile("UFO", "UFO")

#: Every profile that ships, by name.
PROFILES: Mapping[str, ServiceProfile] = MappingProxyType(
    {profile.name: profile for profile in (*ICS, *MANIFEST, *RENTE, *CLASSIC, UFO)}
)


@attrs.frozen
class Services:
    """The profiles in force: those that ship, and the caller's own in front of them."""

    own: Mapping[str, ServiceProfile]

    @classmethod
    def of(cls, profiles: Iterable[ServiceProfile] = ()) -> Services:
        """Raises `ConfigurationError` when two profiles share a name."""
        own: dict[str, ServiceProfile] = {}
        for profile in profiles:
            if profile.name in own:
                raise ConfigurationError(f"two profiles are called {profile.name!r}")
            own[profile.name] = profile
        return cls(MappingProxyType(own))

    def get(self, name: str) -> ServiceProfile:
        """The profile for a service; a plain binary one for a name that is not known: the gateway decides."""
        given: object = name
        found = (self.own.get(name) or PROFILES.get(name)) if isinstance(given, str) else None
        if found is not None:
            return found
        if not isinstance(given, str) or not name.isprintable() or "/" in name or name in ("", ".", "..", "out"):
            raise ConfigurationError(
                f"{name!r} cannot be a service", advice="give the name of its folder, such as Udlaan"
            )
        return ServiceProfile(name=name)
