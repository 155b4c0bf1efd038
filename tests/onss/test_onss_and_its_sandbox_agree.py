"""Two implementations that share no code, the client's and the sandbox's, read each other's files alike."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from govfile import Credential, CredentialError
from govfile.certificates.cms import sign_detached
from govfile.certificates.signer import SoftwareSigner
from govfile.certificates.trust import Trust
from govfile.certificates.usage import check_signs_documents
from govfile.filing.states import Proof, Verdict
from govfile.onss import (
    PURPOSES,
    BatchName,
    Layout,
    decode_fs,
    parse_acrf,
    parse_notification,
    sign_file,
    unpack,
    verify_answer,
)
from govfile.onss.matching import Marks, Register, Sent
from govfile.onss.name_rules import NameLimits, faults_of
from govfile.sandbox.onss import (
    answers,
    documents,
    lines,
    names,
    packing,
    papers,
    replies,
    settings,
    signing,
    verifying,
)
from govfile.sandbox.onss.rules import HandledForm

NOW = datetime(2026, 10, 6, 9, 0, tzinfo=UTC)
TODAY = "20261006"
LAYOUTS = {
    Layout.SINGLE: settings.Layout.SINGLE,
    Layout.COL76_CR: settings.Layout.COLUMNS_76_CR,
    Layout.COL64_CRLF: settings.Layout.COLUMNS_64_CRLF,
}


@pytest.mark.parametrize(
    "name",
    [
        f"FI.DMFA.101420.{TODAY}.00001.R.1.1",
        f"FS.DMFA.101420.{TODAY}.0000Z.R.4.3",
        f"GO.DMFA.101420.{TODAY}.ZZZZZ.R.9",
        f"TD.DMFA.101420.{TODAY}.00001.R.1",
        f"XX.DMFA.101420.{TODAY}.00001.R.1.1",
        f"FI.DMFA.101420.{TODAY}.00001.R.1",
        f"FS.DMFA.101420.{TODAY}.00001.R.1.1.1",
        f"GO.DMFA.101420.{TODAY}.00001.R.1.1",
        f"FI.dmfa.101420.{TODAY}.00001.R.1.1",
        f"FI.DMFA.10142.{TODAY}.00001.R.1.1",
        f"FI.DMFA.999998.{TODAY}.00001.R.1.1",
        "FI.DMFA.101420.2026106.00001.R.1.1",
        "FI.DMFA.101420.20261306.00001.R.1.1",
        "FI.DMFA.101420.20261007.00001.R.1.1",
        "FI.DMFA.101420.20240101.00001.R.1.1",
        f"FI.DMFA.101420.{TODAY}.0001.R.1.1",
        f"FI.DMFA.101420.{TODAY}.00000.R.1.1",
        f"FI.DMFA.101420.{TODAY}.0000a.R.1.1",
        f"FI.DMFA.101420.{TODAY}.00001.P.1.1",
        f"FI.DMFA.101420.{TODAY}.00001.R.10.1",
        f"FI.DMFA.101420.{TODAY}.00001.R.A.1",
        f"FI.DMFA.101420.{TODAY}.00001.R.0.1",
        f"FI.DMFA.101420.{TODAY}.00001.R.2.3",
        f"FS.DMFA.101420.{TODAY}.00001.R.2.3",
    ],
)
def test_names_earn_the_same_codes(name: str) -> None:
    limits = NameLimits(oldest=timedelta(days=365))
    foreseen = faults_of(name, on=NOW.date(), sender="101420", limits=limits)
    habits = settings.Settings(short_names=False)
    _, codes = names.read(name, folder="IN", sender="101420", now=NOW, settings=habits)
    assert {fault.code for fault in foreseen} <= set(codes)  # the sandbox also tells what follows from the first
    assert bool(foreseen) == bool(codes)


@pytest.mark.parametrize("kind", papers.CertificateKind)
@pytest.mark.parametrize("layout", Layout)
def test_the_sandbox_accepts_our_signature(kind: papers.CertificateKind, layout: Layout) -> None:
    signer = papers.signer(kind, use="agreement")
    if kind is papers.CertificateKind.EID_AUTHENTICATION:
        with pytest.raises(CredentialError, match="authentication certificate of a Belgian eID"):
            check_signs_documents(signer.certificate)
        return
    content = documents.example("DMFA")
    credential = Credential.from_signer(SoftwareSigner(signer.key), signer.certificate)
    now = datetime.now(UTC)
    fs = sign_file(content, credential, layout=layout, clock=lambda: now)
    read = lines.read(fs, {LAYOUTS[layout]})
    registered = {signer.certificate.public_bytes(Encoding.DER)}
    habits = settings.Settings()
    assert verifying.verify(read, content, registered=registered, at=now, settings=habits) == signer.certificate
    with pytest.raises(verifying.BadSignature):
        verifying.verify(read, content + b" ", registered=registered, at=now, settings=habits)
    chained = sign_detached(content, credential, clock=lambda: now, with_chain=True)
    assert verifying.verify(chained, content, registered=registered, at=now, settings=habits) == signer.certificate


@pytest.mark.parametrize("is_stamped", [False, True])
@pytest.mark.parametrize("layout", LAYOUTS.values())
def test_we_accept_the_sandboxes_signature(is_stamped: bool, layout: settings.Layout) -> None:
    content, now = b"<ACRF/>", datetime.now(UTC).replace(microsecond=0)
    fs = lines.write(signing.sign(content, by=papers.institution(), at=now, timestamped=is_stamped), layout)
    trust = Trust.only(papers.institutions_authority().public_bytes(Encoding.PEM))
    report = verify_answer(content, fs, trust=trust).report
    assert report is not None
    assert report.problems == ()
    assert report.is_sound
    assert report.chain_trusted is True
    assert report.signing_time == now
    assert (report.timestamp is not None) == is_stamped
    if report.timestamp is not None:
        assert report.timestamp.is_of_this
        assert report.timestamp.signature_valid
        assert report.timestamp.time == now
    assert decode_fs(fs)
    altered = verify_answer(content + b" ", fs).report
    assert altered is not None
    assert not altered.digest_matches


@pytest.mark.parametrize("kind", documents.KINDS)
def test_its_examples_fit_their_purpose(kind: str) -> None:
    marks = Marks.of(io.BytesIO(documents.example(kind, forms=2)))
    known = PURPOSES[kind]
    assert len(marks.stamps) == 2
    assert len(marks.references) == 2
    if known.is_pair_certain:  # the sandbox does not guess the others
        assert {known.contradiction(marks.root, found) for found in marks.identifications} == {""}


class TestAnswers:
    NAME = BatchName.parse(f"GO.DMFA.101420.{TODAY}.00001.R.1")
    SUBJECT = answers.Subject(file_name=str(NAME), ticket="03804UE9XCMQZ", sender="101420")

    @pytest.mark.parametrize(("codes", "proof"), [((), Proof.TAKEN), (("125", "130"), Proof.REFUSED)])
    @pytest.mark.parametrize("form", ["FA", "PA"])
    @pytest.mark.parametrize("has_ticket", [True, False])
    def test_acknowledgements(self, codes: tuple[str, ...], proof: Proof, form: str, has_ticket: bool) -> None:
        found = parse_acrf(answers.acrf(self.SUBJECT, codes, at=NOW, form=form, has_ticket=has_ticket))
        assert found.unknown == ()
        (read,) = found.forms
        assert read.proof is proof
        assert [error.number for error in read.errors] == list(codes)
        assert read.ticket == ("03804UE9XCMQZ" if has_ticket else "")
        assert read.created == NOW
        assert read.unknown == ()

    @pytest.mark.parametrize("told", ["file_reference", "ticket_reference", "own_reference", "original_form"])
    def test_notifications_are_matched_by_each_kind_of_evidence(self, told: str) -> None:
        marks = Marks.of(io.BytesIO(documents.example("DMFA")))
        ((identification, date, hour),) = marks.stamps
        (own,) = marks.references
        handled = HandledForm(identification=identification, date=date, hour=hour, references=(own,))
        habits = replies.Replies(anomalies=(replies.Anomaly(correction="RC"),))
        for way in ("file_reference", "ticket_reference", "own_reference", "original_form"):
            setattr(habits, way, way == told)
        raw = answers.notification(self.SUBJECT, [handled], [1], at=NOW, replies=habits)
        found = parse_notification(raw)
        (form,) = found.forms
        assert form.unknown == ()
        assert found.verdict is Verdict.ACCEPTED_WITH_REMARKS
        assert form.anomalies[0].correction is not None
        assert form.anomalies[0].correction.is_reliable
        register = Register([Sent(id="ours", name=self.NAME, ticket="03804UE9XCMQZ", marks=marks)])
        assert register.notified(form).id == "ours"
        assert register.acknowledged(parse_acrf(answers.acrf(self.SUBJECT, (), at=NOW)).forms[0]).id == "ours"

    @pytest.mark.parametrize("how", replies.Packing)
    def test_what_it_packs_is_unpacked(self, how: replies.Packing) -> None:
        content = answers.acrf(self.SUBJECT, (), at=NOW)
        assert unpack(packing.pack("FO.ACRF", content, how)).content == content
