from __future__ import annotations

import os
import threading

import pytest

from detector.cache import remembering, settings_digest
from detector.findings import Finding

FOUND = Finding("a.txt", 1, 2, 1, 3, "INJ001", "injected '某博'", None, "某博\ud800", 0.9, "cue", "0f", (1, 2))


@pytest.fixture
def seen():
    return []


@pytest.fixture
def look(tmp_path, seen, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("某博")

    def examine(path, body=None):
        seen.append((path, body))
        return [FOUND]

    return remembering(examine, tmp_path / "cache", "settings")


def test_a_file_is_examined_once_until_it_changes(look, seen, tmp_path):
    assert look("a.txt") == look("a.txt") == look("a.txt", "某博".encode()) == [FOUND]
    assert len(seen) == 1
    (tmp_path / "a.txt").write_text("另一")
    look("a.txt")
    assert len(seen) == 2


def test_a_damaged_entry_is_as_good_as_none(look, seen, tmp_path):
    for damage in (b"", b"x", None):
        look("a.txt")
        (entry,) = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
        body = entry.read_bytes()
        entry.write_bytes(body.replace(b"INJ001", b"INJ002") if damage is None else damage)
        seen.clear()
        assert look("a.txt") == [FOUND]
        assert len(seen) == 1


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text("某博")
    (tmp_path / "cache").write_text("a file where the folder should be")
    look = remembering(lambda path, body=None: [FOUND._replace(path=path)], tmp_path / "cache", "")
    assert look(str(tmp_path / "a.txt"))


def test_what_changes_while_it_is_read_is_not_kept(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("一")

    def examine(name, body=None):
        path.write_text("一二三")
        return []

    remembering(examine, tmp_path / "cache", "")(str(path))
    assert not [entry for entry in (tmp_path / "cache").rglob("*") if entry.is_file()]


def test_runs_at_the_same_time_do_no_harm(look, tmp_path):
    results = []
    threads = [threading.Thread(target=lambda: results.append(look("a.txt"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [[FOUND]] * 8


def test_old_entries_are_forgotten(look, tmp_path):
    look("a.txt")
    (entry,) = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    old = entry.with_name("old")
    old.write_bytes(b"")
    os.utime(old, (0, 0))
    entry.unlink()
    look("a.txt")
    assert not old.exists()


def test_settings_cues_and_model_count(tiny_folder, tmp_path):
    cue = tmp_path / "brand.tsv"
    cue.write_text("某博\t1\n")
    digests = [settings_digest(str(tiny_folder), [cue], ["strict"]), settings_digest(str(tiny_folder), [cue], ["lenient"]),
               settings_digest(str(tiny_folder), [], ["strict"])]  # fmt: skip
    other = cue.rename(tmp_path / "tail.tsv")
    digests.append(settings_digest(str(tiny_folder), [other], ["strict"]))
    other.rename(cue)
    cue.write_text("某博\t2\n")
    digests += [settings_digest(str(tiny_folder), [cue], ["strict"]), settings_digest(None, [cue], ["strict"])]
    assert len(set(digests)) == 6
    assert digests[4] == settings_digest(str(tiny_folder), [cue], ["strict"])
