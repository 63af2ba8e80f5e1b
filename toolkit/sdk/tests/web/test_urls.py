"""Addresses, as Helm joins and compares them."""

import pytest

from fluvial.toolkit.web import UrlInvalid, resolve, same_origin, same_url, shown


@pytest.mark.parametrize(
    ("base", "reference", "address", "reason"),
    [
        ("http://a/b", "c.tgz", "http://a/b/c.tgz", "the base is a folder"),
        ("http://a/b/", "c.tgz", "http://a/b/c.tgz", "with a slash at the end, too"),
        ("http://a/b", "charts/c.tgz", "http://a/b/charts/c.tgz", "a path"),
        ("http://a/b", "../c.tgz", "http://a/c.tgz", "upwards"),
        ("http://a/b", "/c.tgz", "http://a/c.tgz", "from the root of the host"),
        ("http://a/b", "https://x/c.tgz", "https://x/c.tgz", "an absolute one stays"),
        ("http://a/b", "//x/c.tgz", "http://x/c.tgz", "another host, the same scheme"),
        ("http://a/b?sig=1", "c.tgz", "http://a/b/c.tgz?sig=1", "the query is kept"),
        ("http://a/b?sig=1", "c.tgz?x=2", "http://a/b/c.tgz?sig=1", "and wins"),
        ("http://a/b", "https://x/c.tgz?x=2", "https://x/c.tgz?x=2", "an absolute one has its own"),
        ("http://u:p@a/b", "c.tgz", "http://u:p@a/b/c.tgz", "userinfo is part of the host"),
        ("http://a/b%2Fc", "d+e.tgz", "http://a/b%2Fc/d+e.tgz", "escapes stay as they are"),
        ("http://a", "c.tgz", "http://a/c.tgz", "no path"),
        ("oci://a/b", "../c", "oci://a/c", "a scheme of registries"),
    ],
)
def test_resolve(base, reference, address, reason):
    assert resolve(base, reference) == address, reason


@pytest.mark.parametrize(
    ("one", "other", "same", "reason"),
    [
        ("http://a/x", "http://a/y?z", True, "only the path differs"),
        ("http://a", "http://A:80", True, "the scheme's port, capitals"),
        ("https://a", "https://a:443", True, "the other scheme's port"),
        ("http://a", "https://a", False, "another scheme"),
        ("http://a", "http://a:81", False, "another port"),
        ("http://a", "http://b.a", False, "a host below"),
        ("http://a", "http://u@a", True, "userinfo is no part of it"),
    ],
)
def test_same_origin(one, other, same, reason):
    assert same_origin(one, other) is same, reason


@pytest.mark.parametrize(
    ("one", "other", "same", "reason"),
    [
        ("http://a/x/", "http://a/x", True, "a slash at the end"),
        ("http://a", "http://a/", True, "no path"),
        ("http://a/x/../y", "http://a/y", True, "steps up"),
        ("http://a/x", "http://a/y", False, "another path"),
        ("http://a/x", "https://a/x", False, "another scheme"),
    ],
)
def test_same_url(one, other, same, reason):
    assert same_url(one, other) is same, reason


def test_a_port_that_is_none():
    with pytest.raises(UrlInvalid, match=r"^invalid URL: http://a:x/b$"):
        resolve("http://u:secret@a:x/b", "c.tgz")


@pytest.mark.parametrize(
    ("url", "text", "reason"),
    [
        ("https://u:p@ss@a/b@c", "https://a/b@c", "a user and password"),
        (
            "https://a/b?x=1&sig=abc%2F",
            "https://a/b?x=1&sig=*****",
            "the signature of a blob store",
        ),
        ("https://a/b?X-Amz-Signature=ab", "https://a/b?X-Amz-Signature=*****", "of a bucket"),
        ("charts/b.tgz", "charts/b.tgz", "a path"),
    ],
)
def test_shown(url, text, reason):
    assert shown(url) == text, reason
