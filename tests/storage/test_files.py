"""Files: whole or not at all."""

import os

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
