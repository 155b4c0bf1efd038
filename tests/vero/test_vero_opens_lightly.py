"""What opening the package loads, and that nothing is ever fetched to describe the service."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.resources import files

import pytest

from govfile.vero import register_desk
from govfile.xml.contract import Contract


def loaded_by(program: str) -> set[str]:
    command = [
        sys.executable,
        "-W",
        "error",
        "-c",
        f"import json, sys; {program}; print(json.dumps(sorted(sys.modules)))",
    ]
    return set(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


def test_zeep_comes_with_the_first_message_alone() -> None:
    opened = loaded_by("from govfile import vero; vero.CertificateService, vero.IncomesRegister, vero.TEST")
    assert not opened & {"zeep", "lxml", "requests"}
    first = loaded_by("from govfile.vero import messages; messages.contract().action('getCertificate')")
    assert "zeep" in first


_AT_ONCE = """
import threading
from concurrent.futures import ThreadPoolExecutor
from govfile.vero import messages, register_desk
meet = threading.Barrier(8)
def work(number):
    meet.wait(30)
    if number % 2:
        return register_desk.contract().build("SendEcho", {"Data": "x"})
    return messages.contract().read("getCertificate", answer).values["Result"]["Status"]
answer = (b'<v:GetCertificateResponse xmlns:v="http://certificates.vero.fi/2017/10/certificateservices">'
          b"<Result><Status>FAIL</Status></Result></v:GetCertificateResponse>")
with ThreadPoolExecutor(8) as pool:
    print(len(list(pool.map(work, range(8)))))
"""


def test_threads_that_say_their_first_word_at_once_all_load_zeep_whole() -> None:
    done = subprocess.run([sys.executable, "-c", _AT_ONCE], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.returncode) == ("8\n", 0), done.stderr[-500:]


def test_the_package_alone_loads_nothing_heavy() -> None:
    opened = loaded_by("from govfile import vero; vero.__all__, dir(vero)")
    assert not opened & {"zeep", "lxml", "cryptography", "attrs", "sqlalchemy"}


def test_a_description_that_refers_elsewhere_is_not_followed(tmp_path: object) -> None:
    from pathlib import Path

    whole = (files("govfile.vero") / "contract" / "certificate-services.wsdl").read_text("utf-8")
    foreign = whole.replace(
        '<x:import namespace="http://www.w3.org/2000/09/xmldsig#"/>',
        '<x:import namespace="urn:elsewhere" schemaLocation="http://elsewhere.example/x.xsd"/>',
    )
    assert foreign != whole
    place = Path(str(tmp_path)) / "foreign.wsdl"
    place.write_text(foreign, "utf-8")
    contract = Contract(place, binding="CertificateServicesSoap", prefix="cer")
    with pytest.raises(Exception, match="elsewhere"):
        contract.action("getCertificate")


def test_the_registers_description_names_what_the_register_calls_its_operations() -> None:
    contract = register_desk.contract()
    names = (register_desk.ECHO, register_desk.WAGE_REPORTS, register_desk.STATUS)
    assert [contract.action(name) for name in names] == ["SendEcho", "SendWageReports", "GetDeliveryDataStatus"]
    assert contract.request_name(register_desk.ECHO) == contract.answer_name(register_desk.ECHO)
