"""Reading a SignedData (RFC 5652, section 5), in DER or BER, within bounds."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import attrs
from cryptography import x509

from govfile.certificates._cms_names import SIGNED_DATA, Algorithm, dotted
from govfile.certificates._der import CONTEXT_0, INTEGER, OCTETS, SEQUENCE, Element, NotDer, read
from govfile.certificates._der_write import SET, encode
from govfile.certificates._names import subject_of

if TYPE_CHECKING:
    from collections.abc import Mapping

#: A detached signature with a chain and a time-stamp stays below 20 KiB.
LARGEST = 1024 * 1024

_MOST_CERTIFICATES = 32
_MOST_ATTRIBUTES = 64
_CONTEXT_1 = 0xA1
_KEY_IDENTIFIER = 0x80


@attrs.frozen
class Attributes:
    """The attributes of a signer by their dotted names, and the DER that a signature over them covers."""

    values: Mapping[str, tuple[Element, ...]]
    covered: bytes

    @classmethod
    def of(cls, element: Element) -> Attributes:
        """Read them; raises `NotDer`, also where one is there twice (RFC 5652, section 5.3)."""
        values: dict[str, tuple[Element, ...]] = {}
        for attribute in at_most(element, _MOST_ATTRIBUTES, "attributes"):
            name, held = exactly(attribute.expect(SEQUENCE), 2, "an attribute")
            if dotted(name) in values:
                raise NotDer(f"the attribute {dotted(name)} twice")
            values[dotted(name)] = tuple(at_most(held.expect(SET), _MOST_ATTRIBUTES, "values"))
        return cls(values, encode(SET, element.content))

    def single(self, name: str) -> Element | None:
        """The one value of an attribute, None where it is not there; raises `NotDer` where there is no single one."""
        values = self.values.get(name)
        if values is None:
            return None
        if len(values) != 1:
            raise NotDer(f"{len(values)} values of the attribute {name}")
        return values[0]


@attrs.frozen(kw_only=True)
class SignerInfo:
    """Who signed, by which algorithms, what else they signed, and the signature."""

    issuer_and_serial: tuple[bytes, bytes] | None
    key_identifier: bytes | None
    digest_algorithm: Algorithm
    signature_algorithm: Algorithm
    signed: Attributes | None
    unsigned: Attributes | None
    signature: bytes

    def is_by(self, certificate: x509.Certificate) -> bool:
        """Whether the certificate is the one that the signer names."""
        if self.issuer_and_serial is not None:
            return self.issuer_and_serial == _issuer_and_serial(certificate)
        try:
            found = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
        except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
            return False
        return found.value.digest == self.key_identifier


@attrs.frozen(kw_only=True)
class SignedData:
    """A SignedData: the kind of content, the content where it is inside, the certificates, and all signers."""

    content_type: str
    content: bytes | None
    certificates: tuple[x509.Certificate, ...]
    signers: tuple[SignerInfo, ...]


def read_all(data: bytes) -> SignedData:
    """A SignedData that fills `data` to its end; raises `NotDer`."""
    if len(data) > LARGEST:
        raise NotDer(f"{len(data)} bytes, more than the {LARGEST} that are read")
    element = read(data)
    if element.size != len(data):
        raise NotDer(f"{len(data) - element.size} bytes behind the end")
    return signed_data(element)


def signed_data(element: Element) -> SignedData:
    """The SignedData in a ContentInfo; raises `NotDer`."""
    kind, wrapped = exactly(element.expect(SEQUENCE), 2, "a ContentInfo")
    if dotted(kind) != SIGNED_DATA:
        raise NotDer(f"the content type {dotted(kind)} where a SignedData belongs")
    (inner,) = exactly(wrapped.expect(CONTEXT_0), 1, "a ContentInfo's content")
    parts = at_most(inner.expect(SEQUENCE), 6, "parts of a SignedData")
    if len(parts) < 4:
        raise NotDer(f"a SignedData of {len(parts)} parts")
    parts[0].expect(INTEGER)
    parts[1].expect(SET)
    content_type, content = _encapsulated(parts[2].expect(SEQUENCE))
    optional = {part.tag: part for part in parts[3:-1]}
    if len(optional) != len(parts) - 4 or optional.keys() - {CONTEXT_0, _CONTEXT_1}:
        raise NotDer("an unexpected part of a SignedData")
    return SignedData(
        content_type=content_type,
        content=content,
        certificates=_certificates(optional[CONTEXT_0]) if CONTEXT_0 in optional else (),
        signers=tuple(_signer(found) for found in at_most(parts[-1].expect(SET), 8, "signers")),
    )


def _encapsulated(element: Element) -> tuple[str, bytes | None]:
    parts = at_most(element, 2, "parts of the content")
    if not parts:
        raise NotDer("no content type")
    content = parts[1].expect(CONTEXT_0).child(0).octets if len(parts) == 2 else None
    return dotted(parts[0]), content


def _certificates(element: Element) -> tuple[x509.Certificate, ...]:
    """The X.509 ones; attribute certificates and what cannot be read are passed over."""
    found = []
    for held in at_most(element, _MOST_CERTIFICATES, "certificates"):
        certificate = _certificate(encode(SEQUENCE, held.content)) if held.tag == SEQUENCE else None
        if certificate is not None:
            found.append(certificate)
    return tuple(found)


def _certificate(encoded: bytes) -> x509.Certificate | None:
    try:
        found = x509.load_der_x509_certificate(encoded)
        subject_of(found)
    except (ValueError, x509.InvalidVersion, UserWarning):  # warnings are errors under `python -W error`
        return None
    return found


def _signer(element: Element) -> SignerInfo:
    parts = at_most(element.expect(SEQUENCE), 7, "parts of a signer")
    if len(parts) < 5:
        raise NotDer(f"a signer of {len(parts)} parts")
    parts[0].expect(INTEGER)
    issuer, identifier = _identifier(parts[1])
    digest, rest = Algorithm.of(parts[2]), parts[3:]
    signed = Attributes.of(rest.pop(0)) if rest[0].tag == CONTEXT_0 else None
    if len(rest) not in (2, 3):
        raise NotDer(f"{len(rest)} parts where a signer's algorithm and signature belong")
    return SignerInfo(
        issuer_and_serial=issuer,
        key_identifier=identifier,
        digest_algorithm=digest,
        signature_algorithm=Algorithm.of(rest[0]),
        signed=signed,
        signature=rest[1].octets,
        unsigned=Attributes.of(rest[2].expect(_CONTEXT_1)) if len(rest) == 3 else None,
    )


def _identifier(element: Element) -> tuple[tuple[bytes, bytes] | None, bytes | None]:
    if element.tag == _KEY_IDENTIFIER:
        return None, element.content
    if element.tag == CONTEXT_0:  # constructed: BER may split the octets
        return None, b"".join(part.expect(OCTETS).content for part in element)
    issuer, serial = exactly(element.expect(SEQUENCE), 2, "a signer's name")
    return (issuer.expect(SEQUENCE).content, serial.expect(INTEGER).content), None


def _issuer_and_serial(certificate: x509.Certificate) -> tuple[bytes, bytes]:
    """As they are encoded: a name decoded and encoded again need not be the same bytes."""
    parts = list(read(certificate.tbs_certificate_bytes))
    offset = 1 if parts[0].tag == CONTEXT_0 else 0
    return parts[offset + 2].content, parts[offset].content


def moment(element: Element | None) -> datetime | None:
    """A UTCTime or GeneralizedTime in UTC (`…Z`) as an aware time; None for anything else."""
    if element is None or element.tag not in (0x17, 0x18):
        return None
    text = element.content.decode("ascii", "replace")
    digits, _, fraction = text.removesuffix("Z").partition(".")
    length = 12 if element.tag == 0x17 else 14
    usable = text.endswith("Z") and digits.isdigit() and len(digits) == length and (fraction.isdigit() or not fraction)
    if not usable:
        return None
    if element.tag == 0x17:
        digits = ("19" if digits[:2] >= "50" else "20") + digits
    try:
        whole = datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return whole.replace(microsecond=int(f"{fraction:0<6}"[:6]))


def at_most(element: Element, most: int, what: str) -> list[Element]:
    """The inner elements; raises `NotDer` for more than `most`, without reading them all."""
    inner = list(itertools.islice(element, most + 1))
    if len(inner) > most:
        raise NotDer(f"more than {most} {what}")
    return inner


def exactly(element: Element, count: int, what: str) -> list[Element]:
    """The inner elements; raises `NotDer` for any other number of them."""
    inner = at_most(element, count, f"parts of {what}")
    if len(inner) != count:
        raise NotDer(f"{what} of {len(inner)} parts")
    return inner
