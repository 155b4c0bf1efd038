"""The Finnish certificate service: enrol, renew and fetch the certificates of the Incomes Register; and the register's
web services, which they open.

The names below load on first use. Facts and their sources: `docs/protocols/vero.md`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from govfile._on_first_use import on_first_use

if TYPE_CHECKING:
    from govfile.vero.anchors import Pin as Pin
    from govfile.vero.anchors import Pins as Pins
    from govfile.vero.application import Application as Application
    from govfile.vero.application import Kind as Kind
    from govfile.vero.application import Step as Step
    from govfile.vero.delivery import Delivery as Delivery
    from govfile.vero.delivery import DeliveryStatus as DeliveryStatus
    from govfile.vero.delivery import Item as Item
    from govfile.vero.delivery import RegisterError as RegisterError
    from govfile.vero.environments import PRODUCTION as PRODUCTION
    from govfile.vero.environments import TEST as TEST
    from govfile.vero.environments import TEST_BENCH as TEST_BENCH
    from govfile.vero.environments import Environment as Environment
    from govfile.vero.environments import Register as Register
    from govfile.vero.ids import CustomerId as CustomerId
    from govfile.vero.ids import RetrievalId as RetrievalId
    from govfile.vero.messages import ErrorInfo as ErrorInfo
    from govfile.vero.record import Party as Party
    from govfile.vero.register import IncomesRegister as IncomesRegister
    from govfile.vero.service import CertificateService as CertificateService

_HOMES = {
    "Pin": "anchors",
    "Pins": "anchors",
    "Application": "application",
    "Kind": "application",
    "Step": "application",
    "Delivery": "delivery",
    "DeliveryStatus": "delivery",
    "Item": "delivery",
    "RegisterError": "delivery",
    "Environment": "environments",
    "PRODUCTION": "environments",
    "Register": "environments",
    "TEST": "environments",
    "TEST_BENCH": "environments",
    "CustomerId": "ids",
    "RetrievalId": "ids",
    "ErrorInfo": "messages",
    "Party": "record",
    "IncomesRegister": "register",
    "CertificateService": "service",
}

__all__ = sorted(_HOMES)  # pyright: ignore[reportUnsupportedDunderAll]

__getattr__, __dir__ = on_first_use(__name__, _HOMES)
