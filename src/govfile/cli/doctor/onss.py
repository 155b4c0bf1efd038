"""The checks of a set-up for the Belgian channel, in the order in which a filing would meet the faults."""

from __future__ import annotations

import base64
from functools import cached_property
from typing import TYPE_CHECKING

from govfile import errors
from govfile.cli.doctor.checks import REMEDIES as SHARED
from govfile.cli.doctor.checks import Checks
from govfile.cli.doctor.steps import Found

if TYPE_CHECKING:
    from govfile.certificates.ssh import SshKey
    from govfile.cli.doctor.checks import Plan
    from govfile.onss.environments import Environment
    from govfile.transports.sftp import SessionFacts, SftpTransport

_WEAK = 2048
_ADVISED = 3072

#: In the order of the checks.
REMEDIES = {
    "configuration": SHARED["configuration"],
    "sender": "take sender number and technical user name from the portal (Chaman), each exactly as it stands there",
    "ssh key": "check ssh_key and ssh_passphrase; upload its public half: govfile cert export --format ssh",
    "passphrase": SHARED["passphrase"],
    "certificate": SHARED["certificate"],
    "validity": "order its successor, load the new .cer on the channel, then exchange the file",
    "kind": "use the certificate for signatures: PersonalSign 3 Pro, or of an eID the signature certificate",
    "name lookup": SHARED["name lookup"],
    "port": "have the firewall let this machine open connections to this host and port",
    "host key": "ask the contact centre for the fingerprint; pin it in host_keys or known_hosts only when it matches",
    "login": "compare the key on the channel in the portal (govfile cert export --format ssh) and the user name",
    "algorithms": 'write rsa_signatures = "sha1" only while the server takes nothing better',
    "upload folder": "ask the contact centre to open this environment for the channel, or choose another one",
    "answers": "ask the contact centre to open this environment for the channel, or choose another one",
    "ledger": SHARED["ledger"],
    "answers folder": SHARED["answers folder"],
    "clock": SHARED["clock"],
}


class Examination(Checks):
    """The checks of a profile; one login is tried, with one key."""

    remedies = REMEDIES

    def plan(self) -> Plan:
        """Which checks there are, in their order."""
        return [
            ("configuration", self.configuration, ()),
            ("sender", self.sender, ("configuration",)),
            ("ssh key", self.ssh_key, ("configuration",)),
            ("passphrase", self.passphrase, ("configuration",)),
            ("certificate", self.certificate, ("passphrase",)),
            ("validity", self.validity, ("certificate",)),
            ("kind", self.kind, ("certificate",)),
            ("name lookup", self.name_lookup, ("configuration",)),
            ("port", self.control_port, ("name lookup",)),
            ("host key", self.host_key, ("port",)),
            ("login", self.login, ("host key", "ssh key", "sender")),
            ("algorithms", self.algorithms, ("login",)),
            ("upload folder", self.upload_folder, ("login",)),
            ("answers", self.answers, ("login",)),
            *self.kept(),
        ]

    # --- what lies on this machine ------------------------------------------------------------------------------

    @property
    def _place(self) -> Environment:
        return self._session.onss_environment

    def configuration(self) -> Found:
        """The file, the profile and its environment can be read."""
        _ = self._session.trust, self._session.channel_created_at
        found = super().configuration()
        return Found(f"{found.text}, folders {self._place.upload} and {self._place.answers}")

    def sender(self) -> Found:
        """Sender number and technical user name have the form the portal gives them."""
        from govfile.onss.accounts import user_name_warnings

        warnings = user_name_warnings(self._session.user)
        remedy = f"{'; '.join(warnings)}: names given earlier stay in use" if warnings else ""
        return Found(f"sender {self._session.sender}, user {self._session.user}", remedy)

    @property
    def _key(self) -> SshKey:
        return self._session.ssh_key

    def ssh_key(self) -> Found:
        """The SSH key can be read, by nobody else, and is of the kind that is known to work."""
        text = f"{self._key.kind}, {self._key.bits} bits, {self._key.fingerprint}"
        if self._key.kind != "ssh-rsa":
            return Found(text, "only RSA keys are known to be accepted; if the login is refused, make one of 3072 bits")
        if self._key.bits < _WEAK:
            return Found(text, f"make a key of {_ADVISED} bits and upload its public half")
        return Found(text)

    def certificate(self) -> Found:
        """Key and certificate can be read and fit; or none is needed."""
        if "credential" not in self._session.profile.table.values:
            self._place.is_signed(has_credential=False)
            return Found("none is configured, and none is needed here")
        return super().certificate()

    @property
    def _signs(self) -> bool:
        return "credential" in self._session.profile.table.values

    def validity(self) -> Found:
        """The certificate is valid now, and for a while yet."""
        return super().validity() if self._signs else Found("nothing is signed")

    def kind(self) -> Found:
        """The certificate is one that signs documents."""
        from govfile.certificates.usage import check_signs_documents, is_belgian_eid

        if not self._signs:
            return Found("nothing is signed")
        certificate = self._credential.certificate
        check_signs_documents(certificate)
        what = "the signature certificate of a Belgian eID" if is_belgian_eid(certificate) else "a signing certificate"
        return Found(f"{what}; its .cer must be loaded on the channel: govfile cert export --format der")

    # --- what the server says -----------------------------------------------------------------------------------

    def host_key(self) -> Found:
        """The server shows a key that is pinned. One that is not is shown, and never stored."""
        from govfile.transports.sftp import offered_host_keys

        place = self._place
        offered = offered_host_keys(place.host, place.port, policy=place.policy)
        shown = ", ".join(f"{key.kind} {key.fingerprint}" for key in offered)
        if place.host_keys is None:
            raise errors.ConfigurationError(
                f"no host key is pinned; the server shows {shown}",
                advice=f"once confirmed, pin it; its line for known_hosts: {offered[0].known_hosts_line}",
            )
        for key in offered:
            blob = base64.b64decode(key.known_hosts_line.split(" ")[2])
            if place.host_keys.accepts(place.host, place.port, key.kind, blob):
                return Found(f"pinned: {key.kind} {key.fingerprint}")
        raise place.host_keys.refusal(place.host, place.port, {key.kind: key.fingerprint for key in offered})

    @cached_property
    def _transport(self) -> SftpTransport:
        from govfile.transports.sftp import SftpTransport

        place = self._place
        assert place.host_keys is not None
        return SftpTransport(
            place.host,
            place.port,
            user=self._session.user,
            key=self._key,
            host_keys=place.host_keys,
            policy=place.policy,
        )

    @cached_property
    def _facts(self) -> SessionFacts:
        from govfile.onss.accounts import explained

        try:
            return self._transport.connect()
        except errors.AuthenticationRefused as refusal:
            raise explained(refusal, created=self._session.channel_created_at, at=self._clock()) from refusal

    def login(self) -> Found:
        """The server takes user name and key. A channel that is too new to be known is told apart."""
        return Found(f"logged in as {self._session.user} at {self._facts.server}")

    def algorithms(self) -> Found:
        """By which algorithms; a warning where they rest on SHA-1."""
        facts = self._facts
        takes = f" (the server takes {', '.join(facts.server_signatures)})" if facts.server_signatures else ""
        text = f"login signed by {facts.signature}{takes}, host key by {facts.host_key_algorithm}, {facts.cipher}"
        if not facts.uses_sha1:
            return Found(text)
        return Found(text, "SHA-1 is used because the server takes nothing better; ask the contact centre when it will")

    def upload_folder(self) -> Found:
        """The folder to send into is there. Sets that lie in it may be ours, without their trigger."""
        entries = self._transport.list(self._place.upload)
        return Found(f"{self._place.upload} can be listed; {len(entries)} files lie in it")

    def answers(self) -> Found:
        """The folder with answers can be listed."""
        waiting = self._waiting(self._transport, self._place.answers)
        return Found(f"{self._place.answers} can be listed; {waiting} files wait in it")

    # --- what is kept -------------------------------------------------------------------------------------------

    def clock(self) -> Found:
        """Nothing shows that this computer's clock is wrong; the date in names is Belgium's."""
        from govfile.onss.brussels import local

        found = super().clock()
        return Found(f"{found.text}; in Belgium it is {local(self._clock()):%Y-%m-%d %H:%M}, the date that names bear")
