"""A certificate as messages carry it: DER in Base64, from whoever wrote the message."""

from __future__ import annotations

import base64

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from govfile.errors import CredentialError

#: In characters, white space included; certificates have two or three thousand. What is remembered by its text must
#: not fill the memory.
LONGEST = 32 * 1024


def carried_certificate(text: str) -> x509.Certificate:
    """The certificate in the text of a `ds:X509Certificate`; nothing of it is believed.

    Raises `CredentialError` when it cannot be read, or its key cannot.
    """
    if len(text) > LONGEST:
        raise CredentialError(f"the certificate has {len(text)} characters, more than the {LONGEST} that are read")
    try:
        found = x509.load_der_x509_certificate(base64.b64decode("".join(text.split()), validate=True))
        found.public_key()
    except (ValueError, x509.InvalidVersion, UnsupportedAlgorithm, UserWarning) as error:  # a warning under -W error
        raise CredentialError("the certificate cannot be read, or its key") from error
    return found
