from __future__ import annotations

import os
import stat

import pytest

from detector.replace import replace_file


def test_a_new_file_has_the_mode_that_others_have(tmp_path):
    (tmp_path / "a").write_bytes(b"")
    replace_file(tmp_path / "b", b"new")
    assert (tmp_path / "b").read_bytes() == b"new"
    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) == stat.S_IMODE((tmp_path / "a").stat().st_mode)


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(b"old")
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        replace_file(tmp_path / "a", b"new")
    assert os.listdir(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"
