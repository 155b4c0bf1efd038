"""The transfer point: picks up what a GO triggers, judges it, and has it acknowledged and answered by the clock."""

from __future__ import annotations

import hashlib
import threading
import zlib
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import attrs

from govfile.sandbox.onss import answers, names
from govfile.sandbox.onss.agenda import Agenda
from govfile.sandbox.onss.boxes import Boxes, Stored
from govfile.sandbox.onss.post import Post
from govfile.sandbox.onss.rules import File, HandledForm, Judgement, Set, judge
from govfile.sandbox.onss.settings import BY_INBOX, Circuit, NameScope, Schedule, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from govfile.sandbox.onss.accounts import Channel, Channels
    from govfile.sandbox.onss.faults import Faults
    from govfile.sandbox.onss.names import Name
    from govfile.sandbox.onss.replies import Replies

_TICKET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_STRANGER = "GO.DMFA.{sender}.{day}.{sequence}.{circuit}.1"


@attrs.frozen(kw_only=True)
class Part:
    """One FI as it was taken: `size` in bytes, `sha256` in lower-case hex."""

    name: str
    size: int
    sha256: str


@attrs.frozen(kw_only=True)
class Declared:
    """A set that was triggered, and what became of it. `codes` are those of its acknowledgement; none: accepted."""

    name: str
    purpose: str
    sender: str
    circuit: Circuit
    parts: tuple[Part, ...]
    at: datetime
    ticket: str
    codes: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()


class TransferPoint:
    """Everything behind the SFTP door, safe to use from several threads."""

    def __init__(
        self,
        *,
        clock: Callable[[], datetime],
        settings: Settings,
        schedule: Schedule,
        faults: Faults,
        replies: Replies,
        channels: Channels,
    ) -> None:
        self._clock = clock
        self._settings = settings
        self._schedule = schedule
        self._faults = faults
        self._replies = replies
        self._channels = channels
        self._agenda = Agenda()
        self._post = Post(agenda=self._agenda, faults=faults)
        self._boxes: dict[str, Boxes] = {}
        self._used: set[tuple[str, ...]] = set()
        self.lock = threading.RLock()
        self.declared: list[Declared] = []
        self.findings: list[str] = []

    # --- what the SFTP door needs

    def run_due(self) -> datetime:
        """Do all that is due by now, oldest first; returns the time."""
        with self.lock:
            now = self._clock()
            self._agenda.run(now, away_until=self._faults.away_until)
            self._purge(now)
            return now

    def boxes(self, sender: str) -> Boxes:
        """The folders of a sender."""
        with self.lock:
            return self._boxes.setdefault(sender, Boxes())

    def _purge(self, now: datetime) -> None:
        if self._settings.retention is None:
            return
        for boxes in self._boxes.values():
            for circuit in Circuit:
                box = boxes.folders[circuit.outbox]
                for name in [name for name, found in box.items() if now - found.modified >= self._settings.retention]:
                    del box[name]

    def closed(self, channel: Channel, folder: str, name: str, stored: Stored) -> None:
        """A file in an inbox is complete, or as complete as its sender's line allowed."""
        with self.lock:
            now = self.run_due()
            boxes = self.boxes(channel.sender)
            if boxes.folders[folder].get(name) is not stored:
                return
            if self._faults.moves_at_once:
                boxes.hide(folder, name)
            read, codes = names.read(name, folder=folder, sender=channel.sender, now=now, settings=self._settings)
            if read is None:
                do = partial(self._refuse_name, channel, folder, name, codes)
            elif read.prefix == "GO":
                do = partial(self._pick_up, channel, folder, name, read, attrs.evolve(self._replies))
            elif read.prefix == "TD":
                do = partial(self._cancel, channel, folder, name, read)
            else:
                after = timedelta(seconds=self._schedule.go_missing)
                self._agenda.add(now + after, partial(self._miss_go, channel, folder, name, read, stored))
                return
            self._agenda.add(now + timedelta(seconds=self._schedule.pickup), do)

    # --- what becomes of files

    def _refuse_name(self, channel: Channel, folder: str, name: str, codes: tuple[str, ...], at: datetime) -> None:
        self.boxes(channel.sender).clear(folder, name)
        self.findings.append(f"{name}: {', '.join(f'ACRF-{code}' for code in codes)}")
        self._refuse(channel.sender, folder, name, codes, at)

    def _miss_go(self, channel: Channel, folder: str, name: str, read: Name, stored: Stored, at: datetime) -> None:
        if self.boxes(channel.sender).waiting(folder).get(name) is not stored:
            return
        for other in self._of_set(channel, folder, read, ("FI", "FS")):
            self.boxes(channel.sender).clear(folder, other)
        self._use(read, refused=True)
        self.findings.append(f"{name}: ACRF-130: its GO never came")
        self._refuse(channel.sender, folder, name, ("130",), at)

    def _cancel(self, channel: Channel, folder: str, name: str, read: Name, at: datetime) -> None:
        boxes = self.boxes(channel.sender)
        there = self._of_set(channel, folder, read, ("FI", "FS", "GO"))
        boxes.clear(folder, name)
        if self._key(read) in self._used or not there:
            self.findings.append(f"{name}: there is nothing left to cancel")
            return
        for other in there:
            boxes.clear(folder, other)
        self._use(read, refused=True)
        if self._settings.answers_cancel:
            self._refuse(channel.sender, folder, name, ("277",), at)

    def _pick_up(self, channel: Channel, folder: str, name: str, go: Name, replies: Replies, at: datetime) -> None:
        boxes = self.boxes(channel.sender)
        waiting = boxes.waiting(folder)
        if name not in waiting:
            return
        found = self._of_set(channel, folder, go, ("FI", "FS"))
        files = {
            other: File(name=read, content=bytes(waiting[other].content), size=waiting[other].size)
            for other, read in found.items()
        }
        judgement = self._judge(channel, go, tuple(files.values()), replies, at)
        for other in (*found, name):
            boxes.clear(folder, other, keep_in_sight=not self._settings.clears_inbox)
        declared = Declared(
            name=name,
            purpose=go.purpose,
            sender=channel.sender,
            circuit=go.circuit,
            parts=tuple(_part(other, file) for other, file in sorted(files.items()) if file.name.prefix == "FI"),
            at=at,
            ticket=self._ticket(name),
            codes=tuple(judgement.codes),
            findings=tuple(judgement.findings),
        )
        self.declared.append(declared)
        self.findings += [f"{name}: {finding}" for finding in judgement.findings]
        self._answer(declared, judgement.forms, replies, at)

    def _judge(self, channel: Channel, go: Name, files: Sequence[File], replies: Replies, at: datetime) -> Judgement:
        if self._key(go) in self._used:
            judgement = Judgement()
            judgement.find("133", "the name was used before")
            return judgement
        certificates = [der for each in self._channels.of(channel.sender) for der in each.registered(at)]
        judgement = judge(
            Set(
                go=go,
                declarations=tuple(file for file in files if file.name.prefix == "FI"),
                signatures=tuple(file for file in files if file.name.prefix == "FS"),
                purposes=channel.purposes,
                registered=tuple(certificates),
            ),
            at=at,
            settings=self._settings,
        )
        for code in replies.refuse_with:
            judgement.find(code, "on request")
        self._use(go, refused=bool(judgement.codes))
        return judgement

    def _of_set(self, channel: Channel, folder: str, wanted: Name, prefixes: tuple[str, ...]) -> dict[str, Name]:
        """The files of a set that lie there."""
        found = {}
        stem = f".{'.'.join(wanted.set_key)}"
        for name in self.boxes(channel.sender).waiting(folder):
            if not name.startswith(stem, 2):
                continue
            read, _ = names.read(name, folder=folder, sender=channel.sender, now=self._clock(), settings=self._settings)
            if read is not None and read.set_key == wanted.set_key and read.prefix in prefixes:
                found[name] = read
        return found

    def _key(self, name: Name) -> tuple[str, ...]:
        if self._settings.name_scope is NameScope.DAY:
            return name.sender, name.date, name.sequence
        return name.set_key

    def _use(self, name: Name, *, refused: bool) -> None:
        if not (refused and self._settings.frees_refused_names):
            self._used.add(self._key(name))

    # --- answers

    def _answer(self, declared: Declared, handled: list[HandledForm], replies: Replies, at: datetime) -> None:
        if declared.purpose == "ACRF":
            return
        names_declaration = replies.names_declaration and declared.parts
        subject = answers.Subject(
            file_name=declared.parts[0].name if names_declaration else declared.name,
            ticket=declared.ticket,
            sender=declared.sender,
        )
        due = self._acknowledge(subject, declared.circuit, declared.codes, at, replies)
        if declared.codes or self._faults.no_noti:
            return
        due += timedelta(seconds=self._schedule.noti)
        groups = [[form] for form in handled] if replies.split else [handled]
        for results in filter(None, (replies.results, replies.final_after)):
            taken = 0
            for group in groups:
                start = taken % len(results)
                turn = results[start:] + results[:start]
                self._agenda.add(due, partial(self._notify, subject, declared.circuit, group, turn, replies))
                taken += len(group)
                due += timedelta(seconds=self._schedule.more)

    def _refuse(self, sender: str, folder: str, name: str, codes: tuple[str, ...], at: datetime) -> None:
        """Acknowledge a file that never became a set."""
        subject = answers.Subject(file_name=name, ticket=self._ticket(name), sender=sender)
        self._acknowledge(subject, BY_INBOX[folder], codes, at, attrs.evolve(self._replies))

    def _acknowledge(
        self, subject: answers.Subject, circuit: Circuit, codes: tuple[str, ...], at: datetime, replies: Replies
    ) -> datetime:
        """Have an acknowledgement written after the usual while; returns when the (last) one is."""
        due = at + timedelta(seconds=self._schedule.acrf)
        if self._faults.no_acrf:
            return due
        if replies.provisional_first:
            self._agenda.add(due, partial(self._send_acrf, subject, circuit, (), "PA", replies))
            due += timedelta(seconds=self._schedule.more)
        self._agenda.add(due, partial(self._send_acrf, subject, circuit, codes, "FA", replies))
        return due

    def _send_acrf(
        self,
        subject: answers.Subject,
        circuit: Circuit,
        codes: tuple[str, ...],
        form: str,
        replies: Replies,
        at: datetime,
    ) -> None:
        if self._faults.strangers:
            self.acknowledge_stranger(subject.sender, circuit, at)
        content = answers.acrf(subject, codes, at=at, form=form, has_ticket=replies.has_ticket)
        self._post.send(self.boxes(subject.sender), circuit, "ACRF", content, at, replies=replies)

    def _notify(
        self,
        subject: answers.Subject,
        circuit: Circuit,
        handled: list[HandledForm],
        results: tuple[int, ...],
        replies: Replies,
        at: datetime,
    ) -> None:
        content = answers.notification(subject, handled, results, at=at, replies=replies)
        box = self.boxes(subject.sender)
        self._post.send(box, circuit, "NOTI", content, at, replies=replies, packed=replies.packing)

    def acknowledge_stranger(self, sender: str, circuit: Circuit, at: datetime) -> str:
        """An acknowledgement for a file that another sender sent; returns its name."""
        other = "305001" if sender != "305001" else "305002"
        day = names.belgian_day(at).strftime("%Y%m%d")
        name = _STRANGER.format(sender=other, day=day, sequence="00001", circuit=circuit.value)
        subject = answers.Subject(file_name=name, ticket=self._ticket(name), sender=other)
        content = answers.acrf(subject, (), at=at)
        return self._post.send(self.boxes(sender), circuit, "ACRF", content, at, replies=self._replies)

    def send(self, sender: str, circuit: Circuit, purpose: str, content: bytes | None) -> str:
        """Something nobody asked for; returns its name."""
        with self.lock:
            now = self.run_due()
            made = content or answers.unsolicited(purpose, at=now, number=len(self.declared) + 1)
            replies = self._replies
            return self._post.send(
                self.boxes(sender), circuit, purpose, made, now, replies=replies, packed=replies.packing
            )

    @staticmethod
    def _ticket(name: str) -> str:
        """Thirteen characters in the shape of the published samples, the same for the same name."""
        number = int.from_bytes(hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()[:6], "big")
        letters = "".join(_TICKET[number >> 5 * place & 31] for place in range(8))
        return f"{zlib.crc32(letters.encode()) % 10**5:05}{letters}"


def _part(name: str, file: File) -> Part:
    return Part(name=name, size=file.size, sha256=hashlib.sha256(file.content).hexdigest())
