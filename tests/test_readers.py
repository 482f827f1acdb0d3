from __future__ import annotations

import gzip
import io
import json
import os
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import zstandard
from pyarrow import parquet
from warcs import record

from detector import readers
from detector.blocks import RawPage
from detector.readers import Fields, page_of_record, read_paths

PAGE = "<p>渠水涨了。</p>".encode()


def read(*paths: Path | str, **options: Any) -> list[RawPage]:
    return list(read_paths(map(str, paths), **options))


def codes(pages: list[RawPage]) -> list[str | None]:
    return [page.problem[0] if page.problem else None for page in pages]


@pytest.fixture
def records(tmp_path: Path) -> Path:
    """A file of records, one good line."""
    path = tmp_path / "r.jsonl"
    path.write_bytes(b'{"id": "a", "text": "rain"}\n')
    return path


def test_rows_of_parquet_carry_their_other_columns(tmp_path: Path) -> None:
    rows = [
        {"id": 7, "url": "http://a.cn/", "html": PAGE, "rank": 1},
        {"id": None, "url": None, "html": b"<p>", "rank": 2},
    ]
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    first, second = read(tmp_path / "a.parquet")
    assert (first.page_id, first.url, first.body, first.columns["rank"]) == ("7", "http://a.cn/", PAGE, 1)
    assert (second.page_id, "html" in second.columns) == (f"{tmp_path}/a.parquet:2", False)


@pytest.mark.parametrize("damage", [b"no parquet", b"PAR1" + bytes(90), b""])
def test_broken_parquet_is_unreadable(damage: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(damage)
    assert codes(read(tmp_path / "a.parquet")) == ["unreadable"]


def test_a_bomb_of_zstd_is_not_unpacked_at_once(tmp_path: Path) -> None:
    """A few slices of it hold 200 MB; a line of that size is told, and memory does not follow it."""
    (tmp_path / "r.jsonl.zst").write_bytes(zstandard.ZstdCompressor().compress(b" " * (200 << 20)))
    tracemalloc.start()
    assert codes(read(tmp_path / "r.jsonl.zst")) == ["too_large"]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 150 << 20


def test_odd_columns_of_parquet(tmp_path: Path) -> None:
    """No row; no text in one; text as bytes, in a dictionary; a column of another name; nested."""
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"html": pa.array([], pa.string())}), path)
    assert read(path) == []
    html = pa.array(["<p>", None, "<p>"]).dictionary_encode()
    parquet.write_table(pa.table({"html": html, "links": [[{"href": "/"}], [], None]}), path)
    assert codes(read(path)) == [None, "no_field", None]
    assert read(path)[0].columns["links"] == [{"href": "/"}]
    parquet.write_table(pa.table({"page": ["<p>"]}), path)
    assert codes(read(path)) == ["no_field"]


def test_parquet_without_its_end_is_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"html": ["<p>"] * 99}), path)
    path.write_bytes(path.read_bytes()[:-9])
    assert codes(read(path)) == ["unreadable"]


def squeeze(name: str, body: bytes) -> bytes:
    return {".gz": gzip.compress, ".zst": zstandard.ZstdCompressor().compress}.get(Path(name).suffix, bytes)(body)


# -------------------------------------------------------------------------------------------------------------- files


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("a.html", "text/html"), ("a.HTM", "text/html"), ("a.b.shtml", "text/html"), ("a.xhtml", "text/html"), ("a.txt", "text/plain"),
     ("a.html.gz", "text/html"), ("a.txt.zst", "text/plain")],
)  # fmt: skip
def test_one_page_a_file(name: str, media_type: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(squeeze(name, PAGE))
    assert read(path) == [RawPage(str(path), PAGE, media_type=media_type)]


@pytest.mark.parametrize("name", ["r.jsonl", "r.ndjson", "r.jsonl.gz", "r.JSONL.zst"])
def test_one_page_a_record(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(squeeze(name.lower(), b'{"text": "rain"}\n{"html": "<p>"}'))
    assert [(page.page_id, page.body) for page in read(path)] == [(f"{path}:1", "rain"), (f"{path}:2", "<p>")]


def test_members_of_gzip_follow_one_another_and_what_is_behind_them_is_told(tmp_path: Path) -> None:
    two = gzip.compress(b'{"text": "rain"}\n') + gzip.compress(b'{"text": "snow"}\n')
    (tmp_path / "r.jsonl.gz").write_bytes(two)
    assert codes(read(tmp_path / "r.jsonl.gz")) == [None, None]
    (tmp_path / "r.jsonl.gz").write_bytes(two + b"rubbish")
    assert codes(read(tmp_path / "r.jsonl.gz")) == [None, None, "unreadable"]


def test_frames_of_zst_follow_one_another(tmp_path: Path) -> None:
    (tmp_path / "a.txt.zst").write_bytes(squeeze("a.zst", b"rain ") + squeeze("a.zst", b"stopped"))
    assert read(tmp_path / "a.txt.zst")[0].body == b"rain stopped"


def test_order_is_that_of_the_arguments(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("1")
    (tmp_path / "b.txt").write_text("2")
    assert [page.body for page in read(tmp_path / "b.txt", tmp_path / "a.txt")] == [b"2", b"1"]


def test_named_format_beats_the_suffix(tmp_path: Path) -> None:
    (tmp_path / "a.dat").write_bytes(PAGE)
    assert read(tmp_path / "a.dat", input_format="text")[0].media_type == "text/plain"


@pytest.mark.parametrize("name", ["notes.pdf", "notes", "notes.gz"])
def test_unknown_kind_of_file(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"rain")
    assert codes(read(tmp_path / name)) == ["unknown_format"]


def test_missing_file_does_not_stop_the_rest(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("rain")
    pages = read(tmp_path / "no.html", tmp_path / "a.txt")
    assert codes(pages) == ["missing", None]
    assert pages[0].problem == ("missing", f"{tmp_path}/no.html: No such file or directory")


@pytest.mark.parametrize("name", ["no", "no.pdf", "no.gz"])
def test_missing_file_is_missing_whatever_its_name(name: str, tmp_path: Path) -> None:
    assert codes(read(tmp_path / name)) == ["missing"]


@pytest.mark.parametrize(
    "body",
    [b"rain", gzip.compress(PAGE, mtime=0)[:-9], gzip.compress(PAGE, mtime=0)[:-8] + bytes(8)],
    ids=["not gzip", "cut", "wrong checksum"],
)
def test_broken_gzip_is_unreadable(body: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.html.gz").write_bytes(body)
    assert codes(read(tmp_path / "a.html.gz")) == ["unreadable"]


def test_broken_zst_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / "a.html.zst").write_bytes(b"rain")
    assert codes(read(tmp_path / "a.html.zst")) == ["unreadable"]


def test_cut_zst_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / "a.html.zst").write_bytes(squeeze("a.zst", PAGE)[:-4])
    assert codes(read(tmp_path / "a.html.zst")) == ["unreadable"]


def test_records_before_the_break_are_kept(tmp_path: Path) -> None:
    (tmp_path / "r.jsonl.gz").write_bytes(gzip.compress(b'{"text": "rain"}\n' * 3)[:-8])
    assert codes(read(tmp_path / "r.jsonl.gz")) == [None, None, None, "unreadable"]


@pytest.mark.parametrize(
    "name", ["a b.html", "a\nb.html", "渠水.html", "-a.html", b"\xff\xfe.html".decode("utf-8", "surrogateescape")]
)
def test_odd_names_of_files(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(PAGE)
    for path in (tmp_path / name, tmp_path):
        (page,) = read(path)
        assert (page.body, page.problem) == (PAGE, None)
        assert page.page_id.encode()


def test_what_is_no_file_to_be_read(tmp_path: Path) -> None:
    """Links in a circle, pipes that nobody writes to and devices without end are passed over in a folder."""
    (tmp_path / "circle.html").symlink_to(tmp_path / "circle.html")
    (tmp_path / "up").symlink_to(tmp_path)
    (tmp_path / "zero.html").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe.html")
    (tmp_path / "empty.html").touch()
    assert [(page.page_id, page.body) for page in read(tmp_path)] == [(f"{tmp_path}/empty.html", b"")]
    assert codes(read(tmp_path / "circle.html")) == ["unreadable"]
    assert codes(read(tmp_path / "zero.html")) == ["too_large"]


def test_a_file_that_goes_away_while_a_folder_is_read(tmp_path: Path) -> None:
    for name in ("a.html", "b.html", "c.html"):
        (tmp_path / name).write_bytes(PAGE)
    pages = read_paths([str(tmp_path)])
    next(pages)
    (tmp_path / "b.html").unlink()
    assert codes(list(pages)) == ["missing", None]


def test_name_that_no_file_can_have() -> None:
    assert codes(read("a\0.html")) == ["unreadable"]


# ------------------------------------------------------------------------------------------------- folders and globs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """b/2.htm, b/x.html/3.txt (in a folder that is called like a file), 1.html, and two files of other kinds."""
    (tmp_path / "b" / "x.html").mkdir(parents=True)
    for name in ("1.html", "b/2.htm", "b/x.html/3.txt", "b/photo.jpg", "README"):
        (tmp_path / name).write_text(name)
    return tmp_path


def names(pages: list[RawPage], folder: Path) -> list[str]:
    return [str(Path(page.page_id).relative_to(folder)) for page in pages]


def test_folder_is_read_in_order_of_paths(folder: Path) -> None:
    assert names(read(folder), folder) == ["1.html", "b/2.htm", "b/x.html/3.txt"]


def test_folder_called_like_a_file(folder: Path) -> None:
    assert names(read(folder / "b" / "x.html"), folder) == ["b/x.html/3.txt"]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.html", ["1.html"]),
        ("b/*.htm*", ["b/2.htm", "b/x.html/3.txt"]),
        ("**/*.txt", ["b/x.html/3.txt"]),
        ("[0-9].html", ["1.html"]),
    ],
)
def test_glob(pattern: str, found: list[str], folder: Path) -> None:
    assert names(read(folder / pattern), folder) == found


def test_file_whose_name_is_a_pattern(folder: Path) -> None:
    (folder / "[1].html").write_text("rain")
    assert names(read(folder / "[1].html"), folder) == ["[1].html"]


# ------------------------------------------------------------------------------------------------------ standard input


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b"<p>rain", "text/html"),
        (b"\xef\xbb\xbf\r\n <!doctype html>", "text/html"),
        (b"rain <HTML><body>", "text/html"),
        (b"rain < snow", "text/plain"),
        ("雨停了。".encode("gbk"), "text/plain"),
        (b'\xef\xbb\xbf {"text": "rain"}', "text/plain"),
        (b'{"html": "rain"}', "text/html"),
        (b"", "text/plain"),
    ],
)
def test_standard_input_tells_by_its_beginning(body: bytes, media_type: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(body))))
    assert [page.media_type for page in read("-")] == [media_type]


def test_archives_come_from_standard_input_too(monkeypatch: pytest.MonkeyPatch) -> None:
    data = record(0, PAGE)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(data))))
    assert [page.page_id for page in read("-")] == ["urn:uuid:0"]


def test_parquet_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(b"PAR1 and so on"))))
    assert codes(read("-")) == ["unreadable"]


def test_standard_input_is_called_a_dash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(b'{"text": "rain"}\n{"id": 7, "text": "snow"}')))
    )
    assert [page.page_id for page in read("-")] == ["-:1", "7"]


def test_standard_input_in_a_named_format(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(b"<p>rain"))))
    assert read("-", input_format="text") == [RawPage("-", b"<p>rain", media_type="text/plain")]


# ------------------------------------------------------------------------------------------------------------ records


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b'{"text": "rain"', "bad_json"),
        (b"rain", "bad_json"),
        (b"[" * 100_000, "bad_json"),
        (b"\xff\x01\x02\x03\x04\x05\x06\x07" * 9, "not_text"),
        (b'["text"]', "bad_record"),
        (b'"text"', "bad_record"),
        (b"null", "bad_record"),
        (b"7", "bad_record"),
        (b"{}", "no_field"),
        (b'{"html": null, "text": 7}', "no_field"),
    ],
)
def test_bad_record_does_not_stop_the_rest(line: bytes, code: str, records: Path) -> None:
    records.write_bytes(records.read_bytes() + line + b"\n" + records.read_bytes())
    pages = read(records)
    assert codes(pages) == [None, code, None]
    assert pages[1].page_id == f"{records}:2"


def test_blank_lines_and_byte_order_marks_are_no_records(records: Path) -> None:
    records.write_bytes(
        b"\xef\xbb\xbf\n\r\n" + b"\xef\xbb\xbf" + records.read_bytes() + b" \t\n" + b'{"text": "snow"}\r\n'
    )
    assert [(page.page_id, page.body) for page in read(records)] == [("a", "rain"), (f"{records}:5", "snow")]


@pytest.mark.parametrize(
    ("line", "body"),
    [
        (b'{"text": "rain", "text": "snow"}', "snow"),
        (b'{"text": "rain", "x": NaN}', "rain"),
        (b'{"text": "\\ud800"}\r', "\ud800"),
    ],
    ids=["a key twice", "NaN", "half a character"],
)
def test_odd_records(line: bytes, body: str, records: Path) -> None:
    records.write_bytes(line + b"\n" + records.read_bytes())
    assert [page.body for page in read(records)] == [body, "rain"]


def test_bad_byte_in_a_record_costs_one_character(records: Path) -> None:
    records.write_bytes(b'{"text": "r\xffain"}')
    assert read(records)[0].body == "r\ufffdain"


def test_line_separators_inside_a_record(records: Path) -> None:
    records.write_text('{"text": "雨\u2028停\x85了"}', "utf-8")
    assert [page.body for page in read(records)] == ["雨\u2028停\x85了"]


@pytest.mark.parametrize(
    ("record", "page"),
    [
        ({"html": "<p>", "text": "雨"}, RawPage("r:1", "<p>")),
        ({"text": "雨", "content": "渠"}, RawPage("r:1", "雨", media_type="text/plain")),
        ({"content": "渠", "raw_content": "水"}, RawPage("r:1", "渠", media_type="text/plain")),
        ({"raw_content": "水", "title": "水库"}, RawPage("r:1", "水", media_type="text/plain", title="水库")),
        ({"text": "雨", "title": 7}, RawPage("r:1", "雨", media_type="text/plain")),
        ({"html": None, "text": "雨"}, RawPage("r:1", "雨", media_type="text/plain")),
        ({"html": b"<p>", "url": "http://linhe.example/"}, RawPage("r:1", b"<p>", "http://linhe.example/")),
        ({"html": "<p>", "url": ""}, RawPage("r:1", "<p>")),
        ({"html": "<p>", "url": 7}, RawPage("r:1", "<p>")),
        ({"html": "<p>", "id": "a"}, RawPage("a", "<p>")),
        ({"html": "<p>", "id": 0}, RawPage("0", "<p>")),
        ({"html": "<p>", "id": ""}, RawPage("r:1", "<p>")),
        ({"html": "<p>", "id": None}, RawPage("r:1", "<p>")),
    ],
)
def test_page_of_a_record(record: dict[str, Any], page: RawPage) -> None:
    assert page_of_record(record, "r:1", Fields()) == page


def test_empty_html_fails_over_to_the_text() -> None:
    assert page_of_record({"html": "", "text": "雨"}, "r:1", Fields()).body == "雨"


@pytest.mark.parametrize("record", [{"id": "\ud800", "text": "雨"}, {"url": "http://\udc00/", "text": "雨"}])
def test_id_and_url_can_be_written_out_again(record: dict[str, Any]) -> None:
    page = page_of_record(json.loads(json.dumps(record)), "r:1", Fields())
    assert f"{page.page_id} {page.url}".encode()


def test_own_fields() -> None:
    fields = Fields(html=("page",), text=("body",), id="key", url="link")
    record = {"key": 3, "link": "http://linhe.example/", "page": "<p>", "html": "no", "id": "no", "url": "no"}
    assert page_of_record(record, "r:1", fields) == RawPage("3", "<p>", "http://linhe.example/")
    assert page_of_record({"body": "雨", "text": "no"}, "r:1", fields).body == "雨"


def test_missing_field_is_named() -> None:
    page = page_of_record({"id": "a", "text": "雨"}, "r:1", Fields(html=("page",), text=("body",)))
    assert (page.page_id, page.problem) == ("a", ("no_field", "r:1: no field page or body with text in it"))


# ---------------------------------------------------------------------------------------------------------- too large


@pytest.mark.parametrize(("size", "code"), [(40, None), (41, "too_large")])
def test_page_that_is_too_large(size: int, code: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "MAX_PAGE_BYTES", 40)
    (tmp_path / "a.html").write_bytes(b"x" * size)
    assert codes(read(tmp_path / "a.html")) == [code]


@pytest.mark.parametrize("end", [b"\n", b""])
def test_record_that_is_too_large_does_not_stop_the_rest(
    end: bytes, records: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is it ever held in memory whole: its rest is read piece by piece."""
    monkeypatch.setattr(readers, "MAX_PAGE_BYTES", 40)
    good = records.read_bytes()
    records.write_bytes(good + b'{"text": "' + b"x" * 200 + b'"}\n' + good + b'{"text": "' + b"x" * 30 + end)
    assert codes(read(records))[:3] == [None, "too_large", None]


def test_record_of_just_the_limit(records: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "MAX_PAGE_BYTES", len(records.read_bytes()) - 1)
    assert codes(read(records)) == [None]
