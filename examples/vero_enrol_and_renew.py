"""A certificate of the Finnish service: enrolled by one-time codes, tried at the register, renewed with a new key."""

from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from govfile import KeyStore, OutcomeUnknown, Secret, vero
from govfile.sandbox import VeroSandbox
from govfile.sandbox.vero.faults import Lost

CUSTOMER = "0123456-7"


def renew_with_a_lost_answer(authority: VeroSandbox, service: vero.CertificateService) -> None:
    """The worst moment: the service has made a certificate, and its answer does not come."""
    before = service.credential(CUSTOMER)
    with authority.faults.during(lost=Lost.AFTER):
        try:
            service.renew(CUSTOMER)
        except OutcomeUnknown as unknown:
            print(unknown)
        else:
            raise AssertionError("the loss was not noticed")
    assert service.credential(CUSTOMER) == before, "what was in use is in use"
    number = authority.issued[-1].retrieval_id  # really: what the authority's support says
    after = service.fetch(CUSTOMER, retrieval_id=number, timeout=20)
    print("in use until", after.expires)
    assert after.public_key != before.public_key


def main(folder: Path) -> None:
    with VeroSandbox() as authority:
        clock = authority.clock
        keys = KeyStore(folder / "keys", Secret("a passphrase for the keys at rest"), clock=clock)
        transfer_id, password = authority.invite(CUSTOMER)
        with vero.CertificateService(authority.environment, keys, clock=clock, sleep=clock.sleep) as service:
            print("1. Two one-time codes, one key, one certificate.")
            first = service.enrol(CUSTOMER, transfer_id=transfer_id, transfer_password=password)
            again = service.enrol(CUSTOMER, transfer_id=transfer_id, transfer_password=password)
            print("in use until", first.expires)
            assert again == first, "a program that runs twice enrols once"

            print("\n2. Does it work?")
            with vero.IncomesRegister(authority.environment, first, clock=clock) as register:
                print("the register says", register.echo("hello"))

            print("\n3. Two years later.")
            clock.advance(timedelta(days=730 - 30))
            second = service.renew(CUSTOMER)
            print("in use until", second.expires)
            assert service.generations(CUSTOMER) == (first, second)

            print("\n4. Two years later, the line breaks.")
            clock.advance(timedelta(days=730 - 30))
            renew_with_a_lost_answer(authority, service)
            assert keys.verify() == []


if __name__ == "__main__":
    with TemporaryDirectory() as place:
        main(Path(place))
