"""Provenance files: which of them prove what."""

import hashlib

import pytest
from pysequoia import Cert, SignatureMode, Tsk, sign

from fluvial.render.helm.repository import SignatureInvalid, verify_package

PACKAGE = b"the bytes of a package"
NAME = "shop-1.0.0.tgz"


@pytest.fixture(scope="module")
def alice():
    return Tsk.generate("Alice <alice@example.com>")


@pytest.fixture(scope="module")
def bob():
    return Tsk.generate("Bob <bob@example.com>")


def public(key):
    return bytes(key.extract_certificate())


def text_of(package=PACKAGE, name=NAME):
    digest = hashlib.sha256(package).hexdigest()
    return f"apiVersion: v2\nname: shop\n\n...\nfiles:\n  {name}: sha256:{digest}\n".encode()


def signed(key, text=None, mode=SignatureMode.CLEAR):
    return sign(key.signer(), text_of() if text is None else text, mode=mode)


def refusal(package, provenance, keyring, name=NAME):
    with pytest.raises(SignatureInvalid) as caught:
        verify_package(package, provenance, name, keyring)
    return str(caught.value)


def test_a_good_signature(alice, bob):
    keyring = public(bob) + public(alice)
    proven = verify_package(PACKAGE, signed(alice), NAME, keyring)
    assert proven.signed_by == ["Alice <alice@example.com>"]
    assert proven.fingerprint == alice.extract_certificate().fingerprint.upper()
    assert proven.digest == f"sha256:{hashlib.sha256(PACKAGE).hexdigest()}"


def test_an_armored_keyring(alice):
    assert verify_package(
        PACKAGE, signed(alice), NAME, str(alice.extract_certificate()).encode()
    ).signed_by


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda text: b"dear reader\n\n" + text, "a text before it"),
        (lambda text: text + b"\nfiles: {}\n", "a text after it"),
        (lambda text: text.replace(b"\n", b"\r\n"), "line ends of windows"),
        (
            lambda text: text.replace(b"name: shop\n", b"name: shop  \n"),
            "blanks at the end of a line",
        ),
    ],
)
def test_what_a_signature_in_the_clear_allows(alice, change, reason):
    assert verify_package(PACKAGE, change(signed(alice)), NAME, public(alice)), reason


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda text: text.replace(b"name: shop", b"name: shup"), "the metadata changed"),
        (lambda text: text.replace(b"sha256:", b"sha256:0"), "the digest changed"),
        (lambda text: text.replace(b"\n...\n", b"\n...\nfiles: {}\n...\n"), "a part came in"),
    ],
)
def test_a_changed_text(alice, change, reason):
    assert "openpgp: invalid signature" in refusal(PACKAGE, change(signed(alice)), public(alice))


def test_a_changed_package(alice):
    said = refusal(PACKAGE + b"!", signed(alice), public(alice))
    assert said.startswith(f"sha256 sum does not match for {NAME}: ")


def test_another_package_of_the_same_signer(alice):
    said = refusal(PACKAGE, signed(alice), bytes(alice), name="other-1.0.0.tgz")
    assert said == 'provenance does not contain a SHA for a file named "other-1.0.0.tgz"'


@pytest.mark.parametrize(
    ("keyring", "reason"),
    [(public, "another's key"), (lambda _: b"", "no key at all")],
)
def test_unknown_signers(alice, bob, keyring, reason):
    said = refusal(PACKAGE, signed(alice), keyring(bob))
    assert said == "openpgp: signature made by unknown entity", reason


def test_a_revoked_key(alice):
    revocation = alice.extract_certificate().revoke(alice.certifier())
    revoked = Cert.from_bytes(public(alice) + bytes(revocation))
    assert revoked.is_revoked
    said = refusal(PACKAGE, signed(alice), bytes(revoked))
    assert said == "openpgp: signature made by revoked key"


@pytest.mark.parametrize(
    ("provenance", "said", "reason"),
    [
        (b"", "signature block not found", "nothing"),
        (text_of(), "signature block not found", "a text without signature"),
        (b"-----BEGIN PGP SIGNED MESSAGE-----\n", "openpgp: invalid signature", "a torn block"),
        (b" " * (2 << 20), "larger than", "too large"),
    ],
)
def test_no_provenance(alice, provenance, said, reason):
    assert said in refusal(PACKAGE, provenance, public(alice)), reason


def test_a_signature_that_hides_the_text(alice):
    provenance = signed(alice, mode=SignatureMode.INLINE)
    assert refusal(PACKAGE, provenance, public(alice)) == "signature block not found"


@pytest.mark.parametrize(
    ("text", "said", "reason"),
    [
        (b"files: {}\n", "message block must have at least two parts", "no dots"),
        (b"a: b\n...\nfiles: [\n", "no YAML", "sums that do not parse"),
        (b"a: b\n...\nfiles: [a]\n", "does not contain a SHA", "sums that are a list"),
        (b"a: b\n...\n- a\n", "does not contain a SHA", "no mapping"),
    ],
)
def test_odd_texts(alice, text, said, reason):
    assert said in refusal(PACKAGE, signed(alice, text), public(alice)), reason


def test_a_keyring_that_is_none(alice):
    assert "failed to load keyring" in refusal(PACKAGE, signed(alice), b"garbage")
