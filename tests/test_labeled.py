import pytest

from detector.blocks import RawPage
from detector.errors import LabelError
from detector.labeled import BlockLabel, Span, nth_of_hash, read_labeled, read_labels, tie, write_labels
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
