import stat

import pytest

from fluvial.cluster.node.files import private_directory, private_file


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_every_directory_on_the_way_is_private(tmp_path):
    made = private_directory(tmp_path / "a" / "b")
    assert made.is_dir()
    assert (mode(tmp_path / "a"), mode(made)) == (0o700, 0o700)


def test_what_exists_already_is_left_as_it_is(tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o755)
    private_directory(shared / "mine")
    assert (mode(shared), mode(shared / "mine")) == (0o755, 0o700)


def test_logs_are_private_and_appended_to(tmp_path):
    path = tmp_path / "logs" / "web" / "0.log"
    for text in (b"one\n", b"two\n"):
        with private_file(path) as file:
            file.write(text)
    assert path.read_bytes() == b"one\ntwo\n"
    assert mode(path) == 0o600


def test_a_link_in_the_place_of_a_log_is_not_followed(tmp_path):
    (tmp_path / "0.log").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        private_file(tmp_path / "0.log")
    assert not (tmp_path / "elsewhere").exists()
