"""What is random comes from the machine, or from a seed; and what is heavy is imported late."""

import datetime as dt
import subprocess
import sys

import pytest

from fluvial.render.gotemplate import Templates, sprig
from fluvial.render.gotemplate.sprig.chance import Chance

EVERYTHING = """{{ randAlphaNum 20 }} {{ randAlpha 20 }} {{ randNumeric 20 }} {{ randAscii 20 }}
{{ randInt 0 1000000 }} {{ randBytes 16 }} {{ uuidv4 }} {{ shuffle "abcdefghijklmnop" }} {{ now }}
{{ htpasswd "user" "password" }} {{ encryptAES "key" "text" }}
{{ genPrivateKey "ecdsa" }} {{ genPrivateKey "ed25519" }}
{{ $k := genPrivateKey "ecdsa" }}{{ $ca := genCAWithKey "ca" 30 $k }}{{ $ca.Cert }}
{{ (genSignedCertWithKey "svc" (list "10.0.0.1") (list "svc") 30 $ca $k).Cert }}"""


def render(text):
    templates = Templates(sprig.functions())
    templates.add("t", text)
    return templates.execute("t", None)


def test_a_seed_gives_the_same_output_every_time():
    with sprig.seeded("one"):
        first = render(EVERYTHING)
    with sprig.seeded("one"):
        again = render(EVERYTHING)
    with sprig.seeded("two"):
        other = render(EVERYTHING)
    assert first == again
    assert first.split("\n")[0] != other.split("\n")[0], "the seed is what decides"


def test_a_seeded_authority_with_an_rsa_key_of_its_own():
    made = []
    for _ in range(2):
        with sprig.seeded("rsa"):
            made.append(render('{{ $c := genCA "ca" 1 }}{{ $c.Cert }}{{ $c.Key }}'))
    assert made[0] == made[1]
    assert "BEGIN RSA PRIVATE KEY" in made[0]


def test_without_a_seed_nothing_repeats():
    assert render(EVERYTHING) != render(EVERYTHING)


def test_a_seed_ends_with_its_block():
    with sprig.seeded("one"):
        pass
    assert render("{{ randAlphaNum 30 }}") != render("{{ randAlphaNum 30 }}")


def test_the_clock_of_a_seed_may_be_set():
    with sprig.seeded("one", dt.datetime(2024, 3, 9, 10, 20, 30, tzinfo=dt.UTC)):
        assert render('{{ now.UTC.Format "2006-01-02T15:04:05" }}') == "2024-03-09T10:20:30"
    with sprig.seeded("one"):
        assert render("{{ now.UTC.Year }}") == "2000"


@pytest.mark.parametrize("bound", [1, 2, 3, 255, 256, 257, 2**64 + 1])
def test_numbers_stay_below_their_bound(bound):
    source = Chance("seed")
    assert all(0 <= source.below(bound) < bound for _ in range(200))


def test_every_letter_of_an_alphabet_is_drawn():
    assert set(Chance("seed").text(2000, "abcde")) == set("abcde")


def test_heavy_libraries_wait_for_the_first_call():
    program = (
        "import sys, fluvial.render.helm as helm\n"
        "heavy = {'cryptography', 're2', 'bcrypt', 'jsonschema_rs'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
