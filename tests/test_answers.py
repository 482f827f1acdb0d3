import pytest

from detector.answers import (
    Answer,
    Place,
    append_answer,
    append_undo,
    by_place,
    latest,
    log_path,
    page_key,
    read_answers,
    read_log,
    settled,
)
from detector.errors import InputError

PLACE = Place("p1", 7, 0)


def answer(name, label="chrome", by="anna", **more):
    made = Answer(
        name, "2026-03-01T08:00:00", by, "hewan.example", (PLACE,), "河湾村𠮷😀通车", label, ((3, 5, "brand"),)
    )
    return made._replace(**more)


@pytest.fixture
def log(tmp_path):
    return log_path(tmp_path, "anna")


def test_what_is_appended_is_read_again(log):
    first = answer("1", guess=("spam", 0.25), model="news_v1", queue="uncertain")
    second = answer("2", "spam", places=(PLACE, Place("p2", 2**64 - 1, 3)))
    append_answer(log, first)
    append_answer(log, second)
    assert read_log(log) == [first, second]
    assert log.read_bytes().count(b"\n") == 2


def test_an_undo_is_a_line_and_what_held_before_holds_again(log):
    append_answer(log, answer("1", "content"))
    append_answer(log, answer("2", "spam"))
    append_undo(log, answer("2"))
    assert [a.label for a in latest(read_log(log)).values()] == ["content"]
    assert log.read_bytes().count(b"\n") == 3


def test_a_crash_at_any_byte_costs_the_line_that_was_written_and_no_other(log):
    for name in "123":
        append_answer(log, answer(name))
    whole = log.read_bytes()
    ends = [i for i, byte in enumerate(whole) if byte == ord("\n")]
    for size in range(len(whole)):
        log.write_bytes(whole[:size])
        losses = []
        found = read_log(log, losses.append)
        assert [a.id for a in found] == list("123")[: sum(end <= size for end in ends)]
        assert bool(losses) == (size not in ends and size - 1 not in ends and size > 0)
        append_answer(log, answer("9"))
        assert [a.id for a in read_log(log)] == [*(a.id for a in found), "9"]


def test_a_cut_line_is_reported_with_its_place(log):
    append_answer(log, answer("1"))
    log.write_bytes(log.read_bytes()[:-9])
    losses = []
    assert read_log(log, losses.append) == []
    assert losses[0].startswith(f"{log}:1: no answer (the last line, cut short)")


@pytest.mark.parametrize(
    "line",
    [b"[]", b"7", b"null", b"{}", b"\xff\xfe", b'{"id":"1","by":"a","label":"nonsense","places":[],"spans":[],"text":""}',
     b'{"id":"1","by":"a","label":"spam","places":[],"spans":[[0,9,"brand"]],"text":"\xe5\x8d\x9a"}'],
)  # fmt: skip
def test_lines_that_are_no_answers_are_reported_and_passed_over(log, line):
    append_answer(log, answer("1"))
    log.write_bytes(line + b"\n" + log.read_bytes())
    losses = []
    assert [a.id for a in read_log(log, losses.append)] == ["1"]
    assert len(losses) == 1


def test_text_with_a_lone_surrogate_can_be_kept(log):
    append_answer(log, answer("1", text="博\ud800彩", spans=()))
    assert read_log(log)[0].text == "博\ud800彩"


@pytest.mark.parametrize("name", ["", "../anna", "a/b", ".hidden", "a\nb", "x" * 41])
def test_a_name_that_is_no_file_is_refused(tmp_path, name):
    with pytest.raises(InputError, match="annotator's name"):
        log_path(tmp_path, name)


def test_names_may_be_chinese(tmp_path):
    append_answer(log_path(tmp_path, "周立"), answer("1"))
    assert list(read_answers(tmp_path)) == ["周立"]


def test_a_page_has_one_key_as_text_and_as_bytes():
    assert page_key("河湾村😀") == page_key("河湾村😀".encode())
    assert page_key("河湾村") != page_key("河湾村 ")


@pytest.mark.parametrize(
    ("labels", "label"),
    [(["spam"], "spam"), (["spam", "spam"], "spam"), (["spam", "chrome"], None), (["spam", "chrome", "chrome"], "chrome"),
     (["content", "spam", "chrome"], None)],
)  # fmt: skip
def test_most_annotators_settle_a_label(labels, label):
    said = [answer(str(i), name, by=f"a{i}") for i, name in enumerate(labels)]
    found = settled(said)
    assert (found and found.label) == label


def test_a_settled_label_names_those_who_gave_it():
    found = settled([answer("1", "spam", "bo"), answer("2", "chrome", "cy"), answer("3", "spam", "anna")])
    assert found.by == "anna+bo"


def test_each_annotator_has_one_voice():
    said = by_place({"anna": [answer("1", "spam"), answer("2", "chrome")], "bo": [answer("3", "spam", "bo")]})
    assert [(a.by, a.label) for a in said[PLACE]] == [("anna", "chrome"), ("bo", "spam")]
