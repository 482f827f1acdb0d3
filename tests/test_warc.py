from __future__ import annotations

import gzip
import io
import random
import zlib
from typing import Any

import brotli
import pytest
import zstandard
from warcs import OK, packed, record

from detector import warc
from detector.blocks import RawPage
from detector.warc import read_warc

SUFFIXES = ["", ".gz", ".zst"]


def body(number: int) -> bytes:
    """Some text that does not compress to nothing."""
    words = random.Random(number)
    return "".join(f"<p>渠水{words.random()}涨了</p>" for _ in range(40)).encode()


def archive(suffix: str, numbers: Any = range(6)) -> list[bytes]:
    return packed((record(i, body(i)) for i in numbers), suffix)


def read(data: bytes) -> list[RawPage]:
    return list(read_warc(io.BytesIO(data), "a.warc"))


def ids(data: bytes) -> list[str]:
    """The pages that were read, and the codes of those that were not."""
    return [page.problem[0] if page.problem else page.page_id.removeprefix("urn:uuid:") for page in read(data)]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_pages_of_an_archive(suffix: str) -> None:
    found = read(b"".join(archive(suffix)))
    assert [page.body for page in found] == [body(i) for i in range(6)]
    page = found[3]
    assert (page.page_id, page.url) == ("urn:uuid:3", "http://www.hewan.example/3.html")
    assert (page.charset, page.media_type, page.columns) == (
        "utf-8",
        "text/html",
        {"warc_date": "2026-01-02T03:04:05Z"},
    )


def test_records_packed_as_one_member() -> None:
    assert ids(gzip.compress(b"".join(archive("")))) == list("012345")


def test_a_dictionary_of_zstd() -> None:
    words = zstandard.train_dictionary(2000, [record(i, body(i)) for i in range(200)])
    pack = zstandard.ZstdCompressor(dict_data=words).compress
    frame = b"\x5d\x2a\x4d\x18" + len(words.as_bytes()).to_bytes(4, "little") + words.as_bytes()
    assert ids(frame + b"".join(pack(record(i, body(i))) for i in range(3))) == list("012")


@pytest.mark.parametrize("data", [b"", gzip.compress(b"", mtime=0)])
def test_an_empty_archive(data: bytes) -> None:
    assert ids(data) == []


# ---------------------------------------------------------------- damage


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_cut_archive_is_noticed(suffix: str) -> None:
    assert ids(b"".join(archive(suffix))[:-60]) == [*"01234", "truncated"]


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
@pytest.mark.parametrize("size", [4, 40, 400])
def test_the_next_record_is_found_behind_damage(suffix: str, size: int) -> None:
    members = archive(suffix)
    middle = len(members[2]) // 2
    members[2] = members[2][:middle] + bytes(byte ^ 0x5A for byte in members[2][middle : middle + size]) + members[2][middle + size :]  # fmt: skip
    assert ids(b"".join(members)) == [*"01", "damaged", *"345"]


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_damage_over_the_bounds_of_members_costs_both(suffix: str) -> None:
    members = archive(suffix)
    data = bytearray(b"".join(members))
    bound = len(members[0]) + len(members[1])
    data[bound - 20 : bound + 20] = bytes(40)
    found = ids(bytes(data))
    assert (found[0], found[-3:]) == ("0", list("345"))
    assert set(found[1:-3]) == {"damaged"}


def test_damage_of_the_last_record() -> None:
    members = archive(".gz")
    members[-1] = members[-1][:-4] + b"\x00\x01\x02\x03"
    assert ids(b"".join(members)) == [*"01234", "damaged"]


def test_damage_of_a_page_names_it_where_its_headers_are_known() -> None:
    page = read(b"".join(packed([record(0, body(0)), record(1, body(1), length="20"), record(2, body(2))], "")))[1]
    assert page.url == "http://www.hewan.example/1.html"
    assert page.problem == ("damaged", "a.warc:2: its Content-Length does not lead to the next record")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("length", ["9000", "3", "0", "-5", "abc", "", "1" + "0" * 17, "9" * 40])
def test_a_wrong_length_costs_only_its_record(suffix: str, length: str) -> None:
    """Readers that believe it swallow the next records or give up."""
    records = [record(i, body(i), length=length if i == 2 else None) for i in range(6)]
    found = ids(b"".join(packed(records, suffix)))
    assert (found[:2], found[-3:]) == (list("01"), list("345"))
    assert set(found[2:-3]) <= {"damaged", "too_large"}
    assert len(found) == 6


def test_a_length_that_a_cut_record_says_again_is_not_believed() -> None:
    """Memory would be asked for so much, which ends the process."""
    cut = b"WARC/1.0\r\nWARC-Type: response\r\nContent-Length: 560\r\nContent-Length: 10222222222226\r\n\r\n<p>"
    assert ids(cut) == ["truncated"]
    assert ids(cut + b"\r\n\r\n" + record(2, body(2))) == ["damaged", "2"]
    assert ids(cut.replace(b"560", b"10222222222226")) == ["too_large"]


def test_a_page_about_archives_is_one_page() -> None:
    """Its text looks like the beginning of a record, but its length leads to the next one."""
    text = b"<pre>\r\nWARC/1.0\r\nWARC-Type: response\r\n</pre>"
    assert ids(record(0, text) + record(1, b"<p>")) == list("01")


@pytest.mark.parametrize("data", [b"rain " * 9000, bytes(9000), b"WARC/1.0\r\n" * 9000], ids=["text", "zeros", "heads"])
def test_what_is_no_archive(data: bytes) -> None:
    assert set(ids(data)) == {"damaged"}


def test_rubbish_between_records() -> None:
    records = archive("")
    assert ids(records[0] + b"rubbish\r\n\r\n" * 9 + records[1]) == ["damaged", "1"]


def test_padding_between_members_is_no_damage() -> None:
    first, second = archive(".gz", range(2))
    assert ids(first + bytes(3000) + second + bytes(3000)) == ["0", "1"]


def test_any_damage_of_a_few_bytes_costs_two_pages_at_most() -> None:
    data, random_ = b"".join(archive(".gz", range(12))), random.Random(5)
    for _ in range(60):
        at = random_.randrange(len(data) - 8)
        broken = data[:at] + random_.randbytes(8) + data[at + 8 :]
        found = [page_id for page_id in ids(broken) if page_id.isdigit()]
        assert len(found) >= 10
        assert found == sorted(found, key=int)


# ---------------------------------------------------------------- bombs


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        (b"gzip", gzip.compress),
        (b"deflate", zlib.compress),
        (b"br", lambda data: brotli.compress(data, quality=5)),
        (b"zstd", zstandard.compress),
    ],
)
def test_bodies_are_decoded_and_bounded(name: bytes, pack: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    http = OK + b"Content-Encoding: " + name + b"\r\n"
    assert read(record(0, pack(body(0)), http))[0].body == body(0)
    monkeypatch.setattr(warc, "MAX_BODY_BYTES", 1 << 20)
    assert ids(record(0, pack(bytes(60 << 20)), http) + record(1, b"<p>")) == ["too_large", "1"]


def test_chunks_are_joined() -> None:
    http = OK + b"Transfer-Encoding: chunked\r\n"
    assert read(record(0, b"5\r\n<p>ra\r\n2\r\nin\r\n0\r\n\r\n", http))[0].body == b"<p>rain"


@pytest.mark.parametrize("name", [b"gzip", b"br", b"x-none"])
def test_a_body_that_was_decoded_before_it_was_stored(name: bytes) -> None:
    assert read(record(0, body(0), OK + b"Content-Encoding: " + name + b"\r\n"))[0].body == body(0)


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_a_record_that_unpacks_to_too_much(suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warc, "MAX_BODY_BYTES", 1 << 20)
    assert ids(b"".join(packed([record(0, bytes(80 << 20)), record(1, b"<p>")], suffix))) == ["too_large", "1"]


@pytest.mark.parametrize(
    ("more", "stored", "found"),
    [
        (b"Transfer-Encoding: chunked\r\n", b"zz\r\n<p>rain\r\n0\r\n\r\n", b"<p>rain"),
        (b"Transfer-Encoding: chunked\r\n", b"fffff\r\n<p>rain", b"<p>rain"),
        (b"Content-Encoding: gzip\r\n", gzip.compress(b"<p>rain", mtime=0)[:-9], b""),
        (b"Content-Encoding: gzip, gzip\r\n", gzip.compress(gzip.compress(b"<p>rain")), b""),
    ],
    ids=["bad size", "too large a size", "cut", "twice"],
)
def test_a_body_that_cannot_be_decoded_is_there_as_it_stands(more: bytes, stored: bytes, found: bytes) -> None:
    """So that it is told by whoever reads it as text; never a record lost."""
    first, second = read(record(0, stored, OK + more) + record(1, b"<p>"))
    assert (second.body, first.problem) == (b"<p>", None)
    assert found in first.body
    assert first.body


def test_a_head_of_many_megabytes_is_no_record() -> None:
    assert ids(record(0, b"<p>", more="X-Noise: " + "x" * (1 << 20) + "\r\n") + record(1, b"<p>")) == ["damaged", "1"]


@pytest.mark.parametrize("old", [b"WARC/0.17", b"WARC/0.18", b"WARC/1.1"])
def test_other_versions_of_archives(old: bytes) -> None:
    assert ids(b"".join(archive("", range(2))).replace(b"WARC/1.0", old)) == ["0", "1"]


def test_an_archive_of_the_older_kind_is_told() -> None:
    arc = b"filedesc://a.arc 0.0.0.0 20260102030405 text/plain 9\n1 0 x\n\nhttp://a/ 1.2.3.4 20260102030405 text/html 7\n<p>rain\n"
    assert ids(arc) == ["damaged"]


# ---------------------------------------------------------------- what is a page


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (record(0, b"<p>", kind="request"), []),
        (record(0, b"", http=b"", kind="warcinfo"), []),
        (record(0, b"<p>", kind="revisit"), []),
        (record(0, b"", http=b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\n"), ["no_page"]),
        (record(0, b"\xff\xd8", http=b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n"), ["no_page"]),
        (record(0, b"<p>", http=b"HTTP/1.1 200 OK\r\n"), ["0"]),
        (record(0, b"<p>", http=b"HTTP/1.1 206 Partial Content\r\nContent-Type: text/html\r\n"), ["no_page"]),
        (record(0, b""), ["0"]),
        (record(0, b"<p>", http=b"HTTP/1.1 200 OK\r\nContent-Type: application/xhtml+xml\r\n"), ["0"]),
        (record(0, b"rain", http=b"", kind="conversion"), ["0"]),
    ],
)
def test_which_records_are_pages(data: bytes, found: list[str]) -> None:
    assert ids(data) == found


def test_a_film_that_is_too_large_is_no_page_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warc, "MAX_BODY_BYTES", 1 << 10)
    film = record(0, bytes(1 << 20), http=b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\n")
    assert ids(film + record(1, b"<p>")) == ["no_page", "1"]


def test_text_of_a_conversion_is_plain() -> None:
    (page,) = read(record(0, "渠水\n涨了".encode(), http=b"", kind="conversion"))
    assert (page.media_type, page.body) == ("text/plain", "渠水\n涨了".encode())


def test_a_record_without_an_id_is_named_by_its_place() -> None:
    data = record(0, b"<p>").replace(b"WARC-Record-ID: <urn:uuid:0>\r\n", b"")
    assert read(data)[0].page_id == "a.warc:1"
