"""What holds for every test: nothing leaves this machine, nothing of its owner leaks in, no secret is left behind."""

from __future__ import annotations

import functools
import gc
import os
import re
import shutil
import signal
import socket
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.leaks import Leaks

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

#: Settings of whoever runs the tests that would change what the code does.
FOREIGN = re.compile(
    r"(?i)(.*_proxy|SSL_CERT_.*|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|PG[A-Z]+|SOFTHSM2_CONF|GOVFILE_(?!SERVERS).*|XDG_.*)"
)
LOOPBACK = re.compile(r"(127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+|0\.0\.0\.0|::|localhost|)")

#: Room enough for the files of the unit tests and of several such runs, in bytes.
ROOM = 1 << 30

#: What a test module holds when it talks to a server or starts a program; it is then no unit test.
OUTSIDE = (
    "govfile.sandbox",
    "multiprocessing",
    "subprocess",
    "support.cli",
    "support.ftp",
    "support.killing",
    "support.onss_sender",
    "support.postgres",
    "support.sandboxed",
    "support.scripted",
    "support.small_disks",
    "support.softhsm",
    "support.sshd",
    "support.verifying",
)

#: Such an import at the top of a file is seen without running it.
STARTS_OUTSIDE = re.compile(rf"^(?:from|import) (?:{'|'.join(map(re.escape, OUTSIDE))})", re.MULTILINE)

leaks = Leaks()


def pytest_configure(config: pytest.Config) -> None:
    """Scrub the environment before anything is imported, and start watching."""
    for name in [name for name in os.environ if FOREIGN.fullmatch(name)]:
        del os.environ[name]
    home = tempfile.TemporaryDirectory(prefix="govfile-home-")
    config.add_cleanup(home.cleanup)
    os.environ["HOME"] = home.name
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # run in the background: programs would inherit that
        signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else every worker and every program compiles all of it anew
    sys.dont_write_bytecode = False
    if _only_units(config):
        _keep_files_in_memory(config)
    leaks.watch()
    _keep_to_loopback(config)


def _only_units(config: pytest.Config) -> bool:
    return bool(config.option.markexpr == "unit")


def _keep_files_in_memory(config: pytest.Config) -> None:
    """Unit tests wait for no disk; whoever wants to see the files of one that failed runs it by its name."""
    memory = Path("/dev/shm")
    given = config.option.basetemp or os.environ.get("TMPDIR")
    if given or not memory.is_dir() or shutil.disk_usage(memory).free < ROOM:
        return
    folder = tempfile.TemporaryDirectory(prefix="govfile-unit-", dir=memory)
    config.add_cleanup(folder.cleanup)
    os.environ["TMPDIR"] = tempfile.tempdir = folder.name


def _keep_to_loopback(config: pytest.Config) -> None:
    """Let sockets of this process reach only this machine; a test that tries anything else fails."""
    patch = pytest.MonkeyPatch()
    config.add_cleanup(patch.undo)
    for name in ("connect", "connect_ex"):
        patch.setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))
    look_up = socket.getaddrinfo

    def getaddrinfo(host: Any, *rest: Any, **options: Any) -> Any:
        text = host.decode() if isinstance(host, bytes) else str(host or "")
        if text.endswith((".invalid", ".test", ".example")):  # RFC 6761: they never resolve, so nobody is asked
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        if not LOOPBACK.fullmatch(text) and text != socket.gethostname():
            pytest.fail(f"the test looked up {text}: only this machine may be reached")
        return look_up(host, *rest, **options)

    patch.setattr(socket, "getaddrinfo", getaddrinfo)


def _guarded(connect: Callable[..., Any]) -> Callable[..., Any]:
    def to_this_machine(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not LOOPBACK.fullmatch(str(address[0])):
            pytest.fail(f"the test connected to {address[0]}: only this machine may be reached")
        return connect(self, address)

    return to_this_machine


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not even import, for unit tests alone, a file that holds none."""
    is_test = collection_path.suffix == ".py" and collection_path.name.startswith("test_")
    return True if _only_units(config) and is_test and _starts_outside(str(collection_path)) else None


@functools.cache
def _starts_outside(path: str) -> bool:
    return STARTS_OUTSIDE.search(Path(path).read_text("utf-8")) is not None


def pytest_collection_finish() -> None:
    """What was collected stays: looking through it again for garbage would cost seconds."""
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as `outside` what leaves this process, so that `-m unit` is quick; what remains is `unit`."""
    kinds: dict[object, str] = {}
    for item in items:
        module = getattr(item, "module", None)
        if module not in kinds:
            kinds[module] = "outside" if _leaves_the_process(module) else "unit"
        apart = any(item.get_closest_marker(name) for name in ("servers", "slow", "outside"))
        item.add_marker("outside" if apart else kinds[module])


def _leaves_the_process(module: object) -> bool:
    """Whether it imports a module named in `OUTSIDE`, or holds something of one under any name."""
    if _starts_outside(str(getattr(module, "__file__", ""))):
        return True
    homes = (getattr(held, "__module__", None) or getattr(held, "__name__", "") for held in vars(module).values())
    return any(isinstance(home, str) and home.startswith(OUTSIDE) for home in homes)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name long documents by their argument: a zip holds the time, and every worker must make the same names."""
    return argname if isinstance(val, bytes | str) and len(val) > 80 else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """L-09: what a test printed or logged, at every level, holds no secret."""
    report = yield
    if report.when == "teardown" and report.passed:
        found = leaks.in_text("\n".join(text for _, text in report.sections))
        if found:
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid} printed or logged a secret: {', '.join(found)}"
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """L-09: hand what a worker knows to the main process; there, scan all that the tests left behind."""
    worker = getattr(session.config, "workeroutput", None)
    if worker is not None:
        worker["govfile_secrets"] = sorted(leaks.secrets)
        return
    factory = session.config._tmp_path_factory  # type: ignore[attr-defined]
    if factory._basetemp is None:
        return
    found = leaks.in_folder(factory._basetemp)
    if found:
        session.config.stash[_FOUND] = found
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


_FOUND = pytest.StashKey[list[str]]()


class _FromWorkers:
    """Collects the secrets of the workers where pytest-xdist runs them."""

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        leaks.secrets.update(getattr(node, "workeroutput", {}).get("govfile_secrets", ()))


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Register the collector early; it stays silent where there are no workers."""
    pluginmanager.register(_FromWorkers())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say which files hold a secret, by name only."""
    for line in config.stash.get(_FOUND, []):
        terminalreporter.write_line(f"SECRET LEFT BEHIND: {line}", red=True)
