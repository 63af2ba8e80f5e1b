"""Certificates that charts make: they must hold together, whatever they are."""

import base64

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from fluvial.render.gotemplate import TemplateError, Templates, sprig
from fluvial.render.gotemplate.sprig import keys


def render(text, data=None):
    templates = Templates(sprig.functions())
    templates.add("t", text)
    return templates.execute("t", data)


def certificates(text):
    return x509.load_pem_x509_certificates(render(text).encode())


def test_an_authority_signs_a_certificate_with_its_names():
    authority, leaf = certificates(
        '{{ $ca := genCA "my-ca" 365 }}'
        '{{ $c := genSignedCert "svc" (list "10.0.0.1") (list "svc.ns" "svc") 30 $ca }}'
        "{{ $ca.Cert }}{{ $c.Cert }}"
    )
    leaf.verify_directly_issued_by(authority)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["svc.ns", "svc"]
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["10.0.0.1"]
    assert (leaf.not_valid_after_utc - leaf.not_valid_before_utc).days == 30
    assert authority.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_key_and_certificate_belong_together():
    cert, _, key = render(
        '{{ $c := genSelfSignedCert "a" nil nil 1 }}{{ $c.Cert }}|{{ $c.Key }}'
    ).partition("|")
    public = x509.load_pem_x509_certificate(cert.encode()).public_key()
    assert load_pem_private_key(key.encode(), None).public_key() == public
    assert key.startswith("-----BEGIN RSA PRIVATE KEY-----")


@pytest.mark.parametrize("kind", ["ecdsa", "ed25519"])
def test_keys_at_hand_are_used(kind):
    text = (
        f'{{{{ $k := genPrivateKey "{kind}" }}}}{{{{ $ca := genCAWithKey "ca" 1 $k }}}}'
        '{{ $c := genSignedCertWithKey "c" (list) (list "x") 1 $ca $k }}'
        '{{ $s := genSelfSignedCertWithKey "s" nil nil 1 $k }}'
        "{{ $ca.Cert }}{{ $c.Cert }}{{ $s.Cert }}"
    )
    authority, leaf, own = certificates(text)
    leaf.verify_directly_issued_by(authority)
    own.verify_directly_issued_by(own)
    assert authority.public_key() == leaf.public_key() == own.public_key()


def test_a_custom_certificate_signs():
    cert, _, key = render('{{ $c := genCA "own" 9 }}{{ $c.Cert }}|{{ $c.Key }}').partition("|")
    encoded = [base64.b64encode(part.encode()).decode() for part in (cert, key)]
    made = render(
        "{{ $ca := buildCustomCert (index . 0) (index . 1) }}"
        '{{ (genSignedCert "x" nil nil 1 $ca).Cert }}',
        encoded,
    )
    issuer = x509.load_pem_x509_certificate(cert.encode())
    x509.load_pem_x509_certificate(made.encode()).verify_directly_issued_by(issuer)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ('{{ genSelfSignedCert "a" "10.0.0.1" nil 1 }}', "can't handle"),
        ('{{ genSelfSignedCert "a" (list "x") nil 1 }}', "error parsing ip: x"),
        ('{{ genSelfSignedCert "a" nil (list 1) 1 }}', "1 is not a string"),
        ('{{ genSignedCert "a" nil nil 1 "ca" }}', "for arg of type sprig.certificate"),
        ('{{ genCAWithKey "a" 1 "no key" }}', "no PEM data in input"),
        ('{{ buildCustomCert "?" "?" }}', "unable to decode base64 certificate"),
        ('{{ genCA "a" 99999999 }}', "cannot be valid for 99999999 days"),
    ],
)
def test_what_cannot_be_made(template, message):
    with pytest.raises(TemplateError, match=message):
        render(template)


def test_an_unknown_kind_of_key_is_text():
    assert render('{{ genPrivateKey "what" }}') == "Unknown type what"


@pytest.fixture
def checks(monkeypatch):
    """Tell of each RSA key that is read whether it was checked."""
    seen = []
    load = serialization.load_der_private_key

    def spy(data, password, *, unsafe_skip_rsa_key_validation=False):
        seen.append(not unsafe_skip_rsa_key_validation)
        return load(data, password, unsafe_skip_rsa_key_validation=unsafe_skip_rsa_key_validation)

    monkeypatch.setattr(serialization, "load_der_private_key", spy)
    return seen


def test_a_key_that_was_made_here_is_not_checked_again(checks):
    render(
        '{{ $ca := genCA "a" 1 }}{{ range until 3 }}{{ genSignedCert "b" nil nil 1 $ca }}{{ end }}'
        '{{ $key := replace "\\n" "\\r\\n" (genPrivateKey "rsa") }}{{ genCAWithKey "c" 1 $key }}'
    )
    assert checks == [False] * 4


def test_a_key_from_elsewhere_is_checked(checks):
    key = rsa.generate_private_key(65537, 2048)
    numbers = key.private_numbers()
    broken = rsa.RSAPrivateNumbers(
        p=numbers.p, q=numbers.q, d=numbers.d + 2, dmp1=numbers.dmp1, dmq1=numbers.dmq1,
        iqmp=numbers.iqmp, public_numbers=numbers.public_numbers,
    ).private_key(unsafe_skip_rsa_key_validation=True)  # fmt: skip
    text = '{{ (genCAWithKey "a" 1 .).Cert }}'
    assert "BEGIN CERTIFICATE" in render(text, pem(key))
    with pytest.raises(TemplateError, match="parsing private key"):
        render(text, pem(broken))
    assert checks == [True, True]


def pem(key):
    form = serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(
        serialization.Encoding.PEM, form, serialization.NoEncryption()
    ).decode()


def test_only_the_last_keys_are_remembered():
    for number in range(1100):
        body = base64.b64encode(number.to_bytes(2)).decode()
        keys._remember(f"-----BEGIN X-----\n{body}\n-----END X-----\n")
    assert len(keys._MADE) == 1024
