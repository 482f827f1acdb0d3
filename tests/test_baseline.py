from __future__ import annotations

import json
from pathlib import Path

import pytest

from detector.baseline import Entry, Key, entries_of, pruned, read_baseline, unlisted, updated, write_baseline
from detector.errors import BaselineError
from detector.findings import Finding, fingerprint

FOLDER = Path("/corpus")


def finding(text, path="/corpus/a.jsonl", line=1):
    return Finding(
        path, line, 1, line, 2, "INJ001", f"injected '{text}'", None, text, 0.9, "", fingerprint("INJ001", text)
    )


def test_a_copy_more_than_the_count_is_a_finding_again():
    entries = entries_of([finding("甲", line=3), finding("甲", line=9)], FOLDER)
    assert unlisted([finding("甲", line=1), finding("甲", line=7)], entries, FOLDER) == []
    third = finding("甲", line=8)
    assert unlisted([finding("甲"), finding("甲", line=7), third, finding("乙")], entries, FOLDER) == [
        third,
        finding("乙"),
    ]


def test_the_same_string_in_another_file_is_new():
    entries = entries_of([finding("甲")], FOLDER)
    assert unlisted([finding("甲", "/corpus/b.jsonl")], entries, FOLDER)


def test_a_file_is_sorted_and_tells_neither_lines_nor_times(tmp_path):
    entries = entries_of(
        [finding("乙"), finding("甲"), finding("甲", line=8), finding("丙", "/corpus/0 零.txt")], FOLDER, "测试"
    )
    path = tmp_path / "baseline"
    write_baseline(path, entries)
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert [row["path"] for row in rows] == ["0 零.txt", "a.jsonl", "a.jsonl"]
    assert rows == sorted(rows, key=lambda row: (row["path"], row["code"], row["fingerprint"]))
    assert {tuple(row) for row in rows} == {("path", "code", "fingerprint", "count", "text", "reason")}
    assert read_baseline(path) == entries


def test_update_takes_what_is_found_and_keeps_reasons_and_other_files():
    a, b = (Key("a.jsonl", "INJ001", fingerprint("INJ001", text)) for text in "甲乙")
    other = Key("b.jsonl", "INJ001", "0")
    old = {a: Entry(5, "甲", "历史文本"), other: Entry(1, "", "")}
    new = updated(old, entries_of([finding("甲"), finding("乙")], FOLDER, "新"), ["a.jsonl"])
    assert new == {a: Entry(1, "甲", "历史文本"), b: Entry(1, "乙", "新"), other: Entry(1, "", "")}


def test_prune_takes_out_and_never_adds():
    a, b = (Key("a.jsonl", "INJ001", fingerprint("INJ001", text)) for text in "甲乙")
    other = Key("b.jsonl", "INJ001", "0")
    old = {a: Entry(1, "甲", "是"), b: Entry(3, "乙", ""), other: Entry(1, "", "")}
    found = entries_of([finding(text) for text in "甲甲甲丙"], FOLDER)
    assert pruned(old, found, ["a.jsonl"]) == {a: Entry(1, "甲", "是"), other: Entry(1, "", "")}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", ":1: not an entry"),
        ("<<<<<<< HEAD", ":1: not an entry"),
        ('\n{"path": "a", "code": "INJ001"}', ":2: not an entry"),
        ('{"path": "a", "code": "INJ9", "fingerprint": "0", "count": 1}', "of the wrong kind"),
        ('{"path": "a", "code": "INJ001", "fingerprint": "0", "count": "1"}', "of the wrong kind"),
    ],
)
def test_a_damaged_baseline_is_told_with_its_line(tmp_path, text, message):
    (tmp_path / "baseline").write_text(text)
    with pytest.raises(BaselineError) as caught:
        read_baseline(tmp_path / "baseline")
    assert str(tmp_path / "baseline") in str(caught.value)
    assert message in str(caught.value)


def test_both_sides_of_a_merge_may_stay(tmp_path):
    row = {"path": "a", "code": "INJ001", "fingerprint": "0", "count": 2, "reason": "是"}
    (tmp_path / "baseline").write_text(json.dumps(row) + "\n" + json.dumps(row | {"count": 1, "reason": ""}) + "\n")
    assert read_baseline(tmp_path / "baseline") == {Key("a", "INJ001", "0"): Entry(2, "", "是")}


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(BaselineError, match="cannot be written"):
        write_baseline(tmp_path / "none" / "baseline", {})
