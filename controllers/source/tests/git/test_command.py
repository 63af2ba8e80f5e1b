import asyncio
import os

import pytest

from fluvial.source.git.command import GitCommand, clean, locked_environment
from fluvial.source.git.errors import CommandFailed, CommandTimedOut, OutputTooLarge


@pytest.fixture
def git(tmp_path, executor):
    home = tmp_path / "home"
    home.mkdir()

    async def run(*arguments, **options):
        options.setdefault("timeout", 30.0)
        return await GitCommand(home, executor).run(*arguments, directory=tmp_path, **options)

    return run


def alias(script):
    """Make a git command of our own, to see how a hostile or slow one would fare."""
    return {"alias.x": f"!{script}"}


async def test_nothing_inherited_steers_git(git, tmp_path, monkeypatch):
    poison = tmp_path / "poison"
    poison.write_text("[user]\n\tname = poison\n")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_TRACE", str(tmp_path / "trace"))
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", "'user.name=poison'")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(poison))
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".gitconfig").write_text("[user]\n\tname = poison\n")
    listed = (await git("config", "--list")).decode()
    assert "poison" not in listed
    assert not (tmp_path / "trace").exists()
    shown = (await git("x", configuration=alias("env"))).decode()
    assert "GIT_TRACE" not in shown
    assert "elsewhere" not in shown


@pytest.mark.parametrize(
    "url", ["file:///etc", "ext::sh -c 'touch pwned'", "git://127.0.0.1/x", "/etc"]
)
async def test_other_protocols_are_refused(git, tmp_path, url):
    with pytest.raises(CommandFailed, match=r"not allowed|not supported"):
        await git("ls-remote", "--", url)
    assert not (tmp_path / "pwned").exists()


@pytest.fixture
def pipe(tmp_path):
    """Make a pipe that a grandchild of git holds open: it ends when that process does."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


def holding(pipe):
    return alias(f"sh -c 'exec 3>{pipe}; echo up >&3; exec sleep 60' & wait")


async def test_the_deadline_ends_the_whole_group(git, pipe):
    async with asyncio.timeout(30):
        ended = asyncio.create_task(asyncio.to_thread(pipe.read_text))
        with pytest.raises(CommandTimedOut, match="took over"):
            await git("x", configuration=holding(pipe), timeout=2.0)
        assert await ended == "up\n"


async def test_cancelling_ends_the_whole_group(git, pipe):
    async with asyncio.timeout(30):
        running = asyncio.create_task(git("x", configuration=holding(pipe)))
        with await asyncio.to_thread(pipe.open) as reader:
            assert await asyncio.to_thread(reader.readline) == "up\n"
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            assert await asyncio.to_thread(reader.read) == ""


async def test_output_is_bounded(git):
    with pytest.raises(OutputTooLarge, match="over 1000 bytes"):
        await git("x", configuration=alias("yes"), limit=1000)


async def test_secrets_are_not_repeated(git):
    script = "echo fatal: https://ada:s3cret@git.test/ said tok3n >&2; exit 128; :"
    with pytest.raises(CommandFailed) as caught:
        await git("x", configuration=alias(script), secrets=["tok3n"])
    assert "s3cret" not in str(caught.value)
    assert "tok3n" not in str(caught.value)
    assert "git.test" in str(caught.value)


def test_messages_are_one_clean_line():
    assert clean("remote: a\x1b[31mb\nfatal: c\n") == "remote: a [31mb; fatal: c"
    assert len(clean("x" * 5000)) == 1024


def test_secrets_travel_in_the_environment(tmp_path):
    environment = locked_environment(tmp_path, {"http.extraHeader": "Authorization: Basic x"})
    count = int(environment["GIT_CONFIG_COUNT"])
    pairs = {
        environment[f"GIT_CONFIG_KEY_{n}"]: environment[f"GIT_CONFIG_VALUE_{n}"]
        for n in range(count)
    }
    assert pairs["http.extraHeader"] == "Authorization: Basic x"
    assert pairs["core.hooksPath"] == os.devnull
    assert environment["GIT_ALLOW_PROTOCOL"] == "http:https:ssh"
    assert environment["GIT_TERMINAL_PROMPT"] == "0"
