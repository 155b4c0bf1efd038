"""Every check of this repository behind one command: `nox` runs them all, `nox -s tests` one of them.

Environments are kept in `.nox` and only built anew when `pyproject.toml` or what a session asks for changes, so a
second run starts checking at once. Packages come from the configured index alone; no compiler is needed.
"""

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path
from typing import Any

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "virtualenv"
nox.options.reuse_venv = "yes"
nox.options.error_on_missing_interpreters = True
nox.options.sessions = ["lint", "types", "docs", "wheel", "lower_bounds", "tests"]

HERE = Path(__file__).parent
PYPROJECT: dict[str, Any] = nox.project.load_toml(HERE / "pyproject.toml")
EVERYTHING = f"{HERE}[{','.join(PYPROJECT['project']['optional-dependencies'])}]"

#: Workers for the tests; the servers they start are as many again.
WORKERS = ("-n", "auto", "--dist", "worksteal")
#: A test that hangs says where.
HANGING = ("-o", "faulthandler_timeout=300")


def groups(*names: str) -> tuple[str, ...]:
    """The requirements of some PEP 735 groups."""
    return nox.project.dependency_groups(PYPROJECT, *names)


def install(session: nox.Session, *what: str) -> None:
    """Install `what`, unless this environment was made from the very same request and `pyproject.toml`."""
    request = [sys.version, (HERE / "pyproject.toml").read_text("utf-8"), *what]
    request += [Path(word).read_text("utf-8") for word in what if word.endswith(".txt")]
    digest = hashlib.sha256("\0".join(request).encode()).hexdigest()
    stamp = Path(session.virtualenv.location) / "govfile-installed"
    if stamp.is_file() and stamp.read_text("ascii") == digest:
        session.log("the environment is up to date")
        return
    stamp.unlink(missing_ok=True)
    session.install("--disable-pip-version-check", *what)
    stamp.write_text(digest, "ascii")


@nox.session
def lint(session: nox.Session) -> None:
    """Style, likely mistakes and formatting (ruff)."""
    install(session, *groups("lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Types, by two checkers: mypy --strict on everything, pyright on the package."""
    install(session, *groups("typing", "tests"), "-e", EVERYTHING)
    session.run("mypy")
    session.run("pyright", env={"PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"})


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation, every warning an error, and run the code in it."""
    install(session, *groups("docs", "tests"), "-e", EVERYTHING)
    session.run("sphinx-build", "-n", "-W", "--keep-going", "-q", "-b", "html", "docs", "docs/_build/html")
    session.run("pytest", "-q", "-p", "no:randomly", *HANGING, "docs")


@nox.session
def wheel(session: nox.Session) -> None:
    """Build the wheel and the source distribution, install the wheel without extras and import it."""
    install(session, *groups("build"))
    dist = Path(session.virtualenv.location).resolve() / "dist"
    for old in dist.glob("govfile-*"):
        old.unlink()
    session.run("python", "-m", "build", "--no-isolation", "--outdir", str(dist), silent=True)
    (built,) = dist.glob("govfile-*.whl")
    session.run("python", "tests/house/check_wheel.py", str(built), *map(str, dist.glob("govfile-*.tar.gz")))


@nox.session
def lower_bounds(session: nox.Session) -> None:
    """The oldest versions `pyproject.toml` declares, installed together, pass the tests."""
    constraints = Path(session.virtualenv.location).resolve() / "lowest.txt"
    constraints.write_text("\n".join(lowest()) + "\n", "utf-8")
    install(session, *groups("tests"), "-e", EVERYTHING, "-c", str(constraints))
    session.run("pytest", "-q", *WORKERS, *HANGING, "-m", "not slow", *session.posargs)


def lowest() -> list[str]:
    """`name==version` for the lower bound of every requirement of the package and its extras."""
    project = PYPROJECT["project"]
    declared = [
        *project["dependencies"],
        *(word for extra in project["optional-dependencies"].values() for word in extra),
    ]
    bounds = []
    for requirement in declared:
        match = re.fullmatch(r"([A-Za-z0-9._-]+)(?:\[[^]]*])?>=([0-9.]+)", requirement)
        if match is None:
            raise ValueError(f"{requirement!r} declares no lower bound of the form name>=version")
        bounds.append(f"{match[1]}=={match[2]}")
    return bounds


@nox.session
def tests(session: nox.Session) -> None:
    """The whole suite with the newest packages, in random order, warnings as errors."""
    install(session, *groups("tests"), "-e", EVERYTHING)
    session.run("pytest", *WORKERS, *HANGING, *session.posargs)


@nox.session(default=False)
def unit(session: nox.Session) -> None:
    """The tests that stay within one process: seconds, for the time between two thoughts."""
    install(session, *groups("tests"), "-e", EVERYTHING)
    session.run("pytest", "-q", *WORKERS, "-m", "unit", *session.posargs)


@nox.session(default=False)
def benchmarks(session: nox.Session) -> None:
    """All benchmarks beside their peers, and the table of ratios. Not part of the default run."""
    install(session, *groups("tests"), "-e", EVERYTHING)
    session.run("python", "-m", "benchmarks", *session.posargs)
