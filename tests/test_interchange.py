import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.answers import Answer, Place
from detector.errors import LabelError
from detector.interchange import FORMATS, bounds, read_tasks, text_hash, write_answers
from detector.labels import LABEL_NAMES

TEXT = "记者从𠮷😀博👨‍👩‍👧官网𪚥县委获悉。"


def answer(text=TEXT, label="content", spans=((3, 6, "brand"), (11, 13, "advert")), **more):
    place = Place("0123456789abcdef", text_hash(text), 2)
    return Answer("id1", "2026-03-01T08:00:00", "周立", "hewan.example", (place,), text, label, spans, "news_v1 7", ("spam", 0.61),
                  "uncertain")._replace(**more)  # fmt: skip


def back(answers, name):
    losses = []
    found = list(read_tasks("".join(write_answers(answers, name)), name, losses.append))
    assert losses == []
    return found


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)


@st.composite
def answers(draw):
    text = draw(texts)
    start = draw(st.integers(0, len(text) - 1))
    spans = draw(st.sampled_from([(), ((start, draw(st.integers(start + 1, len(text))), "brand"),)]))
    guess = draw(st.sampled_from([None, ("chrome", 0.5)]))
    return answer(
        text, draw(st.sampled_from(LABEL_NAMES)), spans, guess=guess, by=draw(st.sampled_from(["anna", "周立"]))
    )


@pytest.mark.parametrize("name", FORMATS)
@given(made=st.lists(answers(), max_size=4))
def test_what_is_exported_comes_back_unchanged(name, made):
    assert back(made, name) == made
    assert "".join(write_answers(back(made, name), name)) == "".join(write_answers(made, name))


def first_task(name, made=None):
    text = "".join(write_answers([made or answer()], name))
    return json.loads(text)[0] if name == "label-studio" else json.loads(text)


def test_a_task_of_label_studio_quotes_what_is_marked():
    task = first_task("label-studio")
    choice, *regions = task["annotations"][0]["result"]
    assert (choice["type"], choice["value"]) == ("choices", {"choices": ["content"]})
    assert regions[0]["value"] == {"start": 3, "end": 6, "text": "𠮷😀博", "labels": ["brand"]}
    assert task["predictions"][0]["result"][0]["value"] == {"choices": ["spam"]}
    assert task["predictions"][0]["score"] == 0.61


def test_a_task_of_doccano():
    task = first_task("doccano")
    assert (task["cats"], task["entities"]) == (["content"], [[3, 6, "brand"], [11, 13, "advert"]])


def test_a_task_of_prodigy_is_what_spacy_reads():
    task = first_task("prodigy")
    assert task["spans"][0] == {"start": 3, "end": 6, "label": "brand"}
    assert (task["accept"], task["answer"], task["_annotator_id"]) == (["content"], "accept", "周立")


def as_file(name, task):
    return json.dumps([task] if name == "label-studio" else task)


def read_one(name, task):
    losses = []
    return list(read_tasks(as_file(name, task), name, losses.append)), losses


def test_offsets_that_a_browser_counted_are_told_by_the_quotation():
    task = first_task("label-studio")
    task["annotations"][0]["result"][1]["value"].update(start=3, end=8)  # 𠮷 and 😀 are two units each
    (found,), losses = read_one("label-studio", task)
    assert (found.spans, losses) == (answer().spans, [])


def test_a_quotation_that_stands_nowhere_is_refused():
    with pytest.raises(LabelError, match="3:5 is not '博彩'"):
        bounds(TEXT, 3, 5, "博彩")


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("label-studio", lambda t: t["annotations"].clear(), "0 annotations instead of 1"),
        ("label-studio", lambda t: t["annotations"][0]["result"].pop(0), "0 labels instead of 1"),
        ("label-studio", lambda t: t["data"].pop("detector"), "only blocks that were exported"),
        ("doccano", lambda t: t["cats"].append("spam"), "2 labels instead of 1"),
        ("doccano", lambda t: t.update(cats=["advert"]), "no label 'advert'"),
        ("doccano", lambda t: t.update(text="别的"), "outside the text"),
        ("doccano", lambda t: t.update(text=t["text"].replace("获悉", "听说")), "the text was changed"),
        ("prodigy", lambda t: t.update(answer="ignore"), "answered with 'ignore'"),
    ],
)
def test_tasks_that_are_no_answers_are_named(name, change, words):
    task = first_task(name)
    change(task)
    found, losses = read_one(name, task)
    assert found == []
    assert len(losses) == 1
    assert words in losses[0]


def test_other_shapes_that_the_tools_write():
    task = first_task("doccano") | {"id": 5, "Comments": []}
    task["entities"] = [{"id": 1, "label": kind, "start_offset": a, "end_offset": b} for a, b, kind in task["entities"]]
    assert read_one("doccano", task)[0] == [answer()]
    task = first_task("label-studio")
    task["annotations"].insert(0, {"was_cancelled": True, "result": []})
    assert read_one("label-studio", task)[0] == [answer()]


@pytest.mark.parametrize(("name", "text"), [("label-studio", "{"), ("label-studio", "{}")])
def test_a_file_of_another_kind_is_refused(name, text):
    with pytest.raises(LabelError):
        list(read_tasks(text, name, print))


def test_a_broken_line_is_named_and_the_rest_is_read():
    losses = []
    text = "".join(write_answers([answer()], "doccano"))
    assert list(read_tasks("{\n\n" + text, "doccano", losses.append)) == [answer()]
    assert losses[0].startswith("line 1: ")
