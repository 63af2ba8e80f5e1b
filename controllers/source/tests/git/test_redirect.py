import pytest

from fluvial.source.git.redirect import followed, location_of

TRACE = """\
07:00:00.1 http.c:1 <= Recv header, 0000000020 bytes (0x00000014)
07:00:00.1 http.c:1 <= Recv header: HTTP/1.1 301 Moved Permanently
07:00:00.1 http.c:1 <= Recv header: Location: /apps.git/info/refs?service=git-upload-pack
07:00:00.1 http.c:1 <= Recv header: Content-Length: 0
"""


def test_the_location_in_a_trace():
    assert location_of(TRACE) == "/apps.git/info/refs?service=git-upload-pack"
    assert location_of("nothing of the kind") is None


@pytest.mark.parametrize(
    ("url", "location", "expected", "reason"),
    [
        ("https://h/a", "/a.git/info/refs?service=x", "https://h/a.git", "the common case"),
        ("https://h/a", "https://h/b/a/info/refs", "https://h/b/a", "absolute, same host"),
        ("https://h:8443/a", "https://h:8443/b/info/refs", "https://h:8443/b", "same port"),
        ("http://h/a", "https://h/a/info/refs", "https://h/a", "from http to https"),
        ("https://h/a", "http://h/a/info/refs", None, "never back to http"),
        ("https://h/a", "https://evil/a/info/refs", None, "another host"),
        ("https://h/a", "//evil/a/info/refs", None, "another host, without a scheme"),
        ("https://h/a", "https://h:1/a/info/refs", None, "another port"),
        ("http://h:8080/a", "https://h/a/info/refs", None, "another port, though encrypted"),
        ("https://h/a", "https://h.evil/a/info/refs", None, "a longer name"),
        ("https://h/a", "https://h@evil/a/info/refs", None, "user information"),
        ("https://h/a", "https://u:p@h/a/info/refs", None, "credentials of their choice"),
        ("https://h/a", "/login", None, "not what was asked for"),
        ("https://h/a", "https://h:x/a/info/refs", None, "no port"),
        ("https://h/a", "file:///a/info/refs", None, "another protocol"),
    ],
)
def test_where_credentials_may_follow(url, location, expected, reason):
    assert followed(url, location) == expected, reason
