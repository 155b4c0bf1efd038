"""The sandbox serves programs that know nothing of us: OpenSSH's sftp carries, openssl signs and verifies."""

from __future__ import annotations

import base64
import subprocess
from typing import TYPE_CHECKING

import paramiko
import pytest

from govfile.sandbox.onss import HostKey, Layout, OnssSandbox, Packing, Settings
from govfile.sandbox.onss.command import Papers, write_papers
from support.onss_sender import connected, standing_still
from support.programs import require

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

pytestmark = pytest.mark.servers


def sftp(
    authority: OnssSandbox, papers: Papers, commands: Iterable[str], *options: str
) -> subprocess.CompletedProcess[str]:
    """Run the program sftp with a batch of commands."""
    program = [require("sftp"), "-b", "-", "-P", str(authority.port), "-i", str(papers.ssh_key), "-F", "none"]
    for option in (f"UserKnownHostsFile={papers.known_hosts}", "IdentitiesOnly=yes", "BatchMode=yes", *options):
        program += ["-o", option]
    return subprocess.run(
        [*program, f"{authority.user}@127.0.0.1"],
        input="\n".join([*commands, ""]),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def openssl(*arguments: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([require("openssl"), *map(str, arguments)], capture_output=True, timeout=60, check=False)


def prepare(authority: OnssSandbox, papers: Papers, folder: Path, stem: str) -> list[Path]:
    """FI, FS and GO on disk, signed by openssl with the key in the papers."""
    declaration, signature, go = (folder / f"{each}.{stem}" for each in ("FI", "FS", "GO"))
    declaration = declaration.with_name(f"{declaration.name}.1.1")
    signature = signature.with_name(f"{signature.name}.1.1")
    go = go.with_name(f"{go.name}.1")
    declaration.write_bytes(papers.example.read_bytes())
    made = folder / "made.der"
    signing = ["cms", "-sign", "-binary", "-md", "sha256", "-signer", papers.certificate, "-in", declaration]
    assert openssl(*signing, "-outform", "DER", "-out", made).returncode == 0
    signature.write_bytes(base64.b64encode(made.read_bytes()))
    go.touch()
    return [declaration, signature, go]


@pytest.mark.parametrize("kind", list(HostKey))
def test_openssh_and_openssl_send_a_declaration_and_verify_its_answers(tmp_path: Path, kind: HostKey) -> None:
    with standing_still(settings=Settings(host_key=kind)) as authority:
        papers = write_papers(authority, tmp_path / "papers")
        day = authority.clock().strftime("%Y%m%d")
        files = prepare(authority, papers, tmp_path, f"DMFA.101420.{day}.00001.R")
        done = sftp(authority, papers, [f"put {file} IN/" for file in files] + ["ls -l IN"])
        assert done.returncode == 0, done.stderr
        assert files[0].name in done.stdout
        authority.clock.advance(10)
        done = sftp(authority, papers, [f"get OUT/* {tmp_path}"])
        assert done.returncode == 0, done.stderr
        assert len(authority.filed) == 1
        for purpose in ("ACRF", "NOTI"):
            verified_by_openssl(papers, tmp_path, f"{purpose}.999999.{day}.00001.R")


def verified_by_openssl(papers: Papers, folder: Path, rest: str, prefix: str = "FO") -> bytes:
    """Check an answer's signature by `openssl cms -verify`; returns it in DER."""
    made = folder / f"{rest}.der"
    made.write_bytes(base64.b64decode((folder / f"FS.{rest}").read_bytes()))
    checking = ["cms", "-verify", "-binary", "-inform", "DER", "-in", made, "-content", folder / f"{prefix}.{rest}"]
    done = openssl(*checking, "-CAfile", papers.institutions, "-purpose", "any", "-no_check_time", "-out", "/dev/null")
    assert done.returncode == 0, done.stderr
    return made.read_bytes()


@pytest.mark.parametrize("layout", list(Layout))
def test_answers_with_a_certified_time_verify_too(tmp_path: Path, layout: Layout) -> None:
    with standing_still() as authority, connected(authority, tmp_path) as sender:
        papers = write_papers(authority, tmp_path / "papers")
        authority.replies.timestamped, authority.replies.layout = True, layout
        sender.declare(authority.example("DMFA"))
        sender.wait()
        for name, content in sender.answers("").items():
            (tmp_path / name).write_bytes(content)
        rest = f"NOTI.999999.{sender.day()}.00001.R"
        signature = verified_by_openssl(papers, tmp_path, rest)
        shown = openssl("cms", "-cmsout", "-print", "-noout", "-inform", "DER", "-in", tmp_path / f"{rest}.der")
        assert b"id-smime-aa-timeStampToken" in shown.stdout
        stamp_verified_by_openssl(papers, tmp_path, signature)


def stamp_verified_by_openssl(papers: Papers, folder: Path, signature: bytes) -> None:
    """Check the time stamp token inside by `openssl ts -verify`; it is over the signature's value."""
    oid = bytes.fromhex("060b2a864886f70d010910020e")  # id-aa-timeStampToken
    start = signature.index(oid) + len(oid)
    token, value = folder / "token.der", folder / "value"
    token.write_bytes(first_in_set(signature[start:]))
    value.write_bytes(signature[start - 4 - len(oid) - 4 - 256 :][:256])
    asked = ["ts", "-verify", "-token_in", "-in", token, "-data", value, "-CAfile", papers.institutions]
    done = openssl(*asked)
    assert b"Verification: OK" in done.stdout, done.stderr


def first_in_set(data: bytes) -> bytes:
    """The content of the SET that `data` begins with (lengths of two bytes)."""
    assert data[:2] == b"\x31\x82"
    return data[4 : 4 + int.from_bytes(data[2:4], "big")]


@pytest.mark.parametrize("signs_expanded", [False, True])
def test_what_the_signature_of_a_compressed_answer_is_over_can_be_set(tmp_path: Path, signs_expanded: bool) -> None:
    with standing_still() as authority, connected(authority, tmp_path) as sender:
        papers = write_papers(authority, tmp_path / "papers")
        with authority.replies.during(packing=Packing.ZIP, signs_expanded=signs_expanded):
            sender.declare(authority.example("DMFA"))
            sender.wait()
        for name, content in sender.answers("").items():
            (tmp_path / name).write_bytes(content)
        rest = f"NOTI.999999.{sender.day()}.00001.R"
        if signs_expanded:
            unzipped = subprocess.run(
                [require("python3"), "-m", "zipfile", "-e", f"CO.{rest}", "."], cwd=tmp_path, check=False
            )
            assert unzipped.returncode == 0
        verified_by_openssl(papers, tmp_path, rest, "FO" if signs_expanded else "CO")


@pytest.mark.parametrize(
    ("sha1_only", "algorithms", "is_let_in"),
    [
        (False, "rsa-sha2-512", True),
        (False, "ssh-rsa", True),
        (True, "rsa-sha2-512,rsa-sha2-256", False),
        (True, "ssh-rsa", True),
    ],
)
def test_a_server_of_the_old_kind_takes_sha_1_logins_only(
    tmp_path: Path, sha1_only: bool, algorithms: str, is_let_in: bool
) -> None:
    with OnssSandbox() as authority:
        papers = write_papers(authority, tmp_path)
        authority.faults.sha1_only = sha1_only
        done = sftp(authority, papers, ["ls"], f"PubkeyAcceptedAlgorithms={algorithms}")
        assert (done.returncode == 0) is is_let_in
        assert ("Permission denied" in done.stderr) is not is_let_in


@pytest.mark.parametrize("hides", [False, True])
def test_a_server_of_the_old_kind_refuses_other_signatures_whether_it_says_so_or_not(
    tmp_path: Path, hides: bool
) -> None:
    """The foreign sender makes no SHA-1 signatures."""
    with OnssSandbox() as authority:
        with (
            authority.faults.during(sha1_only=True, hides_signatures=hides),
            pytest.raises(paramiko.AuthenticationException),
            connected(authority, tmp_path),
        ):
            pass
        with connected(authority, tmp_path):
            pass


@pytest.mark.parametrize("hides", [False, True])
def test_the_server_says_which_signatures_it_takes_unless_told_not_to(tmp_path: Path, hides: bool) -> None:
    with OnssSandbox() as authority:
        papers = write_papers(authority, tmp_path)
        authority.faults.hides_signatures = hides
        done = sftp(authority, papers, ["ls"], "LogLevel=DEBUG3", "PubkeyAcceptedAlgorithms=+ssh-rsa")
        assert done.returncode == 0
        assert ("server-sig-algs=" in done.stderr) is not hides


def test_another_host_key_is_seen_by_openssh(tmp_path: Path) -> None:
    with OnssSandbox() as authority:
        papers = write_papers(authority, tmp_path)
        with authority.faults.during(other_host_key=True):
            done = sftp(authority, papers, ["ls"])
            assert done.returncode != 0
            assert "REMOTE HOST IDENTIFICATION HAS CHANGED" in done.stderr
        assert sftp(authority, papers, ["ls"]).returncode == 0


def test_nothing_but_the_six_folders_can_be_reached(tmp_path: Path) -> None:
    with OnssSandbox() as authority:
        papers = write_papers(authority, tmp_path)
        shown = sftp(authority, papers, ["ls -1"]).stdout.splitlines()
        assert shown[1:] == ["IN", "INTEST", "INTEST-S", "OUT", "OUTTEST", "OUTTEST-S"]
        (tmp_path / "x").touch()
        for command in (
            "get ../../../etc/hostname",
            "get /etc/hostname",
            "ls /etc",
            "mkdir IN/x",
            f"put {tmp_path}/x OUT/x",
            f"put {tmp_path}/x x",
            f"put {tmp_path}/x IN/a/b",
            "rmdir IN",
            "rename IN OUT",
            "symlink IN x",
            "rm OUT/x",
            "df",
        ):
            done = sftp(authority, papers, [command])
            assert done.returncode == 1, command


def test_there_is_no_shell_and_no_password(tmp_path: Path) -> None:
    with OnssSandbox() as authority:
        papers = write_papers(authority, tmp_path)
        common = [require("ssh"), "-F", "none", "-p", str(authority.port), "-o", "BatchMode=yes"]
        common += ["-o", f"UserKnownHostsFile={papers.known_hosts}", f"{authority.user}@127.0.0.1"]
        asked = [*common[:-1], "-i", str(papers.ssh_key), "-o", "IdentitiesOnly=yes", common[-1], "id"]
        done = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode != 0
        assert "uid=" not in done.stdout
        done = subprocess.run(
            [*common[:-1], "-v", "-o", "PubkeyAuthentication=no", common[-1]],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "Authentications that can continue: publickey\n" in done.stderr.replace("\r", "")
