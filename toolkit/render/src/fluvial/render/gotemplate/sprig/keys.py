"""Private keys: made, read and written in PEM, as Sprig does.

With a seed the keys are computed here from the seeded stream; without one the library makes them.
Everything heavy is imported when the first key is wanted.
"""

import base64
import binascii
import hashlib
import math
import re
from typing import TYPE_CHECKING, Any, Final

from fluvial.render.gotemplate._errors import FunctionError
from fluvial.render.gotemplate.sprig.chance import Chance, chance

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa

    SignKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

__all__ = ["gen_private_key", "new_rsa_key", "pem_block", "pem_text", "read_key"]

_EXPONENT: Final = 65537
_SMALL: Final = 20_000
_MADE: Final[dict[bytes, None]] = {}
"""Digests of the keys that this process made last. Checking an RSA key takes as long as making one,
and a chart signs all its certificates with the authority that it made first."""
_MOST_REMEMBERED: Final = 1024
_BLOCK: Final = re.compile(
    r"-----BEGIN ([^\n]*?)-----[ \t]*\r?\n(.*?)-----END \1-----[ \t]*(?:\r?\n|\Z)", re.DOTALL
)


def _small_primes() -> list[int]:
    """Sieve the odd primes that candidates are divided by first."""
    sieve = bytearray([1]) * _SMALL
    for number in range(3, math.isqrt(_SMALL) + 1, 2):
        if sieve[number]:
            sieve[number * number :: 2 * number] = bytes(
                len(range(number * number, _SMALL, 2 * number))
            )
    return [number for number in range(3, _SMALL, 2) if sieve[number]]


def _is_prime(number: int, source: Chance, rounds: int = 8) -> bool:
    """Test by Miller and Rabin, with random bases."""
    shift = ((number - 1) & -(number - 1)).bit_length() - 1
    odd = (number - 1) >> shift
    for _ in range(rounds):
        power = pow(2 + source.below(number - 3), odd, number)
        if power in {1, number - 1}:
            continue
        for _ in range(shift - 1):
            power = power * power % number
            if power == number - 1:
                break
        else:
            return False
    return True


def _prime(bits: int, source: Chance, primes: list[int]) -> int:
    """Find a prime with its two highest bits set, so that a product of two has full length."""
    while True:
        start = int.from_bytes(source.bytes(bits // 8), "big") | 3 << (bits - 2) | 1
        rests = [start % prime for prime in primes]
        for step in range(0, 1 << 14, 2):
            if any((rest + step) % prime == 0 for rest, prime in zip(rests, primes, strict=True)):
                continue
            number = start + step
            if number.bit_length() == bits and _is_prime(number, source):
                return number


def new_rsa_key(bits: int = 2048) -> "rsa.RSAPrivateKey":
    """Make an RSA key."""
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415  (heavy)

    source = chance()
    if not source.seeded:
        return rsa.generate_private_key(_EXPONENT, bits)
    primes = _small_primes()
    while True:
        p, q = (_prime(bits // 2, source, primes) for _ in range(2))
        order = math.lcm(p - 1, q - 1)
        if p != q and math.gcd(order, _EXPONENT) == 1:
            break
    d = pow(_EXPONENT, -1, order)
    return rsa.RSAPrivateNumbers(
        p=p,
        q=q,
        d=d,
        dmp1=d % (p - 1),
        dmq1=d % (q - 1),
        iqmp=pow(q, -1, p),
        public_numbers=rsa.RSAPublicNumbers(_EXPONENT, p * q),
    ).private_key(unsafe_skip_rsa_key_validation=True)  # fmt: skip  (made a moment ago)


def _new_dsa_key() -> "dsa.DSAPrivateKey":
    """Make a DSA key of 2048 bits; a seeded one searches its parameters in the seeded stream."""
    from cryptography.hazmat.primitives.asymmetric import dsa  # noqa: PLC0415  (heavy)

    source = chance()
    if not source.seeded:
        return dsa.generate_private_key(2048)
    primes = _small_primes()
    q = _prime(256, source, primes)
    while True:
        number = int.from_bytes(source.bytes(256), "big") | 1 << 2047
        p = number - number % (2 * q) + 1
        if p.bit_length() == 2048 and all(p % prime for prime in primes) and _is_prime(p, source):
            break
    g = next(found for base in range(2, 100) if (found := pow(base, (p - 1) // q, p)) > 1)
    x = 1 + source.below(q - 1)
    public = dsa.DSAPublicNumbers(pow(g, x, p), dsa.DSAParameterNumbers(p, q, g))
    return dsa.DSAPrivateNumbers(x, public).private_key()


def _new_ec_key() -> "ec.EllipticCurvePrivateKey":
    """Make a key on the curve P-256."""
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415  (heavy)

    source = chance()
    if not source.seeded:
        return ec.generate_private_key(ec.SECP256R1())
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    return ec.derive_private_key(1 + source.below(order - 1), ec.SECP256R1())


def gen_private_key(kind: str) -> str:
    """Make a private key: rsa, dsa, ecdsa or ed25519."""
    match kind:
        case "" | "rsa":
            return pem_text(new_rsa_key(4096))
        case "dsa":
            return pem_text(_new_dsa_key())
        case "ecdsa":
            return pem_text(_new_ec_key())
        case "ed25519":
            from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415  (heavy)

            drawn = chance().bytes(32)
            return pem_text(ed25519.Ed25519PrivateKey.from_private_bytes(drawn))
    return f"Unknown type {kind}"


def pem_text(key: Any) -> str:
    """Write a key as Go does: in the form of its kind, Ed25519 as PKCS#8."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415  (heavy)
    from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415  (heavy)

    form = serialization.PrivateFormat.TraditionalOpenSSL
    if isinstance(key, ed25519.Ed25519PrivateKey):
        form = serialization.PrivateFormat.PKCS8
    written: bytes = key.private_bytes(
        serialization.Encoding.PEM, form, serialization.NoEncryption()
    )
    text = written.decode()
    _remember(text)
    return text


def _remember(text: str) -> None:
    """Note that this process has made a key, so that it is not checked when it comes back."""
    block = pem_block(text)
    assert block is not None
    _MADE[hashlib.sha256(block[1]).digest()] = None
    if len(_MADE) > _MOST_REMEMBERED:
        _MADE.pop(next(iter(_MADE)))


def pem_block(text: str) -> tuple[str, bytes] | None:
    """Find the first block of PEM: its type and its bytes."""
    for found in _BLOCK.finditer(text):
        lines = found[2]
        body = lines.partition("\n\n")[2] if ":" in lines else lines
        try:
            return found[1], base64.b64decode("".join(body.split()), validate=True)
        except (binascii.Error, ValueError):
            continue
    return None


def read_key(text: str) -> "SignKey":
    """Read a private key. Raises FunctionError: in Go's words for what is no key of a kind."""
    block = pem_block(text)
    if block is None:
        raise FunctionError("no PEM data in input")
    kind = block[0]
    if kind != "PRIVATE KEY" and not kind.endswith(" PRIVATE KEY"):
        raise FunctionError(f"no private key data in PEM block of type {kind}")
    name = kind.removesuffix("PRIVATE KEY").strip()
    if name not in {"", "RSA", "EC", "DSA"}:
        raise FunctionError(f"invalid private key type {kind}")
    return _loaded(name, block[1])


def _loaded(name: str, data: bytes) -> "SignKey":
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415  (heavy)
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa  # noqa: PLC0415  (heavy)
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415  (heavy)
        load_der_private_key,
    )

    doing = f"parsing {name} private key from PEM" if name else "decoding PEM as PKCS#8"
    own = hashlib.sha256(data).digest() in _MADE
    try:
        key = load_der_private_key(data, None, unsafe_skip_rsa_key_validation=own)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise FunctionError(f"{doing}: {error}") from None
    if not isinstance(
        key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
    ):
        raise FunctionError(f"{doing}: only RSA, ECDSA and Ed25519 keys sign certificates")
    return key
