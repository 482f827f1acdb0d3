from __future__ import annotations

import json

import pytest
from rulejudge import BRAND, judge

from detector.examine import examine_file
from detector.readers import Fields

ARTICLE = "全年新建小学三所，校舍将在明年开学前交付使用。"


@pytest.fixture
def examine(lexicon):
    def look(body, name="a.jsonl", kind=None):
        body = body.encode() if isinstance(body, str) else body
        return examine_file(name, judge, lexicon, Fields(), kind, body)

    return look


def place(finding):
    return finding.code, finding.line, finding.column, finding.end_column - finding.column


@pytest.mark.parametrize(
    ("line", "column", "width"),
    [
        ('{"text": "甲泊璟 app乙"}', 12, 6),
        ('{"text": "\\u7532\\u6cca璟 app乙"}', 17, 11),  # 甲, then 泊 as an escape
        ('{"text": "😀\\ud83d\\ude00泊璟 app乙"}', 24, 6),
        ('{"text": "说\\"行\\"\\n泊璟\\tapp乙"}', 19, 7),
        ('{"id": "泊璟 app", "n": 1.0e5, "text": "泊璟 app"}', 39, 6),
        ('  { "text" : "泊璟 app" }  ', 15, 6),
        ('{"text": "\\ufeff泊璟 app"}', 17, 6),
        ('{"html": "<p>甲\\u003cb>泊璟\\u0020app</b>"}', 23, 11),
        ('{"text": "新闻", "title": "泊璟 app"}', 26, 6),
    ],
)
def test_the_column_is_that_of_the_raw_line(examine, line, column, width):
    (finding,) = examine('{"text": "新闻"}\r\n\n' + line + "\n")
    assert place(finding) == ("INJ001", 3, column, width)


@pytest.mark.parametrize(
    ("name", "body", "line", "column", "width"),
    [
        ("a.txt", "标题\r\n\r\n　甲泊璟 app\r\n", 3, 3, 6),
        ("a.txt", "\ufeff甲泊璟 app", 1, 2, 6),
        ("a.html", "<p>一</p>\n<p>甲泊璟 app乙", 2, 5, 6),
        ("a.html", "<p>一\n<p>甲<b>泊</b>&#29855;\napp乙", 2, 8, None),
        ("a.html", "<title>甲泊璟 app</title><p>一", 1, 9, 6),
        ("a.html", "<p>甲\n<p>首段文字\0 泊璟 app", 2, 1, 0),  # not as the parser has it: the line of the block
        ("a.html", "<p>甲</p><p>\0乙泊璟 app", 1, 14, 6),
        ("a.html", "<title>甲<b>泊璟 app</title><p>一", 1, 1, 0),
        ("a.html", '<meta name=keywords content="泊璟&#32;app"><p>一', 1, 1, 0),
        ("a.html", '<meta name=keywords content="泊璟 app"><p>一', 1, 30, 6),
    ],
)
def test_places_in_text_and_markup(examine, name, body, line, column, width):
    (finding,) = examine(body, name)
    assert place(finding)[:3] == ("INJ001", line, column)
    assert width is None or place(finding)[3] == width


def test_a_message_says_what_how_sure_why_and_where(examine):
    (finding,) = examine('{"id": "n\\n7", "text": "甲泊璟 app"}')
    assert finding.message == "injected '泊璟 app' (brand, score 0.900, cue app) in record n\\n7"
    (finding,) = examine('{"title": "泊璟 app", "text": "甲"}')
    assert finding.message == "injected '泊璟 app' in the title (brand, score 0.900, by its surroundings)"


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        (f'{{"text": "{ARTICLE}"}}', []),
        (f'{{"text": "{ARTICLE}\\n注册送彩金"}}', ["SPM001"]),
        ('{"text": "注册送彩金"}', ["SPM001", "SPM002"]),
        (f'{{"text": "{ARTICLE}\\n责任编辑：周立"}}', ["BLR001"]),
        (f'{{"html": "<p>{ARTICLE}<p>责任编辑：周立"}}', []),
        (json.dumps({"text": ARTICLE.encode().decode("gb18030", "replace")}), ["ENC001"]),
        (f'{{"text": "{ARTICLE}\\ufffd\\ufffd"}}', ["ENC001"]),
        (json.dumps({"text": ARTICLE.encode().decode("latin-1")}), ["ENC001"]),
        (json.dumps({"text": ARTICLE.encode().decode("latin-1").encode().decode("latin-1")}), ["ENC001"]),
        (f'{{"text": "{"".join(ARTICLE + chr(92) + "n" for _ in range(8))}"}}', ["DUP001"]),
        ('{"text": ""}\n{"text": " "}\n', []),
        ('{"body": ""}\n{"body": ""}\n{"text": \n', ["RED001", "RED001"]),
        ("[1]", ["RED001"]),
    ],
)
def test_codes(examine, body, codes):
    assert sorted(finding.code for finding in examine(body)) == codes


def test_what_cannot_be_read_for_one_reason_is_named_once(examine):
    findings = examine('{"body": 1}\n{"id": "b", "body": 1}\n{"text": \n')
    assert [(f.line, f.message.partition(" [")[0].partition(" (")[0]) for f in findings] == [
        (1, "no field html or text or content or raw_content with text in it"), (3, "not JSON"),
    ]  # fmt: skip
    assert findings[0].message.endswith("(and 1 more records)")


def test_a_kind_of_file_that_nobody_reads_is_said_so(lexicon, tmp_path):
    (tmp_path / "a.docx").write_bytes(b"PK")
    (finding,) = examine_file(str(tmp_path / "a.docx"), judge, lexicon, Fields(), None)
    assert finding.code == "RED001"
    assert finding.message.startswith("unknown kind of file")
    (finding,) = examine_file(str(tmp_path / "none.txt"), judge, lexicon, Fields(), None)
    assert finding.message == "No such file or directory [missing]"


def test_a_fingerprint_stays_when_lines_move(examine):
    line = json.dumps({"text": f"甲{BRAND}"})
    (first,), (second,) = examine(line), examine('{"text": "新"}\n' + line)
    assert (first.line, second.line) == (1, 2)
    assert first.fingerprint == second.fingerprint
