"""Whether a certificate names the host that was asked for (RFC 9525, DNS-ID and IP-ID)."""

from __future__ import annotations

import ipaddress

from cryptography import x509

from govfile.transports._connect import is_address


def to_ascii(host: str) -> str:
    """The name as DNS and certificates spell it; ValueError where it has no such spelling."""
    host = host.removesuffix(".")
    try:
        return (host if host.isascii() else host.encode("idna").decode("ascii")).lower()
    except UnicodeError as error:
        raise ValueError(f"{host!r} is not a host name") from error


def names(certificate: x509.Certificate) -> tuple[list[str], list[str]]:
    """The DNS names and the IP addresses a certificate is for; its common name counts for nothing."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, ValueError):
        return [], []
    addresses = [str(address) for address in found.get_values_for_type(x509.IPAddress)]
    return [name.lower() for name in found.get_values_for_type(x509.DNSName)], addresses


def belongs_to(certificate: x509.Certificate, host: str) -> bool:
    """Whether `certificate` is for `host`: an address only by iPAddress, a name only by dNSName.

    A wildcard stands for exactly one whole left-most label, never for one of a top-level domain.
    """
    dns_names, addresses = names(certificate)
    if is_address(host):
        wanted = ipaddress.ip_address(host)
        return any(ipaddress.ip_address(address) == wanted for address in addresses)
    name = to_ascii(host)
    return any(_fits(pattern.removesuffix("."), name) for pattern in dns_names)


def _fits(pattern: str, name: str) -> bool:
    if "*" not in pattern:
        return pattern == name
    first, _, rest = pattern.partition(".")
    label, _, domain = name.partition(".")
    return first == "*" and "*" not in rest and "." in rest and bool(label) and rest == domain
