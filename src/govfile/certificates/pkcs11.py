"""A `Signer` whose key stays in a PKCS#11 token: a smart card, a hardware security module, or SoftHSM.

Needs the extra `pkcs11` (python-pkcs11) and the token maker's library. Digests are made here and only they go to the
token, by the mechanisms CKM_RSA_PKCS, CKM_RSA_PKCS_PSS and CKM_ECDSA of the PKCS#11 specification (OASIS, v2.40).
"""

from __future__ import annotations

import contextlib
import hmac
import os
import threading
from typing import TYPE_CHECKING, Any, NoReturn, Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key

from govfile.certificates._files import utf8
from govfile.certificates._material import key_of
from govfile.certificates.signer import PublicKey, Scheme, SignatureAlgorithm, describe_key, is_signature
from govfile.errors import ConfigurationError, CredentialError, MissingExtra

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from govfile.certificates.secret import Secret

# DER of `DigestInfo` up to the digest itself (RFC 8017, section 9.2, note 1).
_DIGEST_INFO = {
    "sha1": bytes.fromhex("3021300906052b0e03021a05000414"),
    "sha256": bytes.fromhex("3031300d060960864801650304020105000420"),
    "sha384": bytes.fromhex("3041300d060960864801650304020205000430"),
    "sha512": bytes.fromhex("3051300d060960864801650304020305000440"),
}

# What the errors of python-pkcs11 mean, by name: the classes are not there before the package is loaded.
_MEANINGS = {
    "PinIncorrect": ("refuses the PIN", "check it before the next try: tokens lock after a few"),
    "PinLenRange": ("refuses the PIN: its length is wrong", "check it before the next try"),
    "PinInvalid": ("refuses the PIN: it has forbidden characters", "check it before the next try"),
    "PinLocked": ("has locked the PIN", "unlock it with the maker's tool and the administrator's PIN"),
    "PinExpired": ("says that the PIN has expired", "set a new one with the maker's tool"),
    "UserPinNotInitialized": ("has no PIN yet", "set one with the maker's tool"),
    "UserNotLoggedIn": ("wants a login", "give its PIN"),
    "NoSuchToken": ("is not there", "check its label with pkcs11-tool --list-token-slots"),
    "MultipleTokensReturned": ("is there more than once", "give each token a label of its own"),
    "TokenNotPresent": ("is not there", "put it back, then open it again"),
    "DeviceRemoved": ("was removed", "put it back, then open it again"),
    "TokenNotRecognised": ("is not there, or not set up", "check its label with pkcs11-tool --list-token-slots"),
    "ObjectHandleInvalid": ("no longer knows the key", "put it back, then open it again"),
    "KeyHandleInvalid": ("no longer knows the key", "put it back, then open it again"),
    "GeneralError": ("fails", "see whether it is still there with pkcs11-tool --list-objects, then open it again"),
    "DeviceError": ("fails", "see whether it is still there with pkcs11-tool --list-objects, then open it again"),
    "SessionHandleInvalid": ("has closed the session", "open it again"),
    "SessionClosed": ("has closed the session", "open it again"),
    "MechanismInvalid": ("cannot make this kind of signature", "choose another algorithm"),
    "KeyTypeInconsistent": ("cannot make this kind of signature", "choose another algorithm"),
}

# One lock for all tokens: python-pkcs11 tells the maker's library that it need not guard itself against threads.
_lock = threading.RLock()
#: The process that initialised each library: after a fork the child must do it again.
_initialised: dict[str, int] = {}
# A token that is logged in checks no second PIN, so it is checked here, against a keyed digest of the first.
_logins: dict[tuple[str, str], bytes] = {}
_login_key = os.urandom(32)


def _renew_lock() -> None:
    global _lock  # another thread may have held the parent's at the moment of the fork
    _lock = threading.RLock()


os.register_at_fork(after_in_child=_renew_lock)


class Pkcs11Signer:
    """A key in a token. Threads may share it: they sign one after the other. After a fork, open it again.

    `certificates` are those the token holds. A token is logged in once a process; a second signer on it shares the
    login of the first, and must give the same PIN.
    """

    def __init__(
        self, session: Any, key: Any, public_key: PublicKey, certificates: tuple[x509.Certificate, ...], token: str
    ) -> None:
        self._session = session
        self._key = key
        self._public_key = public_key
        self._token = token
        self._process = os.getpid()
        self.certificates = certificates

    @classmethod
    def open(
        cls,
        module: str | os.PathLike[str],
        *,
        token: str,
        pin: Secret | None,
        key_label: str | None = None,
        key_id: bytes | None = None,
        certificates: Sequence[x509.Certificate] = (),
    ) -> Self:
        """Log in to the token labelled `token` and find the key.

        `module` is the path of the maker's library; `key_label` or `key_id` (raw bytes) chooses among several keys.
        `certificates` help to know the public half where the token does not show it. Raises `MissingExtra` without
        python-pkcs11, `ConfigurationError` for a label that is no text or an id that is no bytes, else
        `CredentialError`; a refused PIN is not tried again, since tokens lock.
        """
        secret = utf8(pin)
        _check_choice(key_label, key_id)
        with _errors_of(token):
            session = _log_in(os.fspath(module), token, secret)
            try:
                key = _find_key(session, key_label, key_id)
                held = tuple(_certificates(session))
                public_key = _public_key_of(session, key, [*certificates, *held])
            except BaseException:
                session.close()
                raise
        return cls(session, key, public_key, held, token)

    @property
    def public_key(self) -> PublicKey:
        """The public half of the key."""
        return self._public_key

    def sign(self, data: bytes, algorithm: SignatureAlgorithm) -> bytes:
        """See `Signer.sign`."""
        return self.sign_digest(algorithm.digest(data), algorithm)

    def sign_digest(self, digest: bytes, algorithm: SignatureAlgorithm) -> bytes:
        """See `Signer.sign_digest`. Raises `CredentialError` also when the token is gone or refuses the mechanism."""
        algorithm.check_key(self._public_key)
        algorithm.check_digest(digest)
        self._check_open()
        with _errors_of(self._token):
            return _sign(self._key, digest, algorithm, self._public_key.key_size)

    def close(self) -> None:
        """Close the session; the token logs out with the last one. More than once does no harm."""
        session, self._session = self._session, None
        if session is not None and self._process == os.getpid():
            with contextlib.suppress(CredentialError), _errors_of(self._token):
                session.close()

    def _check_open(self) -> None:
        if self._process != os.getpid():
            raise CredentialError(
                f"the token {self._token!r} was opened in another process",
                advice="open it again after the fork, in the process that signs",
            )
        if self._session is None:
            raise CredentialError(f"the token {self._token!r} is closed", advice="open it again")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Pkcs11Signer {describe_key(self._public_key)} in {self._token!r}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key in a token cannot be pickled or copied; open the token again in the other process")


@contextlib.contextmanager
def _errors_of(token: str) -> Iterator[None]:
    """Hold the lock, and say what a token's error means."""
    pkcs11 = _package()
    try:
        with _lock:
            yield
    except pkcs11.PKCS11Error as error:
        name = type(error).__name__
        what, advice = _MEANINGS.get(name, (f"answers {name}", "see the maker's documentation"))
        raise CredentialError(f"the token {token!r} {what}", advice=advice) from error


def _package() -> Any:
    try:
        import pkcs11
    except ImportError as missing:
        raise MissingExtra("python-pkcs11", "pkcs11", purpose="a key in a PKCS#11 token") from missing
    return pkcs11


def _log_in(module: str, token: str, pin: bytes | None) -> Any:
    pkcs11 = _package()
    try:
        library = pkcs11.lib(module)
    except (pkcs11.PKCS11Error, RuntimeError, OSError) as error:
        raise CredentialError(
            f"the PKCS#11 library {module!r} cannot be loaded", advice="give the path of the token maker's library"
        ) from error
    if _initialised.setdefault(module, os.getpid()) != os.getpid():
        library.reinitialize()
        _initialised[module] = os.getpid()
    found = library.get_token(token_label=token)
    if pin is None:
        if (module, token) in _logins:
            raise CredentialError(
                f"the token {token!r} was opened with a PIN in this process, and now without", advice="give its PIN"
            )
        return found.open()
    proof = hmac.digest(_login_key, pin, "sha256")
    try:
        session = found.open(user_pin=pin.decode("utf-8"))
    except pkcs11.UserAlreadyLoggedIn:
        if not hmac.compare_digest(_logins.get((module, token), proof), proof):
            what, advice = _MEANINGS["PinIncorrect"]
            raise CredentialError(f"the token {token!r} {what}", advice=advice) from None
        return found.open()
    _logins[module, token] = proof
    return session


def _check_choice(label: object, key_id: object) -> None:
    """python-pkcs11 ends the whole process over an attribute it cannot encode."""
    if label is not None and not isinstance(label, str):
        raise ConfigurationError(f"key_label is given as {type(label).__name__}", advice="give the key's label as text")
    if key_id is not None and not isinstance(key_id, bytes):
        raise ConfigurationError(
            f"key_id is given as {type(key_id).__name__}",
            advice="give its raw bytes: of 0a01, as pkcs11-tool prints it, bytes.fromhex('0a01')",
        )
    try:
        (label or "").encode("utf-8")
    except UnicodeEncodeError as error:
        raise ConfigurationError("key_label cannot be encoded", advice="give the key's label in UTF-8") from error


def _find_key(session: Any, label: str | None, key_id: bytes | None) -> Any:
    pkcs11 = _package()
    wanted: dict[Any, Any] = {pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY}
    if label is not None:
        wanted[pkcs11.Attribute.LABEL] = label
    if key_id is not None:
        wanted[pkcs11.Attribute.ID] = key_id
    keys = list(session.get_objects(wanted))
    if not keys:
        raise CredentialError(
            "the token shows no such private key", advice="check label, id and PIN with pkcs11-tool --list-objects"
        )
    if len(keys) > 1:
        names = ", ".join(f"{key.label!r} (id {key.id.hex() or 'none'})" for key in keys)
        raise CredentialError(f"the token holds several keys: {names}", advice="choose by key_label or key_id")
    return keys[0]


def _certificates(session: Any) -> Iterator[x509.Certificate]:
    pkcs11 = _package()
    for found in list(session.get_objects({pkcs11.Attribute.CLASS: pkcs11.ObjectClass.CERTIFICATE})):
        # Tokens also hold attribute certificates and makers' own: not ours.
        with contextlib.suppress(ValueError, x509.InvalidVersion, pkcs11.PKCS11Error):
            yield x509.load_der_x509_certificate(found[pkcs11.Attribute.VALUE])


def _public_key_of(session: Any, key: Any, certificates: Sequence[x509.Certificate]) -> PublicKey:
    """The public half: an RSA key in a token shows it; else it is the candidate that verifies a fresh signature."""
    pkcs11 = _package()
    is_rsa = key.key_type == pkcs11.KeyType.RSA
    if is_rsa:
        with contextlib.suppress(pkcs11.PKCS11Error):
            return _rsa_half(key)
    candidates = [*_public_objects(session, key), *(key_of(found) for found in certificates)]
    fitting = rsa.RSAPublicKey if is_rsa else ec.EllipticCurvePublicKey
    for candidate in candidates:
        if isinstance(candidate, fitting) and _is_half_of(key, candidate):
            return candidate
    raise CredentialError(
        "the token does not show the public half of the key, and no certificate fits it",
        advice="store the certificate or the public key in the token, or give the certificate",
    )


def _rsa_half(key: Any) -> rsa.RSAPublicKey:
    attribute = _package().Attribute
    modulus, exponent = (
        int.from_bytes(key[wanted], "big") for wanted in (attribute.MODULUS, attribute.PUBLIC_EXPONENT)
    )
    return rsa.RSAPublicNumbers(exponent, modulus).public_key()


def _public_objects(session: Any, key: Any) -> Iterator[object]:
    """The token's public keys with the same id."""
    pkcs11 = _package()
    wanted = {pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PUBLIC_KEY, pkcs11.Attribute.ID: key.id}
    for found in list(session.get_objects(wanted)):
        with contextlib.suppress(ValueError, pkcs11.PKCS11Error):
            if found.key_type == pkcs11.KeyType.RSA:
                yield _rsa_half(found)
            elif found.key_type == pkcs11.KeyType.EC:
                yield load_der_public_key(pkcs11.util.ec.encode_ec_public_key(found))


def _is_half_of(key: Any, candidate: PublicKey) -> bool:
    algorithm = SignatureAlgorithm.usual_for(candidate)
    proof = os.urandom(32)
    try:
        signature = _sign(key, algorithm.digest(proof), algorithm, candidate.key_size)
    except _package().PKCS11Error:
        return False
    return is_signature(candidate, signature, proof, algorithm)


def _sign(key: Any, digest: bytes, algorithm: SignatureAlgorithm, key_size: int) -> bytes:
    mechanism = _package().Mechanism
    if algorithm.scheme is Scheme.ECDSA:
        # FIPS 186-5: a digest longer than the order of the curve is cut; not every token does it by itself.
        raw = key.sign(digest[: (key_size + 7) // 8], mechanism=mechanism.ECDSA)
        middle = len(raw) // 2
        return encode_dss_signature(int.from_bytes(raw[:middle], "big"), int.from_bytes(raw[middle:], "big"))
    if algorithm.scheme is Scheme.RSA_PKCS1:
        return bytes(key.sign(_DIGEST_INFO[algorithm.hash_name] + digest, mechanism=mechanism.RSA_PKCS))
    name = algorithm.hash_name.upper()
    settings = (mechanism[name], _package().MGF[name], algorithm.digest_size)
    return bytes(key.sign(digest, mechanism=mechanism.RSA_PKCS_PSS, mechanism_param=settings))
