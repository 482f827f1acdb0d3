from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from caselist import cases
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.decode import _nearly_utf8, decode
from detector.errors import PageError

FIXED = settings(derandomize=True, deadline=None, max_examples=100)
SIMPLIFIED = (
    "昨日上午，水库除险加固工程通过竣工验收，下游农田将恢复灌溉。村民说，往年这个时候渠里已经见底，今年不用再抽水了。"
)
TRADITIONAL = (
    "昨日上午，水庫除險加固工程通過驗收，下游農田將恢復灌溉。村民說，往年這個時候水渠已經見底，今年不用再抽水了。"
)
HAN = st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5)


def body_of(case: dict[str, Any]) -> bytes:
    body = case["text"].encode(case["encode"])
    place, bad = case.get("bad", (0, ""))
    body = body[:place] + bytes.fromhex(bad) + body[place:]
    return bytes.fromhex(case.get("start", "")) + body[: len(body) - case.get("cut", 0)]


@pytest.mark.parametrize("case", cases("decode"))
def test_text_and_encoding_are_found(case: dict[str, Any]) -> None:
    decoded = decode(body_of(case), case.get("declared"))
    assert decoded == (case.get("expect", case["text"]), case["codec"], case["source"], case.get("replaced", 0))


@pytest.mark.parametrize("body", [b"", b" \r\n\t", b"\0\0\0\0", "", " \n", "\u3000"])
def test_nothing_is_an_empty_page(body: bytes | str) -> None:
    with pytest.raises(PageError) as caught:
        decode(body)
    assert caught.value.code == "empty"


@pytest.mark.parametrize("body", [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf \r\n"])
def test_byte_order_mark_alone_is_an_empty_page(body: bytes) -> None:
    with pytest.raises(PageError):
        decode(body)


@pytest.mark.parametrize(
    "body",
    [b"%PDF-1.4\n", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"PK\x03\x04", b"\x1f\x8b\x08", bytes(range(1, 32)) * 9],
    ids=["pdf", "png", "jpeg", "zip", "gzip", "control bytes"],
)
def test_binary_is_refused(body: bytes) -> None:
    with pytest.raises(PageError) as caught:
        decode(body)
    assert caught.value.code == "not_text"


def test_blank_beginning_does_not_make_a_page_empty() -> None:
    assert decode(b"\n" * 5000 + "渠水".encode()).text.strip() == "渠水"


def test_label_decides_where_the_text_begins_too_late_to_be_sampled() -> None:
    body = b"<!--" + b" " * 2**20 + b"-->\n" + TRADITIONAL.encode("big5")
    assert decode(body, "big5").text.endswith(TRADITIONAL)


def test_text_passes_through() -> None:
    assert decode("<meta charset=gbk>渠水", "big5") == ("<meta charset=gbk>渠水", "utf-8", "detected", 0)


@pytest.mark.parametrize(
    ("text", "expect"), [("渠\ud800水", "渠\ufffd水"), ("渠水\udc00", "渠水\ufffd"), ("渠\ud83d\ude00水", "渠😀水")]
)
def test_lone_surrogates_are_replaced(text: str, expect: str) -> None:
    """As an escape in JSON can make them; a pair of them is one character."""
    assert decode(text).text == expect


def test_byte_order_mark_of_text_is_dropped() -> None:
    assert decode("\ufeff渠水").text == "渠水"


@FIXED
@given(st.text(HAN, min_size=1))
def test_utf8_round_trip(text: str) -> None:
    assert decode(text.encode())[:2] == (text, "utf-8")


@FIXED
@given(st.text(SIMPLIFIED, min_size=30), st.sampled_from([None, "gb2312", "big5", "utf-8", "iso-8859-1"]))
def test_gb18030_round_trip_whatever_the_label(text: str, declared: str | None) -> None:
    assert decode(text.encode("gb18030"), declared)[:2] == (text, "gb18030")


@FIXED
@given(st.text(TRADITIONAL, min_size=30), st.sampled_from([None, "gb2312", "big5", "utf-8", "iso-8859-1"]))
def test_big5_round_trip_whatever_the_label(text: str, declared: str | None) -> None:
    assert decode(text.encode("big5"), declared)[:2] == (text, "big5hkscs")


@FIXED
@given(st.text(SIMPLIFIED, min_size=30), st.integers(0, 30))
def test_bad_byte_costs_one_character(text: str, place: int) -> None:
    body = text[:place].encode("gbk") + b"\xff" + text[place:].encode("gbk")
    assert decode(body) == (text[:place] + "\ufffd" + text[place:], "gb18030", "detected", 1)


@pytest.mark.parametrize(
    ("label", "bad", "text"),
    [
        ("gbk", b"\x80", "€"),
        ("gbk", b"\xa2\xe3", "€"),
        ("gbk", b"\xa8\xbc", "ḿ"),
        ("gbk", b"\xa6\xd9\xa6\xed\xa6\xf3", "︐︘︙"),
        ("gbk", b"\xfe\x59\xfe\xa0", "龴龻"),
        ("gbk", b"\xfe\x51\xfe\x91", "𠂇𤇾"),
        ("gbk", b"\x95\x32\x82\x36", "𠀀"),
        ("gbk", b"\x84\x31\xa4\x37", "\ufffd"),
        ("big5", b"\xf9\xd6\xf9\xda", "碁恒"),
        ("big5", b"\x88\x62", "Ê̄"),
        ("big5", b"\xc6\xe7", "ぁ"),
        ("big5", b"\x9d\xef", "嘅"),
        ("big5", b"\x87\x40", "䏰"),
    ],
    ids=lambda value: value.hex() if isinstance(value, bytes) else None,
)
def test_legacy_encodings_as_the_encoding_standard_has_them(label: str, bad: bytes, text: str) -> None:
    before = {"gbk": SIMPLIFIED, "big5": TRADITIONAL}[label]
    assert decode(before.encode(label) + bad, label).text == before + text


@FIXED
@given(
    st.text(
        st.characters(min_codepoint=0x3400, max_codepoint=0x2FA1D, exclude_categories=("Cs", "Co", "Cn")), max_size=20
    )
)
def test_any_character_of_gb18030_comes_back(text: str) -> None:
    assert decode((SIMPLIFIED + text).encode("gb18030"), "gb2312").text == SIMPLIFIED + text


@FIXED
@given(st.text(SIMPLIFIED, min_size=200, max_size=400), st.text(SIMPLIFIED, min_size=1, max_size=3))
def test_a_string_in_another_encoding_costs_itself_alone(text: str, injected: str) -> None:
    """Spam is put into pages by a script that knows one encoding."""
    for codec, other in (("utf-8", "gbk"), ("gbk", "utf-8")):
        found = decode(f"<p>{text}</p>".encode(codec) + f"<p>{injected}</p>".encode(other))
        assert (found.text.startswith(f"<p>{text}</p>"), found.name) == (
            True,
            "utf-8" if codec == "utf-8" else "gb18030",
        )


@FIXED
@given(st.binary(), st.sampled_from([None, "gbk", "big5", "utf-8", "utf-16", "shift_jis", "koi8-r", "no such name"]))
def test_any_bytes_become_text_or_a_page_error(body: bytes, declared: str | None) -> None:
    with suppress(PageError):
        decode(body, declared).text.encode()


@FIXED
@given(st.text(st.characters(exclude_categories=())).filter(str.strip))
def test_any_text_can_be_written_out_again(text: str) -> None:
    assert decode(text).text.encode("utf-8")


@pytest.mark.parametrize("cut", range(4))
def test_damage_in_a_long_page_is_counted_alike_however_much_is_probed(monkeypatch, cut):
    """What is read first may end within a character: that is no damage."""
    good, bad = SIMPLIFIED.encode(), b"\xff\xfe"
    body = bad + good * 2 + bad + good
    monkeypatch.setattr("detector.decode.NEARLY_VALID", 4 / len(body))  # all of it, and no more
    for probed in range(cut, len(body), 4):
        monkeypatch.setattr("detector.decode.PROBED_BYTES", probed)
        assert _nearly_utf8(body) is not None
    assert _nearly_utf8(bad + body) is None
