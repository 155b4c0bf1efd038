"""Which way things lean: imports follow the arrows drawn in docs/explanation/architecture.md."""

from __future__ import annotations

import ast
from functools import cache
from typing import TYPE_CHECKING

from support.repository import PACKAGE, modules, nodes, room

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Room → the rooms it may use.
ARROWS = {
    "errors": set[str](),
    "certificates": {"errors"},
    "transports": {"certificates", "errors"},
    "xml": {"certificates", "errors"},
    "filing": {"xml", "transports", "certificates", "errors"},
    "skat": {"filing", "transports", "xml", "certificates", "errors"},
    "onss": {"filing", "transports", "xml", "certificates", "errors"},
    "sosi": {"transports", "xml", "certificates", "errors"},
    "vero": {"filing", "transports", "xml", "certificates", "errors"},
    "sandbox": {"skat", "onss", "vero", "sosi", "transports", "certificates", "errors"},
    "cli": {
        "__init__",
        "sandbox",
        "skat",
        "onss",
        "sosi",
        "vero",
        "filing",
        "transports",
        "xml",
        "certificates",
        "errors",
    },
}
#: The front door and `python -m govfile` may see everything.
DOORS = {"__init__", "__main__"}
#: What every package's door hangs on; it knows no room.
HINGE = "_on_first_use"
#: For type checkers only: the errors carry submissions.
DRAWN_IN_ANNOTATIONS = {("errors", "filing")}
#: What the sandbox takes from the room it judges: where a gateway is, never how a client reads or writes.
SHARED_WITH_THE_SANDBOX = {
    "govfile.certificates.credential": {"Credential"},
    "govfile.certificates.secret": {"Secret"},
    "govfile.certificates.ssh": {"SshKey"},
    "govfile.certificates.trust": {"Trust"},
    "govfile.onss.environments": None,
    "govfile.skat": {"environments"},
    "govfile.skat.environments": None,
    "govfile.sosi.environments": None,
    "govfile.sosi.trust": {"StsTrust"},
    "govfile.transports.base": {"Timeouts"},
    "govfile.transports.ftps_policy": None,
    "govfile.transports.sftp.host_keys": {"HostKeys"},
    "govfile.vero.environments": None,
}


def test_imports_follow_the_arrows() -> None:
    upward = [
        f"{path.relative_to(PACKAGE)}:{line} imports {target}"
        for path in modules()
        if room(path) not in DOORS
        for target, line, _, for_types in imports(path)
        if not may_use(room(path), target, for_types)
    ]
    assert upward == []


def test_every_room_is_drawn() -> None:
    assert {room(path) for path in modules()} - DOORS - {HINGE} <= set(ARROWS)


def test_the_sandbox_shares_no_builder_parser_or_verifier_with_the_client() -> None:
    """Two mistakes must not agree with each other."""
    borrowed = []
    for path in (PACKAGE / "sandbox").rglob("*.py"):
        for target, line, name, _ in imports(path):
            if target.startswith(
                (
                    "govfile.skat",
                    "govfile.onss",
                    "govfile.sosi",
                    "govfile.vero",
                    "govfile.transports",
                    "govfile.certificates",
                )
            ):
                allowed = SHARED_WITH_THE_SANDBOX.get(target, set())
                if allowed is not None and name not in allowed:
                    borrowed.append(f"{path.name}:{line} takes {name} from {target}")
    assert borrowed == []


def test_xml_is_parsed_in_one_place() -> None:
    parsers = ("lxml", "xml.etree", "xml.dom", "xml.sax", "defusedxml", "xmltodict", "signxml")
    elsewhere = [
        f"{path.relative_to(PACKAGE)} imports {name}"
        for path in modules()
        if room(path) not in {"xml", "sandbox"}
        for node in nodes(path)
        for name in _imported(node)
        if name.startswith(parsers)
    ]
    assert elsewhere == []


def may_use(user: str, target: str, for_types: bool) -> bool:
    """Whether a module of room `user` may import `target`."""
    used = target.split(".")[1] if "." in target else "__init__"
    if HINGE in (user, used):
        return used == HINGE
    return used == user or used in ARROWS[user] or (for_types and (user, used) in DRAWN_IN_ANNOTATIONS)


@cache
def imports(path: Path) -> list[tuple[str, int, str, bool]]:
    """Every import of ours in a file: module, line, name taken from it, and whether for type checkers only."""
    return list(_imports(path))


def _imports(path: Path) -> Iterator[tuple[str, int, str, bool]]:
    guarded = {
        id(inner)
        for node in nodes(path)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for inner in ast.walk(node)
    }
    for node in nodes(path):
        if isinstance(node, ast.ImportFrom) and node.level:
            raise AssertionError(f"{path}:{node.lineno}: a relative import hides which room it goes to")
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "govfile":
            for alias in node.names:
                inside = node.module == "govfile" and alias.name != "__version__"
                module = f"govfile.{alias.name}" if inside else str(node.module)
                yield module, node.lineno, alias.name, id(node) in guarded
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] == "govfile":
                    yield alias.name, node.lineno, alias.name, id(node) in guarded


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [str(node.module)]
    return []
