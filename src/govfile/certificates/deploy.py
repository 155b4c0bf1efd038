"""What happens after a renewal: calling what must learn of it. Nothing here can undo one.

A hook is a callable that takes a `Renewed`, or a `Command`. What a command prints may hold secrets: no more than the
end of it is kept, with keys, the secrets it was told of and everything that looks like one blotted out.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import signal
import subprocess
import threading
from typing import TYPE_CHECKING, TypeAlias

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import IO

    from govfile.certificates.credential import Credential
    from govfile.certificates.keystore.slots import Generation, SlotId
    from govfile.certificates.secret import Secret

_log = logging.getLogger("govfile.certificates")

_KEPT = 4096
_SHOWN = 500
_PEM = re.compile(r"-----BEGIN [^-]*-----.*?(?:-----END [^-]*-----|\Z)", re.DOTALL)
_PEM_END = re.compile(r"\A.*-----END [^-]*-----", re.DOTALL)
_NAMED = re.compile(r"(?i)\b(\w*(?:pass|pwd|secret|token|key|pin|salasana|adgangskode)\w*)(\s*[:=]\s*|\s+is\s+)(\S+)")
_LONG = re.compile(r"[A-Za-z0-9+/_=-]{20,}")


@attrs.frozen(kw_only=True)
class Renewed:
    """A renewal that is done: the slot, the generation in use now, and its credential."""

    slot: SlotId
    generation: Generation
    credential: Credential


@attrs.frozen
class HookFailure:
    """A hook that did not do its work: which, why, and the end of what it printed, blotted."""

    hook: str
    why: str
    output: str = ""


@attrs.frozen
class Command:
    """A program to run after a renewal, with its arguments; no shell reads them.

    It finds GOVFILE_SLOT, GOVFILE_AUTHORITY, GOVFILE_ENVIRONMENT, GOVFILE_HOLDER, GOVFILE_FINGERPRINT,
    GOVFILE_EXPIRES (ISO 8601), GOVFILE_CERTIFICATE, GOVFILE_CHAIN and GOVFILE_KEY (paths) in its environment; the
    passphrase is not among them. After `timeout` seconds it and what it started are killed. `secrets` are blotted out
    of its output wherever they stand.
    """

    arguments: tuple[str, ...]
    timeout: float = 120.0
    secrets: tuple[Secret, ...] = attrs.field(default=(), repr=False)

    def run(self, renewed: Renewed) -> HookFailure | None:
        """Run it to its end; None when it ended with 0."""
        name = os.path.basename(self.arguments[0]) if self.arguments else "nothing"  # noqa: PTH119  # no path is meant
        try:
            process = subprocess.Popen(
                self.arguments,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env={**os.environ, **_told(renewed)},
                start_new_session=True,
            )
        except (OSError, ValueError, IndexError) as error:
            return HookFailure(name, f"cannot be started: {getattr(error, 'strerror', '') or type(error).__name__}")
        with process:
            code, tail = _wait(process, self.timeout)
        output = redacted(tail.decode("utf-8", "replace"), self.secrets)
        if code is None:
            return HookFailure(name, f"was killed after {self.timeout:g} s", output)
        return HookFailure(name, f"ended with {code}", output) if code else None


Hook: TypeAlias = "Callable[[Renewed], object] | Command"


def deploy(hooks: Iterable[Hook], renewed: Renewed) -> tuple[HookFailure, ...]:
    """Run every hook, whatever the ones before it did; those that failed."""
    failures = [found for hook in hooks if (found := _run(hook, renewed)) is not None]
    for failure in failures:
        _log.error("the hook %s for %s %s; the renewal stands", failure.hook, renewed.slot, failure.why)
    return tuple(failures)


def _run(hook: Hook, renewed: Renewed) -> HookFailure | None:
    if isinstance(hook, Command):
        return hook.run(renewed)
    try:
        hook(renewed)
    except Exception as error:  # noqa: BLE001  # somebody else's code, which must not stop the other slots
        name = getattr(hook, "__qualname__", type(hook).__name__)
        return HookFailure(name, f"raised {type(error).__name__}")  # its text is not ours: it may hold anything
    return None


def redacted(text: str, secrets: Iterable[Secret] = ()) -> str:
    """The end of `text` (500 characters) without the `secrets`, PEM blocks, named passwords and long tokens."""
    for secret in secrets:
        if secret.reveal():
            text = text.replace(secret.reveal(), "…")
    text = _PEM.sub("…", text)
    text = _PEM_END.sub("…", text)
    text = _NAMED.sub(r"\1\2…", text)
    text = _LONG.sub("…", text)
    return "".join(found if found.isprintable() or found == "\n" else "?" for found in text)[-_SHOWN:].strip()


def _told(renewed: Renewed) -> dict[str, str]:
    slot, generation = renewed.slot, renewed.generation
    return {
        "GOVFILE_SLOT": str(slot),
        "GOVFILE_AUTHORITY": slot.authority,
        "GOVFILE_ENVIRONMENT": slot.environment,
        "GOVFILE_HOLDER": slot.holder,
        "GOVFILE_FINGERPRINT": generation.fingerprint,
        "GOVFILE_EXPIRES": generation.expires.isoformat(),
        "GOVFILE_CERTIFICATE": str(generation.certificate_file.resolve()),
        "GOVFILE_CHAIN": str(generation.chain_file.resolve()),
        "GOVFILE_KEY": str(generation.key_file.resolve()),
    }


def _wait(process: subprocess.Popen[bytes], timeout: float) -> tuple[int | None, bytes]:
    """Its exit code (None: killed after the time-out) and the end of what it printed."""
    tail = bytearray()
    assert process.stdout is not None
    reader = threading.Thread(target=_keep_tail, args=(process.stdout, tail), daemon=True)
    reader.start()
    code: int | None
    try:
        code = process.wait(timeout)
    except subprocess.TimeoutExpired:
        code = None
    reader.join(1.0 if code is not None else 0)
    if code is None or reader.is_alive():  # a grandchild may hold the pipe open for ever
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        reader.join(1.0)
    return code, bytes(tail)


def _keep_tail(stream: IO[bytes], tail: bytearray) -> None:
    with contextlib.suppress(OSError, ValueError):
        while chunk := os.read(stream.fileno(), 65536):
            tail += chunk
            del tail[:-_KEPT]
