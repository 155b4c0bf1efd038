"""The Danish healthcare STS on localhost, with an identity provider and services to call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from govfile._on_first_use import on_first_use

if TYPE_CHECKING:
    from govfile.sandbox.clock import SandboxClock as SandboxClock
    from govfile.sandbox.sosi.authority import SosiSandbox as SosiSandbox
    from govfile.sandbox.sosi.calls import CallRefused as CallRefused
    from govfile.sandbox.sosi.command import serve as serve
    from govfile.sandbox.sosi.consumer import Login as Login
    from govfile.sandbox.sosi.faults import Envelope as Envelope
    from govfile.sandbox.sosi.faults import Faults as Faults
    from govfile.sandbox.sosi.faults import Other as Other
    from govfile.sandbox.sosi.faults import Spoilt as Spoilt
    from govfile.sandbox.sosi.faults import Wrapping as Wrapping
    from govfile.sandbox.sosi.people import Authorisation as Authorisation
    from govfile.sandbox.sosi.people import CertificateKind as CertificateKind
    from govfile.sandbox.sosi.people import Holder as Holder
    from govfile.sandbox.sosi.refusals import Refused as Refused
    from govfile.sandbox.sosi.service import Answered as Answered
    from govfile.sandbox.sosi.services import Called as Called
    from govfile.sandbox.sosi.settings import Audience as Audience
    from govfile.sandbox.sosi.settings import Encryption as Encryption
    from govfile.sandbox.sosi.settings import Paths as Paths
    from govfile.sandbox.sosi.settings import Settings as Settings
    from govfile.sandbox.sosi.settings import SigningAlgorithm as SigningAlgorithm

_HOMES = {
    "Answered": "service",
    "Audience": "settings",
    "Authorisation": "people",
    "CallRefused": "calls",
    "Called": "services",
    "CertificateKind": "people",
    "Encryption": "settings",
    "Envelope": "faults",
    "Faults": "faults",
    "Holder": "people",
    "Login": "consumer",
    "Other": "faults",
    "Paths": "settings",
    "Refused": "refusals",
    "SandboxClock": ".clock",
    "Settings": "settings",
    "SigningAlgorithm": "settings",
    "SosiSandbox": "authority",
    "Spoilt": "faults",
    "Wrapping": "faults",
    "serve": "command",
}

__all__ = [
    "Answered",
    "Audience",
    "Authorisation",
    "CallRefused",
    "Called",
    "CertificateKind",
    "Encryption",
    "Envelope",
    "Faults",
    "Holder",
    "Login",
    "Other",
    "Paths",
    "Refused",
    "SandboxClock",
    "Settings",
    "SigningAlgorithm",
    "SosiSandbox",
    "Spoilt",
    "Wrapping",
    "serve",
]

__getattr__, __dir__ = on_first_use(__name__, _HOMES)
