import pytest

from detector.answers import Answer, Place, append_answer, append_undo, log_path, page_key
from detector.blocks import RawPage
from detector.errors import InputError, LabelError
from detector.labeled import (
    BlockLabel,
    LabeledPage,
    Span,
    all_answers,
    nth_of_hash,
    read_labeled,
    read_labels,
    read_tables,
    save_page,
    take_in,
    tie,
    write_labels,
)
from detector.repeats import block_hashes
from detector.segment import segment, segment_text

ROW = "{:016x}\t{}\t{}\t{}\t{}\t{}"
HEAD = "# site\thewan.example\nhash\tnth\tlabel\tannotator\tspans\ttext\n"


def labels_of(blocks, names):
    hashes = block_hashes(blocks).tolist()
    table = zip(hashes, nth_of_hash(hashes), names, blocks.texts(), strict=True)
    return [BlockLabel(digest, nth, name, "周", (), text) for digest, nth, name, text in table]


def test_written_and_read_they_are_the_same(tmp_path):
    meta = {"site": "hewan.example", "url": "http://hewan.example/1"}
    rows = [
        BlockLabel(2**64 - 1, 0, "content", "周", (Span(2, 5, "brand"), Span(9, 12, "advert")), "河湾村通车"),
        BlockLabel(7, 3, "spam", "王", (), "# 像注释\t其实不是"),
    ]
    write_labels(tmp_path / "a.tsv", meta, rows)
    assert read_labels(tmp_path / "a.tsv") == (meta, rows)


def test_writing_replaces_and_leaves_nothing_behind(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text("旧的\n", "utf-8")
    write_labels(path, {}, [])
    assert read_labels(path) == ({}, [])
    assert [p.name for p in tmp_path.iterdir()] == ["a.tsv"]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (ROW.format(7, 0, "advert", "周", "", "一行"), "no label 'advert'; there are content, chrome, spam"),
        (ROW.format(7, 0, "Content", "周", "", "一行"), "no label 'Content'"),
        ("0000000000000007\t0\tcontent", "3 columns instead of 6"),
        ("zz\t0\tcontent\t周\t\t一行", "invalid literal"),
        (ROW.format(7, "一", "content", "周", "", "一行"), "invalid literal"),
        (ROW.format(7, 0, "content", "周", "3:5", "一行"), "unpack"),
        (ROW.format(7, 0, "content", "周", "三:5:brand", "一行"), "invalid literal"),
    ],
)
def test_a_wrong_row_is_named_by_file_and_line(tmp_path, row, words):
    path = tmp_path / "a.tsv"
    path.write_text(HEAD + ROW.format(1, 0, "chrome", "周", "", "首页") + "\n" + row + "\n", "utf-8")
    with pytest.raises(LabelError, match=rf"a.tsv:4: .*{words}"):
        read_labels(path)


def test_a_table_in_another_encoding_is_named(tmp_path):
    """What a spreadsheet saves on a Chinese desktop."""
    path = tmp_path / "a.tsv"
    path.write_bytes((HEAD + ROW.format(1, 0, "chrome", "周", "", "首页")).encode("gb18030"))
    with pytest.raises(LabelError, match=r"a.tsv"):
        read_labels(path)


def test_a_page_is_read_with_its_labels(tmp_path):
    folder = tmp_path / "hewan.example"
    folder.mkdir()
    (folder / "b.txt").write_text("一行文字", "utf-8")
    write_labels(folder / "b.tsv", {"title": "题目"}, [])
    (folder / "a.html").write_bytes("<p>一段</p>".encode("gb18030"))
    write_labels(folder / "a.tsv", {"site": "别处.example", "url": "http://hewan.example/a"}, [])
    first, second = read_labeled(tmp_path)
    assert first.page == RawPage("a", "<p>一段</p>".encode("gb18030"), "http://hewan.example/a")
    assert (first.site, second.site) == ("别处.example", "hewan.example")
    assert (second.page.media_type, second.page.title) == ("text/plain", "题目")


def test_a_table_without_its_page_is_named(tmp_path):
    write_labels(tmp_path / "a.tsv", {}, [])
    with pytest.raises(LabelError, match=r"a.tsv: no page beside it \(.html or .txt\)"):
        list(read_labeled(tmp_path))


def test_labels_tie_to_their_blocks():
    blocks = segment("<p>打印</p><p>河湾村通车</p><p>打印</p><p>新来的</p>")
    labels = labels_of(blocks, ["chrome", "content", "spam", "chrome"])[:3]
    label, lost = tie(blocks, labels)
    assert label.tolist() == [1, 0, 2, -1]
    assert lost == []


def test_a_changed_segmentation_reports_what_was_lost():
    """Two lines that were two blocks are one now: what is whole keeps its label, what is not is told."""
    labels = labels_of(segment_text("首页\n河湾村通车\n船工回忆\n打印"), ["chrome", "content", "content", "chrome"])
    label, lost = tie(segment_text("首页\n河湾村通车 船工回忆\n打印"), labels)
    assert label.tolist() == [1, -1, 1]
    assert [row.text for row in lost] == ["河湾村通车", "船工回忆"]


@pytest.mark.parametrize(("hashes", "nth"), [([], []), ([5, 5, 5], [0, 1, 2]), ([1, 2, 1, 2], [0, 0, 1, 1])])
def test_equal_hashes_are_numbered(hashes, nth):
    assert nth_of_hash(hashes) == nth


# ---------------------------------------------------------------- answers before tables

TEXT = "河湾村通车了。"


@pytest.fixture
def folder(tmp_path):
    """A page of one block that its table calls chrome."""
    blocks = segment(f"<p>{TEXT}")
    home = tmp_path / "pages" / "hewan.example"
    home.mkdir(parents=True)
    (home / "a.html").write_text(f"<p>{TEXT}", "utf-8")
    write_labels(home / "a.tsv", {"site": "hewan.example"}, labels_of(blocks, ["chrome"]))
    return tmp_path


def answer(folder, by, label, name="1", spans=()):
    (page,) = read_tables(folder)
    place = Place(page_key(page.page.body), page.labels[0].hash, 0)
    made = Answer(by + name, name, by, page.site, (place,), TEXT, label, spans)
    append_answer(log_path(folder, by), made)
    return made


def rows(folder):
    return [(row.label, row.annotator, row.spans) for page in read_labeled(folder) for row in page.labels]


def test_an_answer_goes_before_the_table(folder):
    answer(folder, "anna", "spam", spans=((0, 3, "brand"),))
    assert rows(folder) == [("spam", "anna", (Span(0, 3, "brand"),))]
    append_undo(log_path(folder, "anna"), answer(folder, "anna", "content", "2"))
    assert rows(folder)[0][0] == "spam"


def test_what_was_undone_leaves_the_table_as_it_was(folder):
    append_undo(log_path(folder, "anna"), answer(folder, "anna", "spam"))
    assert rows(folder) == [("chrome", "周", ())]


def test_where_annotators_disagree_there_is_no_label(folder):
    answer(folder, "anna", "spam")
    answer(folder, "bo", "content")
    assert rows(folder) == []
    answer(folder, "cy", "content")
    assert rows(folder) == [("content", "bo+cy", ())]


def test_a_cut_line_of_a_log_is_told(folder):
    answer(folder, "anna", "spam")
    log = log_path(folder, "anna")
    log.write_bytes(log.read_bytes()[:-5])
    losses = []
    assert [row.label for page in read_labeled(folder, losses.append) for row in page.labels] == ["chrome"]
    assert len(losses) == 1


def test_labels_taken_in_elsewhere_are_the_same_and_are_not_doubled(folder, tmp_path_factory):
    answer(folder, "anna", "spam", spans=((0, 3, "brand"),))
    answer(folder, "anna", "content", "2")
    held, other = list(all_answers(folder)), tmp_path_factory.mktemp("other")
    assert [(a.by, a.label) for a in held] == [("周", "chrome"), ("anna", "content")]
    assert take_in(other, held) == 2
    assert [a for a in all_answers(other) if a.by == "anna"] == held[1:]
    assert take_in(other, held) == take_in(folder, held) == 0
    assert take_in(folder, [held[1]._replace(label="chrome")]) == 1
    assert rows(folder)[0][:2] == ("chrome", "anna")


def test_an_annotator_whose_name_is_no_file_is_refused_before_anything_is_written(folder, tmp_path):
    good = answer(folder, "anna", "spam")
    with pytest.raises(InputError, match="annotator's name"):
        take_in(tmp_path / "other", [good, good._replace(id="9", by="../x")])
    assert not (tmp_path / "other").exists()


def test_a_page_is_saved_as_it_was_found(tmp_path):
    body = "<meta charset=gb2312><p>河湾村".encode("gb18030")
    page = LabeledPage(RawPage("a\tb", body, "http://www.hewan.example/1"), "hewan.example", [])
    save_page(tmp_path, page)
    (kept,) = read_tables(tmp_path)
    assert (kept.page.body, kept.page.url, kept.site, kept.labels) == (body, page.page.url, page.site, [])
