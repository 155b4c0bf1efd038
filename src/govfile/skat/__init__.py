"""The Danish tax and customs FTPS gateway.

    with skat.Gateway(skat.PRODUCTION, credential, password=password, ledger=ledger) as gateway:
        filed = gateway.submit("19552101_2025_a1.zip", service="Udlaan")
        final = gateway.wait(filed, into="answers")

The names here load on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from govfile._on_first_use import on_first_use

if TYPE_CHECKING:
    from govfile.skat.classic import Counting as Counting
    from govfile.skat.classic import RecordRules as RecordRules
    from govfile.skat.codes import CODES as CODES
    from govfile.skat.codes import ErrorCode as ErrorCode
    from govfile.skat.codes import explain as explain
    from govfile.skat.collecting import Collection as Collection
    from govfile.skat.collecting import Skipped as Skipped
    from govfile.skat.environments import PRODUCTION as PRODUCTION
    from govfile.skat.environments import PRODUCTION_RETIRED as PRODUCTION_RETIRED
    from govfile.skat.environments import TEST as TEST
    from govfile.skat.environments import TEST_RETIRED as TEST_RETIRED
    from govfile.skat.environments import Environment as Environment
    from govfile.skat.environments import Patience as Patience
    from govfile.skat.filing import Filing as Filing
    from govfile.skat.gateway import Gateway as Gateway
    from govfile.skat.naming import Making as Making
    from govfile.skat.naming import Naming as Naming
    from govfile.skat.recovery import Resumed as Resumed
    from govfile.skat.services import CLASSIC as CLASSIC
    from govfile.skat.services import CPS as CPS
    from govfile.skat.services import ICS as ICS
    from govfile.skat.services import MANIFEST as MANIFEST
    from govfile.skat.services import PROFILES as PROFILES
    from govfile.skat.services import RENTE as RENTE
    from govfile.skat.services import UFO as UFO
    from govfile.skat.services import Family as Family
    from govfile.skat.services import ServiceProfile as ServiceProfile
    from govfile.skat.services import classic_profile as classic_profile
    from govfile.skat.services import crs_profile as crs_profile
    from govfile.skat.status import StatusFile as StatusFile
    from govfile.skat.status import StatusName as StatusName

_HOMES = {
    "Counting": "classic",
    "RecordRules": "classic",
    "CODES": "codes",
    "ErrorCode": "codes",
    "explain": "codes",
    "Collection": "collecting",
    "Skipped": "collecting",
    "PRODUCTION": "environments",
    "PRODUCTION_RETIRED": "environments",
    "TEST": "environments",
    "TEST_RETIRED": "environments",
    "Environment": "environments",
    "Patience": "environments",
    "Filing": "filing",
    "Gateway": "gateway",
    "Making": "naming",
    "Naming": "naming",
    "Resumed": "recovery",
    "CLASSIC": "services",
    "CPS": "services",
    "ICS": "services",
    "MANIFEST": "services",
    "PROFILES": "services",
    "RENTE": "services",
    "UFO": "services",
    "Family": "services",
    "ServiceProfile": "services",
    "classic_profile": "services",
    "crs_profile": "services",
    "StatusFile": "status",
    "StatusName": "status",
}

__all__ = sorted(_HOMES)  # pyright: ignore[reportUnsupportedDunderAll]

__getattr__, __dir__ = on_first_use(__name__, _HOMES)
