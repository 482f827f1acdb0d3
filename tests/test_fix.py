from __future__ import annotations

import codecs
import json
import os
import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rulejudge import BRAND, judge

from detector.errors import InputError
from detector.examine import examine_file
from detector.fix import cut_lines, cut_text, diff, fix, save
from detector.readers import Fields

FIXED = settings(derandomize=True, deadline=None, max_examples=100)
BLANKS = ("泊璟 app", "泊璟 \t app", "泊璟　app")  # white space is folded before it is judged
HONEST = st.text(st.sampled_from('水库验收，灌溉。 "\\/\u00e9\U0001f600\U00020bb7<&'), max_size=8).map(
    lambda text: (text, True)
)
INJECTED = st.sampled_from(BLANKS).map(lambda text: (text, False))
LINE = st.tuples(st.just(True), st.lists(HONEST | INJECTED, max_size=5))
SPAM_LINE = st.tuples(st.just(False), st.lists(HONEST, max_size=2).map(lambda pieces: [("送彩金", True), *pieces]))
LINES = st.tuples(LINE, st.lists(LINE | SPAM_LINE, max_size=4)).map(lambda pair: [pair[0], *pair[1]])


def sides(lines, ending, closed, write=lambda text: text):
    """A text as it is and as it is to be, written piece by piece."""
    before = ["".join(write(text) for text, _ in pieces) for _, pieces in lines]
    after = ["".join(write(text) for text, honest in pieces if honest) for kept, pieces in lines if kept]
    return tuple(ending.join(side) + ending * closed for side in (before, after))


def escape(text, style):
    return {"plain": json.dumps(text, ensure_ascii=False), "ascii": json.dumps(text)}[style][1:-1].replace(
        "/", "\\/" if style == "ascii" else "/"
    )


def honest_remains(lines):
    """A page of which nothing but spam is left is spam itself, and is not cut."""
    return any(text.strip() for kept, pieces in lines if kept for text, _ in pieces)


RECORD = st.tuples(
    LINES.filter(honest_remains), st.sampled_from(["plain", "ascii"]), st.booleans(),
    st.sampled_from(['{"id": 1, "n": 1.50e+03, "text": "%s"}', ' {"text":"%s" , "z":[ 1,"送彩金"],"a": "泊璟 app"}\t']),
    st.sampled_from(["\n", "\r\n", "\n\n"]),
)  # fmt: skip


def look_with(lexicon, name):
    return lambda body: examine_file(name, judge, lexicon, Fields(), None, body)


@FIXED
@given(st.lists(RECORD, min_size=1, max_size=3), st.sampled_from([b"", codecs.BOM_UTF8]), st.booleans())
def test_json_lines_keep_every_other_byte(tmp_path_factory, lexicon, records, mark, closed):
    before = after = ""
    for lines, style, text_closed, shape, ending in records:
        written = sides(lines, "\\n", text_closed, lambda text, style=style: escape(text, style))
        before, after = (
            side + shape.replace("%s", text) + ending for side, text in zip((before, after), written, strict=True)
        )
    bodies = [mark + (side if closed else side.rstrip("\r\n")).encode() for side in (before, after)]
    path = str(tmp_path_factory.getbasetemp() / "a.jsonl")
    check_fix(path, *bodies, lexicon, "jsonl")


@FIXED
@given(
    LINES.filter(honest_remains), st.sampled_from(["\n", "\r\n"]), st.booleans(),
    st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16"]),
)  # fmt: skip
def test_text_keeps_every_other_byte(tmp_path_factory, lexicon, lines, ending, closed, encoding):
    opening = "县里的水利部门说，这些地方的工程已经全部完成，当地群众对此表示满意，新的灌区将在明年春天开始放水。" * 2
    before, after = sides([(True, [(opening, True)]), *lines], ending, closed)
    path = str(tmp_path_factory.getbasetemp() / "a.txt")
    check_fix(path, before.encode(encoding), after.encode(encoding), lexicon, "text")


def check_fix(path, before, after, lexicon, kind):
    Path(path).write_bytes(before)
    look = look_with(lexicon, path)
    done = fix(path, kind, lambda body: look(before if body is None else body))
    result = done.after if done.cut else before
    assert result == after
    again = fix(path, kind, lambda body: look(after if body is None else body))
    assert not again.cut
    assert not [finding for finding in again.left if finding.code in ("INJ001", "SPM001")]


def test_what_a_cut_brings_to_light_is_cut_too(tmp_path, lexicon):
    (tmp_path / "a.txt").write_text("水库泊璟泊璟 app app通过验收")
    look = look_with(lexicon, str(tmp_path / "a.txt"))
    done = fix(
        str(tmp_path / "a.txt"), "text", lambda body: look((tmp_path / "a.txt").read_bytes() if body is None else body)
    )
    assert done.after.decode() == "水库通过验收"
    assert len(done.cut) == 2


@pytest.mark.parametrize(
    ("name", "kind", "why"),
    [
        ("a.html", "html", "markup"),
        ("a.jsonl.gz", "jsonl", "compressed"),
        ("a.parquet", "parquet", "only text"),
        ("-", "text", "standard input"),
    ],
)
def test_what_is_not_written_again_is_refused(name, kind, why, lexicon):
    found = examine_file("a.txt", judge, lexicon, Fields(), None, f"水库{BRAND}".encode())
    done = fix(name, kind, lambda _: found)
    assert why in done.refused
    assert (done.cut, done.left) == ([], found)


def test_text_that_lost_bytes_is_left_alone(lexicon):
    body = "全年新建小学三所，校舍将在明年开学前交付使用。泊璟 app".encode() + b"\xe5\x9c\n"
    found = examine_file("a.txt", judge, lexicon, Fields(), None, body)
    assert [f.code for f in found] == ["INJ001"]
    assert cut_text(body, found) == body
    line = b'{"text": "\xc3\xff' + "泊璟 app".encode() + b'"}'
    assert cut_lines(line, [found[0]._replace(line=1)]) == line


def test_a_file_is_replaced_in_one_step_and_keeps_its_mode(tmp_path, lexicon):
    path, link = tmp_path / "a.txt", tmp_path / "link.txt"
    path.write_text(f"水库{BRAND}验收")
    path.chmod(0o640)
    link.symlink_to(path)
    look = look_with(lexicon, str(link))
    done = fix(str(link), "text", lambda body: look(path.read_bytes() if body is None else body))
    save(str(link), done)
    assert path.read_text() == "水库验收"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert link.is_symlink()
    assert sorted(os.listdir(tmp_path)) == ["a.txt", "link.txt"]
    with pytest.raises(InputError, match="was changed while it was checked"):
        save(str(link), done)


@pytest.mark.parametrize("ending", ["", "\n"])
def test_git_applies_the_diff(tmp_path, lexicon, ending):
    path = tmp_path / "新 闻.txt"
    path.write_text("一\n水库泊璟 app验收\n二\n注册送彩金" + ending)
    look = look_with(lexicon, str(path))
    done = fix(str(path), "text", lambda body: look(path.read_bytes() if body is None else body))
    subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=diff(path.name, done), check=True)
    assert path.read_bytes() == done.after == ("一\n水库验收\n二" + ending).encode()


def test_markup_in_records_is_refused(tmp_path, lexicon):
    path = tmp_path / "a.jsonl"
    path.write_text('{"html": "<p>水库泊璟 app</p>"}')
    look = look_with(lexicon, str(path))
    assert "markup" in fix(str(path), "jsonl", lambda body: look(body or path.read_bytes())).refused
