import json
from types import SimpleNamespace

import numpy as np
import pytest

from detector.blocks import RawPage
from detector.pipeline import Block, Span, detect
from detector.writers import WRITERS

PAGE = RawPage("a<1>", "<p>河湾村通车了。</p><td>打印&lt;本页&gt;</td>".encode(), "https://www.hewan.example/a.html")


@pytest.fixture(scope="module")
def verdicts(tiny_model):
    """A page with labels set by hand, and one that failed."""
    page, failed = detect([PAGE, RawPage("b", b"")], tiny_model)
    label = np.int8([0, 1])
    proba = np.float32([[0.9, 0.08, 0.02], [0.123456, 0.8, 0.076544]])
    page = page._replace(label=label, proba=proba, verdict="keep", reasons=[], text="河湾村通车了。")
    return [page, failed]


def written(name, verdicts, with_blocks=True):
    return "".join(WRITERS[name](verdicts, with_blocks))


def test_jsonl_is_what_the_contract_says(verdicts):
    first, _ = map(json.loads, written("jsonl", verdicts).splitlines())
    assert first == {
        "id": "a<1>", "url": "https://www.hewan.example/a.html", "site": "hewan.example", "verdict": "keep", "reasons": [],
        "text": "河湾村通车了。", "encoding": {"name": "utf-8", "source": "detected", "replaced": 0},
        "blocks": [
            {"text": "河湾村通车了。", "label": "content", "scores": {"content": 0.9, "chrome": 0.08, "spam": 0.02},
             "tag": "p", "line": 1, "repeats": 1, "spans": []},
            {"text": "打印<本页>", "label": "chrome", "scores": {"content": 0.1235, "chrome": 0.8, "spam": 0.0765},
             "tag": "body", "line": 1, "repeats": 1, "spans": []},
        ],
        "error": None,
    }  # fmt: skip
    assert list(first) == ["id", "url", "site", "verdict", "reasons", "text", "encoding", "blocks", "error"]


def test_a_failed_page_is_a_line_with_its_error(verdicts):
    second = json.loads(written("jsonl", verdicts).splitlines()[1])
    assert second == {
        "id": "b", "url": None, "site": None, "verdict": "drop", "reasons": ["empty"], "text": "", "encoding": None,
        "blocks": [], "error": {"code": "empty", "message": "the page is empty"},
    }  # fmt: skip


def test_blocks_can_be_left_out(verdicts):
    first, second = map(json.loads, written("jsonl", verdicts, False).splitlines())
    assert "blocks" not in first.keys() | second.keys()
    assert first["error"] is None


def test_json_keeps_characters_as_they_are(verdicts):
    assert "河湾村" in written("jsonl", verdicts)


def test_a_line_separator_does_not_split_a_line(verdicts):
    page = verdicts[0]._replace(text="前\u2028后\n又")
    assert written("jsonl", [page], False).count("\n") == 1


def test_text_is_content_with_an_empty_line_between_pages(verdicts):
    assert written("text", [verdicts[0], verdicts[1], verdicts[0]]) == "河湾村通车了。\n\n\n河湾村通车了。\n"


def test_html_escapes_what_was_scraped(verdicts):
    out = written("html", verdicts)
    assert "<h2>a&lt;1&gt; · keep</h2>" in out
    assert '<p class=chrome title="chrome 0.80 &lt;body&gt;">打印&lt;本页&gt;</p>' in out
    assert "<本页>" not in out


def test_html_marks_what_was_injected():
    spans = [Span(0, 2, 5, "brand", 0.9, None), Span(0, 6, 7, "noise", 0.8, "<")]
    block = Block("河湾<甲>村乙通车", "content", {"content": 0.9}, "p", 1, 1, spans)
    page = SimpleNamespace(page_id="a", verdict="clean", reasons=["injected_span"], error=None, blocks=[block])
    assert ">河湾<mark>&lt;甲&gt;</mark>村<mark>乙</mark>通车</p>" in written("html", [page])


def test_html_shows_the_reason_of_a_failure(verdicts):
    assert "<h2>b · drop · empty</h2>\n<p class=spam>the page is empty</p>" in written("html", verdicts)


@pytest.mark.parametrize(("name", "expected"), [("jsonl", ""), ("text", "")])
def test_no_pages_no_output(name, expected):
    assert written(name, []) == expected
