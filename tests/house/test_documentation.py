"""The documentation says what the code does: no page out of reach, no error, state or command left out."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess

import pytest

from govfile import errors
from govfile.filing import states
from support.repository import ROOT, modules, tree

DOCS = ROOT / "docs"
README = (ROOT / "README.md").read_text("utf-8")


def test_the_readme_opens_with_two_commands() -> None:
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    language, text = blocks[0]
    commands = text.splitlines()
    assert language == "sh"
    assert [line.rsplit("/", 1)[-1] for line in commands] == ["govfile demo", "nox"]
    assert [language for language, _ in blocks].count("sh") == 1


def test_ci_runs_the_second_command_of_the_readme() -> None:
    block = re.search(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert block is not None
    shown = subprocess.run(["bash", ROOT / ".ci" / "run", "--show"], check=True, capture_output=True, text=True).stdout
    assert shown.splitlines() == [block[1].splitlines()[1]]


def test_every_page_is_within_reach() -> None:
    """Sphinx warns of orphans when it runs; this says so without it."""
    pages = {path.relative_to(DOCS).with_suffix("").as_posix() for path in DOCS.rglob("*.md")} - {"index"}
    listed = set()
    for path in DOCS.rglob("*.md"):
        for block in re.findall(r"```\{toctree\}\n(.*?)```", path.read_text("utf-8"), re.DOTALL):
            here = path.parent.relative_to(DOCS).as_posix()
            names = [line.strip() for line in block.splitlines() if line.strip() and not line.startswith(":")]
            entries = [re.sub(r".*<(.*)>", r"\1", name).removesuffix(".md") for name in names]
            listed |= {entry if here == "." else f"{here}/{entry}" for entry in entries}
    assert sorted(pages - listed - {page for page in pages if page.startswith("_build/")}) == []


@pytest.mark.parametrize(
    "name",
    [name for name, kind in vars(errors).items() if inspect.isclass(kind) and issubclass(kind, errors.GovfileError)],
)
def test_every_error_is_described(name: str) -> None:
    page = (DOCS / "reference" / "errors.md").read_text("utf-8")
    assert re.search(rf"^\| `{name}` \|", page, re.MULTILINE), f"{name} is not in the table of docs/reference/errors.md"


def test_no_error_is_described_that_does_not_exist() -> None:
    page = (DOCS / "reference" / "errors.md").read_text("utf-8")
    described = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    assert [name for name in described if not hasattr(errors, name)] == []


def test_the_tables_of_states_are_those_of_the_code() -> None:
    page = (DOCS / "reference" / "states.md").read_text("utf-8")
    tables = {section.partition("\n")[0]: set(_rows(section)) for section in page.split("\n## ")}
    steps = {
        (proof.name, before.name if before else "nothing", after.name)
        for proof, moves in states.STEPS.items()
        for before, after in moves.items()
    }
    evidence = {(proof.name, state.name if state else "nothing") for proof, state in states.EVIDENCE.items()}
    assert tables["Our own steps"] == steps
    assert tables["Word from the authority"] == evidence
    assert {row[0] for row in tables["The states"]} == set(states.State.__members__)
    assert {row[0] for row in tables["The verdicts"]} == set(states.Verdict.__members__)


def _rows(section: str) -> list[tuple[str, ...]]:
    rows = [row.strip("|").split("|") for row in section.splitlines() if row.startswith("| `")]
    return [tuple(cell.strip(" `") for cell in row) for row in rows]


def test_the_declared_version_is_one() -> None:
    import tomllib

    import govfile

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == govfile.__version__
    assert f"## [{govfile.__version__}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_the_messages_explained_are_the_messages_given() -> None:
    """Headings of the troubleshooting page, up to the section on other programs, are words this package says."""
    page = (DOCS / "troubleshooting.md").read_text("utf-8").partition("\n## What servers and other programs say")[0]
    explained = [
        quoted for line in page.splitlines() if line.startswith("### ") for quoted in re.findall("`(.+?)`", line)
    ]
    assert len(explained) > 20
    given = messages()
    assert [text for text in explained if not any(text in message for message in given) and text != "out"] == []


def test_every_code_of_an_acknowledgement_is_in_the_troubleshooting_table_once() -> None:
    from govfile.onss import CODES

    page = (DOCS / "troubleshooting.md").read_text("utf-8").partition("### A refused file")[2].partition("\n### ")[0]
    cells = [row.split("|")[1] for row in page.splitlines() if re.match(r"\| \d", row)]
    listed: list[str] = []
    for entry in (entry.strip() for cell in cells for entry in cell.split(",")):
        first, _, last = entry.partition("\N{EN DASH}")
        listed += [f"{number:03}" for number in range(int(first), int(last or first) + 1)]
    assert sorted(listed) == sorted(CODES)


def messages() -> set[str]:
    """Every text in the package, what is filled in written as `…`."""
    found = set()
    for path in modules():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                pieces = [piece.value if isinstance(piece, ast.Constant) else "…" for piece in node.values]
                found.add("".join(str(piece) for piece in pieces))
    return found
