"""From a document to a claim: everything that can be checked before anything leaves the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from govfile.errors import ConfigurationError, DuplicateContent
from govfile.filing.claim import Claim
from govfile.filing.source import Source
from govfile.filing.states import State
from govfile.skat.naming import remote_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from govfile.errors import AlreadyFiled
    from govfile.filing.ledger import Ledger
    from govfile.filing.scope import Scope
    from govfile.filing.source import Document
    from govfile.filing.submission import Submission
    from govfile.skat.services import ServiceProfile
    from govfile.skat.username import Login


@attrs.frozen(kw_only=True)
class Filing:
    """A document of a batch, with what is its own: `name` as in `submit`, `key` and `again` likewise."""

    document: Document = attrs.field(repr=False)
    name: str | None = None
    key: str | None = None
    again: str | None = None


@attrs.frozen(kw_only=True)
class Prepared:
    """A document that passed every local check. `name_was_made` when the caller gave no name."""

    source: Source
    claim: Claim
    profile: ServiceProfile
    name_was_made: bool


@attrs.frozen(kw_only=True)
class Preparer:
    """Prepares documents for one login."""

    scope: Scope
    login: Login
    fingerprint: str
    clock: Callable[[], datetime]
    randomness: Callable[[int], bytes]

    def prepare(self, filing: Filing, profile: ServiceProfile, *, is_dry_run: bool) -> Prepared:
        """Measure, check and name a document.

        Raises `InvalidContent`, `InvalidName`, or `ConfigurationError` for a dry run the service does not have.
        """
        if is_dry_run and profile.validation_prefix is None:
            raise ConfigurationError(
                f"{profile.name} has no dry run: whatever is sent there is filed",
                certain="nothing was sent",
                advice="leave dry_run out, or use the test environment",
            )
        if isinstance(filing.again, str) and not filing.again.strip():
            raise ConfigurationError("again= needs a reason", advice="say in words why the content is filed again")
        source = Source.of(filing.document)
        name = filing.name
        if name is None:
            name = profile.naming.make(
                self.login,
                source.path.name if source.path else None,
                clock=self.clock,
                randomness=self.randomness,
            )
        remote = remote_name(profile.naming, name, prefix=profile.validation_prefix, is_dry_run=is_dry_run)
        profile.check(source)
        claim = Claim(
            authority=self.scope.authority,
            environment=self.scope.environment,
            sender=self.scope.sender,
            service=profile.name,
            name=remote,
            size=source.size,
            sha256=source.sha256,
            filed_by=self.login.username,
            certificate=self.fingerprint,
            is_dry_run=is_dry_run,
            key=filing.key,
            again=filing.again,
            source_path=str(source.path) if source.path else None,
        )
        return Prepared(source=source, claim=claim, profile=profile, name_was_made=filing.name is None)


class Unsent:
    """Repeats (`again=`, dry runs) that an earlier call claimed and that never left: the same wish goes on with them.

    No guard of the ledger holds them to one, since they are meant to repeat. A second claim would be sent beside the
    first one, which `resume` sends. Each is given once; make a new `Unsent` for each call.
    """

    def __init__(self, ledger: Ledger, scope: Scope) -> None:
        self._ledger = ledger
        self._scope = scope
        self._found: dict[tuple[object, ...], list[Submission]] | None = None

    def take(self, prepared: Prepared) -> Submission | None:
        """The submission to go on with; None when the claim is to be made."""
        claim = prepared.claim
        if not prepared.name_was_made or (claim.again is None and not claim.is_dry_run):
            return None
        if self._found is None:
            self._found = self._read()
        waiting = self._found.get(_wish(claim))
        return waiting.pop(0) if waiting else None

    def _read(self) -> dict[tuple[object, ...], list[Submission]]:
        found: dict[tuple[object, ...], list[Submission]] = {}
        scope = self._scope
        prepared = self._ledger.search(
            state=State.PREPARED, authority=scope.authority, environment=scope.environment, sender=scope.sender
        )
        for submission in prepared:
            if submission.again is not None or submission.is_dry_run:
                found.setdefault(_wish(submission), []).append(submission)
        return found


def _wish(what: Claim | Submission) -> tuple[object, ...]:
    return what.service, what.sha256, what.filed_by, what.is_dry_run, what.key, what.again


def continued(prepared: Prepared, refused: AlreadyFiled) -> Submission:
    """The earlier submission a claim was refused for, when this call may go on with it: its content is the same, the
    caller insisted on no other name, and it was never sent. Else the refusal is raised.
    """
    earlier = refused.submission
    is_same = isinstance(refused, DuplicateContent) and prepared.name_was_made
    if is_same and earlier is not None and earlier.state is State.PREPARED:
        return earlier
    raise refused
