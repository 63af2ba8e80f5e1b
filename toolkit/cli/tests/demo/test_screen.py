"""Bars, lines, and the live table."""

import io

import pytest

from fluvial.cli.demo.screen import LiveScreen, Screen, bar, open_screen


@pytest.mark.parametrize(
    ("percent", "drawn", "reason"),
    [
        (0, "····", "empty"),
        (100, "████", "full"),
        (50, "██··", "half"),
        (31.25, "█▎··", "eighths of a character"),
        (140, "████", "never longer than the bar"),
        (-5, "····", "never shorter"),
    ],
)
def test_bar(percent, drawn, reason):
    assert bar(percent, 4) == drawn, reason


def test_plain_lines_have_no_table():
    stream = io.StringIO()
    screen = Screen(stream)
    screen.heading("Step")
    screen.table(["a row"])
    screen.line("done")
    assert "\x1b" not in stream.getvalue()
    assert "a row" not in stream.getvalue()
    assert stream.getvalue().endswith(" s  done\n")


def test_the_table_is_drawn_in_place_and_stays_below_new_lines():
    stream = io.StringIO()
    screen = LiveScreen(stream, 80)
    screen.table(["one", "two"])
    screen.plain("news")
    assert stream.getvalue() == "one\ntwo\n\x1b[2A\x1b[Jnews\none\ntwo\n"


def test_a_row_is_cut_to_the_terminal():
    stream = io.StringIO()
    LiveScreen(stream, 5).table(["abcdefgh"])
    assert stream.getvalue() == "abcd\n"


def test_no_terminal_no_live_screen():
    assert not open_screen(io.StringIO()).live
