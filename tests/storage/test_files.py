"""Files: whole or not at all."""

import os
import select
import stat
import threading
from pathlib import Path

import pytest
from flopledger.storage.files import check_folder, check_writable, write_whole


def test_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "out.txt"
    path.write_text("before")
    write_whole(path, "after")
    assert path.read_text() == "after"
    assert os.listdir(tmp_path) == ["out.txt"]


def test_a_write_that_fails_changes_nothing(tmp_path):
    path = tmp_path / "out.txt"
    path.write_text("before")
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "\ud800")
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        write_whole(tmp_path / "folder", "text")
    assert path.read_text() == "before"
    assert sorted(os.listdir(tmp_path)) == ["folder", "out.txt"]


def test_a_link_is_followed_and_stays(tmp_path):
    (tmp_path / "there").mkdir()
    real, link, open_end = tmp_path / "there" / "real", tmp_path / "link", tmp_path / "open"
    real.write_text("before")
    link.symlink_to(real)
    open_end.symlink_to("there/new")  # to what is not there yet
    for path in (link, open_end):
        check_writable(path)
        write_whole(path, "after")
        assert path.is_symlink()
    assert (real.read_text(), (tmp_path / "there" / "new").read_text()) == ("after", "after")
    assert sorted(os.listdir(tmp_path)) == ["link", "open", "there"]
    circle = tmp_path / "circle"
    circle.symlink_to("circle")
    with pytest.raises(ValueError, match="circle cannot be written"):
        check_writable(circle)


@pytest.mark.parametrize("mode", [0o600, 0o664, 0o755])
def test_a_file_keeps_its_mode(tmp_path, mode):
    path = tmp_path / "out.txt"
    path.touch()
    path.chmod(mode)
    write_whole(path, "text")
    assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_a_new_file_has_the_mode_that_the_umask_leaves(tmp_path, mask, mode):
    before = os.umask(mask)
    try:
        write_whole(tmp_path / "out.txt", "text")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out.txt").stat().st_mode) == mode


def test_a_device_is_written_into():
    check_writable(Path(os.devnull))
    write_whole(Path(os.devnull), "text")
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


def test_a_pipe_is_written_into_whole(tmp_path):
    pipe, long = tmp_path / "pipe", b"1" * 300_000  # more than it holds at once
    os.mkfifo(pipe)
    check_writable(pipe)
    with pytest.raises(ValueError, match="a pipe that nobody reads; start what reads it first"):
        write_whole(pipe, long)
    descriptor = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)  # its reader is there
    writer = threading.Thread(target=write_whole, args=(pipe, long))
    writer.start()
    select.select([descriptor], [], [])
    os.set_blocking(descriptor, True)
    with os.fdopen(descriptor, "rb") as file:
        assert file.read() == long
    writer.join()
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert os.listdir(tmp_path) == ["pipe"]


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(ValueError, match="no/such does not exist"):
        check_writable(tmp_path / "no" / "such" / "out.txt")


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(ValueError, match="is a folder; name a file in it"):
        check_writable(tmp_path)


def test_a_folder_that_can_be_made_will_do(tmp_path):
    check_folder(tmp_path / "a" / "b")
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="file is no folder; choose another one"):
        check_folder(tmp_path / "file" / "b")
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(ValueError, match="cannot be written"):
        check_writable(tmp_path / "out.txt")
