"""The batch channel of the Belgian social security: declarations over SFTP, signed and triggered once, and what comes
back.

The names below load on first use. Facts and their sources: `docs/protocols/onss.md`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from govfile._on_first_use import on_first_use

if TYPE_CHECKING:
    from govfile.onss.accounts import check_sender as check_sender
    from govfile.onss.accounts import next_synchronisation as next_synchronisation
    from govfile.onss.accounts import user_name_warnings as user_name_warnings
    from govfile.onss.acrf import Acrf as Acrf
    from govfile.onss.acrf import AcrfForm as AcrfForm
    from govfile.onss.acrf import parse_acrf as parse_acrf
    from govfile.onss.anomalies import AnomalyReport as AnomalyReport
    from govfile.onss.channel import Channel as Channel
    from govfile.onss.codes import CODES as CODES
    from govfile.onss.codes import ErrorCode as ErrorCode
    from govfile.onss.codes import explain as explain
    from govfile.onss.collecting import Collection as Collection
    from govfile.onss.declaration import Filing as Filing
    from govfile.onss.environments import CIRCUIT_TEST as CIRCUIT_TEST
    from govfile.onss.environments import DECLARATION_TEST as DECLARATION_TEST
    from govfile.onss.environments import PRODUCTION as PRODUCTION
    from govfile.onss.environments import Environment as Environment
    from govfile.onss.environments import Signing as Signing
    from govfile.onss.fs import Layout as Layout
    from govfile.onss.fs import decode_fs as decode_fs
    from govfile.onss.fs import encode_fs as encode_fs
    from govfile.onss.fs import sign_file as sign_file
    from govfile.onss.fs import verify_answer as verify_answer
    from govfile.onss.names import BatchName as BatchName
    from govfile.onss.names import Prefix as Prefix
    from govfile.onss.notification import Notification as Notification
    from govfile.onss.notification import NotificationForm as NotificationForm
    from govfile.onss.notification import parse_notification as parse_notification
    from govfile.onss.packing import PackingLimits as PackingLimits
    from govfile.onss.packing import unpack as unpack
    from govfile.onss.purposes import PURPOSES as PURPOSES
    from govfile.onss.purposes import Purpose as Purpose
    from govfile.onss.purposes import purpose as purpose
    from govfile.onss.replies import Reply as Reply

_HOMES = {
    "check_sender": "accounts",
    "next_synchronisation": "accounts",
    "user_name_warnings": "accounts",
    "Acrf": "acrf",
    "AcrfForm": "acrf",
    "parse_acrf": "acrf",
    "AnomalyReport": "anomalies",
    "Channel": "channel",
    "CODES": "codes",
    "ErrorCode": "codes",
    "explain": "codes",
    "Collection": "collecting",
    "Filing": "declaration",
    "CIRCUIT_TEST": "environments",
    "DECLARATION_TEST": "environments",
    "PRODUCTION": "environments",
    "Environment": "environments",
    "Signing": "environments",
    "Layout": "fs",
    "decode_fs": "fs",
    "encode_fs": "fs",
    "sign_file": "fs",
    "verify_answer": "fs",
    "BatchName": "names",
    "Prefix": "names",
    "Notification": "notification",
    "NotificationForm": "notification",
    "parse_notification": "notification",
    "PackingLimits": "packing",
    "unpack": "packing",
    "Reply": "replies",
    "PURPOSES": "purposes",
    "Purpose": "purposes",
    "purpose": "purposes",
}

__all__ = sorted(_HOMES)  # pyright: ignore[reportUnsupportedDunderAll]

__getattr__, __dir__ = on_first_use(__name__, _HOMES)
