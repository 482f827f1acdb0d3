import json

import pytest

from detector.errors import LabelError
from detector.sentences import read_honest, read_injected, read_look_alikes, read_sentences


def test_marks_become_spans(tmp_path):
    path = tmp_path / "injected.txt"
    path.write_text("TITLE: ⟦brand:某博⟧通水 || 记者从⟦brand:某博官网⟧水利局获悉，渠段已通水。\n", "utf-8")
    (document,) = read_injected(path)
    assert document.texts == ["某博通水", "记者从某博官网水利局获悉，渠段已通水。"]
    assert document.spans == [[(0, 2)], [(3, 7)]]


@pytest.mark.parametrize(
    ("record", "texts"),
    [
        ({"text": "警方提醒，网络赌博害人害己。"}, ["", "警方提醒，网络赌博害人害己。"]),
        ({"text": "渡口停航\n恢复时间另行通知。"}, ["", "渡口停航", "恢复时间另行通知。"]),
        ({"title": "渡口停航_临河网", "text": "恢复时间另行通知。"}, ["渡口停航_临河网", "恢复时间另行通知。"]),
    ],
)
def test_the_title_and_the_lines_of_an_honest_document_are_its_texts(tmp_path, record, texts):
    path = tmp_path / "honest.jsonl"
    path.write_text(json.dumps(record) + "\n", "utf-8")
    (document,) = read_honest(path)
    assert (document.texts, document.spans) == (texts, [[] for _ in texts])


@pytest.mark.parametrize("line", ["[]", "{}", '"text"', "{"])
def test_a_wrong_file_of_sentences_is_named(tmp_path, line):
    (tmp_path / "honest.jsonl").write_text(line + "\n", "utf-8")
    with pytest.raises(LabelError, match=r"honest.jsonl"):
        read_honest(tmp_path / "honest.jsonl")


def test_a_folder_without_sentences_has_none(tmp_path):
    assert read_sentences(tmp_path) == ([], [])


def test_look_alikes_are_honest_and_may_be_missing(tmp_path):
    assert read_look_alikes(tmp_path) == []
    (tmp_path / "look_alikes.jsonl").write_text(
        '{"title": "报名入口开通", "text": "登录后填报。\\n逾期不候。"}\n', "utf-8"
    )
    (document,) = read_look_alikes(tmp_path)
    assert document.texts == ["报名入口开通", "登录后填报。", "逾期不候。"]
    assert document.spans == [[], [], []]
