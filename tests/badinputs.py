"""Bad pages, made by code. Each has an article; what must hold is that it is found, or that the page says why not.

A row is the number of the kind of harm (see test_bad_inputs.py), a label, the page, and what may come out: `FOUND`, or
codes of errors, or ``dropped``, for a reason that the row gives.
"""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterator
from typing import NamedTuple

FOUND = "found"
MARKER = "南岭水库除险加固工程通过了省水利厅组织的竣工验收"
BODY = f"""<div class="article"><h1>南岭水库除险加固工程通过验收</h1>
<p>本报讯（记者周立）昨日，{MARKER}，将恢复下游三万亩农田的灌溉。</p>
<p>该水库建于一九五八年，坝体渗漏多年。工程于前年十月开工，总投资两千四百万元，历时十九个月。</p>
<p>“今年夏灌不用再抽水了。”下游的河湾村村民说，往年这个时候，渠里已经见底。</p></div>"""
PAGE = f"<html><head><title>南岭水库除险加固工程通过验收-临河新闻网</title></head><body>{BODY}</body></html>"
TEXT = "\n".join(["南岭水库除险加固工程通过验收", f"本报讯（记者周立）昨日，{MARKER}，将恢复下游三万亩农田的灌溉。"])
# The same in traditional characters, and what of it must be found.
TRADITIONAL = (
    "<p>南嶺水庫除險加固工程通過了省水利廳組織的竣工驗收，將恢復下游三萬畝農田的灌溉。該水庫建於一九五八年，壩體滲漏多年。</p>"
    "<p>今年夏灌不用再抽水了，下游的河灣村村民說，往年這個時候，渠中已經見底，村民要到十里以外去挑水。</p>"
)
MARKER_TRADITIONAL = "南嶺水庫除險加固工程通過了省水利廳組織的竣工驗收"
MB = 1 << 20


class Bad(NamedTuple):
    """One bad page."""

    number: int
    label: str
    body: bytes | str
    outcomes: tuple[str, ...] = (FOUND,)
    marker: str = MARKER
    charset: str | None = None
    media_type: str = "text/html"


def bad_pages() -> Iterator[Bad]:
    """Yield all of them; some have megabytes, so they are made one after another."""
    yield from _empty()
    yield from _nested()
    yield from _tags()
    yield from _unclosed()
    yield from _odd_markup()
    yield from _encodings()
    yield from _not_text()
    yield from _tricks()


def _empty() -> Iterator[Bad]:
    yield Bad(1, "empty file", b"", ("empty",))
    yield Bad(2, "only white space", b" \r\n\t" * 99, ("empty",))
    yield Bad(3, "one <", b"<", ("dropped",))
    yield Bad(4, "six bytes of comment", b"<!--!>", ("no_text",))
    yield Bad(5, "no tags", TEXT)
    yield Bad(5, "no tags, said to be text", TEXT, media_type="text/plain")


def _nested() -> Iterator[Bad]:
    for depth in (253, 254, 255, 256, 260):
        yield Bad(6, f"{depth} <div>", "<div>" * depth + BODY)
    for depth in (2045, 2046, 2047, 3000):
        yield Bad(7, f"{depth} <div>", "<div>" * depth + BODY)
    yield Bad(8, "100,000 <div>", "<div>" * 100_000 + BODY, ("too_deep",))
    yield Bad(8, "50,000 <div>, closed", "<div>" * 50_000 + BODY + "</div>" * 50_000, ("too_deep",))
    yield Bad(9, "1,000,000 <div>", "<div>" * 1_000_000 + BODY, ("too_many_tags",))
    yield Bad(10, "2,000 tables", "<table><tr><td>" * 2000 + BODY)
    yield Bad(11, "20,000 misnested", "<b><i><u>渠</b></i></u>" * 20_000 + PAGE)
    yield Bad(12, "5,000 <font><p>", "<font><p>" * 5000 + BODY, ("too_deep",))
    yield Bad(12, "900 <font><p>", "".join(f"<font size={i}><p>" for i in range(900)) + BODY)
    yield Bad(
        12,
        "900 <font>, 9,000 <p>",
        "".join(f"<font size={i}>" for i in range(900)) + "<p>渠</p>" * 9000 + BODY,
        ("too_deep",),
    )
    yield Bad(
        12,
        "a <font> in each of 5,000 cells",
        "<table>" + "<tr><td><font color=red>渠</td></tr>" * 5000 + "</table>" + BODY,
    )
    yield Bad(13, "a formatting element closed far away", "<b i>" * 900 + "<i i>" * 90 + "x</b>" + BODY)
    yield Bad(13, "the same, too many", "<b i>" * 2000 + "<i i>" * 2000 + "x</b>" + BODY, ("too_deep",))
    yield Bad(14, "50,000 <a>", "<a>" * 50_000 + BODY)


def _tags() -> Iterator[Bad]:
    many = " ".join(f"a{i}=1" for i in range(100_000))
    yield Bad(15, "100,000 attributes", f"<p {many}>{BODY}", ("too_many_attributes",))
    quoted = "/".join(f'a{i}="1"' for i in range(100_000))
    yield Bad(15, "100,000 attributes without white space", f"<p {quoted}>{BODY}", ("too_many_attributes",))
    yield Bad(16, "20,000 times the same attribute", f"<p {'a=1 ' * 20_000}>{BODY}", ("too_many_attributes",))
    yield Bad(16, "9,000 times the same attribute", f"<p {'a=1 ' * 9000}>{BODY}")
    yield Bad(17, "an attribute of 10 MB", f"<p title='{'x y=z ' * (10 * MB // 6)}'>{BODY}")
    yield Bad(18, "a text of 12 MB", f"<pre>{'rain and snow ' * (12 * MB // 14)}</pre>{BODY}")
    yield Bad(19, "an image of 8 MB", f'<img src="data:image/png;base64,{"A" * 8 * MB}">{BODY}')
    yield Bad(20, "a drawing of 1 MB", f'<svg><path d="{"M1 2L3 4" * (MB // 8)}"/><text>渠</text></svg>{BODY}')
    yield Bad(
        20, "data of 1 MB", f'<script type="application/ld+json">{{"a": "{"渠水<p>" * (MB // 8)}"}}</script>{BODY}'
    )
    yield Bad(21, "1,000,000 <p>", "<p>渠" * 1_000_000 + BODY, ("too_many_tags",))
    yield Bad(21, "20,000 <p>", BODY + "<p>渠" * 20_000, (FOUND,))
    yield Bad(21, "300,000 lines", TEXT + "\n渠" * 300_000, ("too_many_blocks",), media_type="text/plain")
    yield Bad(22, "50,000 <option>", f"<select>{'<option>渠' * 50_000}</select>{BODY}", ("too_many_tags",))
    yield Bad(22, "5,000 <option>", f"<select>{'<option>渠' * 5_000}</select>{BODY}")
    yield Bad(23, "1,000,000 <br>", "<br/>" * 1_000_000 + "\0" + BODY, ("too_many_tags",))
    yield Bad(23, "100,000 <br> and NUL", "<br/>" * 100_000 + "\0" + BODY)
    yield Bad(26, "2,000,000 <", "<" * 2_000_000 + BODY, ("too_many_tags",))
    yield Bad(26, "300,000 &", "<p>" + "&" * 300_000 + "</p>" + PAGE)
    yield Bad(
        26,
        "references to what is no character",
        "<p>" + "&#99999999999;&#x110000;&#xD800;&#0;" * 10_000 + "</p>" + PAGE,
    )
    yield Bad(31, "20,000 texts let slip into a table", "<table>" + "渠<tr>" * 20_000 + "</table>" + BODY)


def _unclosed() -> Iterator[Bad]:
    for tag in ("<!--", "<script>", "<style>", "<textarea>", "<plaintext>", "<![CDATA[", "<svg><![CDATA[", "<title>"):
        yield Bad(24, f"{tag} that nobody closes", BODY + tag + "渠水 <p> " * (MB // 16))
        code = tag in ("<script>", "<style>")  # what stands behind them is taken for a program, and that is told
        yield Bad(24, f"{tag} before the article", f"<p>渠水涨了</p>{tag}{BODY}", ("parse_loss",) if code else (FOUND,))
    yield Bad(25, "template in svg", "<svg><template>" + BODY)
    yield Bad(25, "template that closes a form", "<form><template></form></template>" + BODY)
    yield Bad(25, "select in a table", "<table><tr><td><select><option>渠<table></select>" + BODY)
    yield Bad(25, "select before the article", "<p>渠水涨了，下游三个村都放了闸。</p><select><option>渠" + PAGE)
    yield Bad(25, "attribute without a value", "<foo class>" + BODY)


def _odd_markup() -> Iterator[Bad]:
    yield Bad(27, "frames only", f"<frameset><frame src=a><noframes>{BODY}</noframes></frameset>")
    yield Bad(27, "all in srcdoc", f'<iframe srcdoc="<p>{MARKER}</p>"></iframe>')
    yield Bad(27, "an article between frames", f"<frameset><frame src=a>{BODY}</frameset>")
    yield Bad(27, "all in noscript", f"<noscript>{BODY}</noscript>")
    yield Bad(27, "all in a shadow root", f"<div><template shadowrootmode=open>{BODY}</template></div>")
    yield Bad(28, "> in a value", f"<div title=\"x>y\" data-a='</div>'>{BODY}</div>")
    yield Bad(28, "Han in a value without quotes", f"<div title=渠水>今>{BODY}</div>")
    bomb = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
    yield Bad(29, "a billion laughs", f'<!DOCTYPE x [<!ENTITY l0 "渠">{bomb}]><p>&l9;</p>{BODY}')
    yield Bad(29, "an outside entity", f'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><p>&f;</p>{BODY}')
    yield Bad(30, "refresh and base", f'<base href="//a.example/"><meta http-equiv=refresh content="0;url=/x">{BODY}')
    yield Bad(30, "XHTML of another encoding, as text", f'<?xml version="1.0" encoding="GB2312"?>{PAGE}')
    yield Bad(32, "two pages in one", "<html><body><p>渠水</p></body></html>" + PAGE)
    yield Bad(32, "the article behind the end", "<html><body><p>渠水</p></body></html>" + BODY)


def _encodings() -> Iterator[Bad]:
    rare = PAGE.replace("坝体渗漏", "镕㙟𠮷€坝体渗漏")
    meta = "<meta charset={}>"
    yield Bad(33, "GB18030 labelled gb2312", rare.encode("gb18030"), charset="gb2312", marker="镕㙟𠮷€坝体渗漏")
    yield Bad(34, "GBK labelled utf-8", (meta.format("utf-8") + PAGE).encode("gbk"), charset="utf-8")
    for label in ("gb2312", "big5"):
        yield Bad(35, f"UTF-8 labelled {label}", (meta.format(label) + PAGE).encode(), charset=label)
    yield Bad(36, "Big5 labelled gb2312", TRADITIONAL.encode("big5"), marker=MARKER_TRADITIONAL, charset="gb2312")
    hkscs = TRADITIONAL.replace("多年", "嘅喺啲")
    yield Bad(37, "HKSCS", hkscs.encode("big5hkscs"), charset="big5", marker="嘅喺啲")
    yield Bad(38, "header and meta disagree", (meta.format("big5") + PAGE).encode("gbk"), charset="utf-8")
    yield Bad(38, "two metas", (meta.format("big5") + meta.format("gbk") + PAGE).encode("gbk"))
    yield Bad(38, "meta too late", (" " * 2000 + meta.format("gbk") + PAGE).encode("gbk"))
    for label, change in {
        "cut": lambda b: b[:-1],
        "0xFF": lambda b: _into(b, b"\xff"),
        "0x80": lambda b: _into(b, b"\x80"),
    }.items():
        yield Bad(39, f"GBK, {label}", change((PAGE + BODY).encode("gbk")))
        yield Bad(40, f"UTF-8, {label}", change((PAGE + "渠").encode()))
    for codec in ("utf-16-le", "utf-16-be"):
        mark = "\ufeff".encode(codec)
        yield Bad(41, f"{codec} with its mark", mark + PAGE.encode(codec))
        yield Bad(41, codec, PAGE.encode(codec))
    yield Bad(42, "two byte-order marks", b"\xef\xbb\xbf" * 2 + PAGE.encode())
    yield Bad(43, "surrogates in UTF-8", b"<p>\xed\xa0\x80\xed\xb0\x80</p>" + PAGE.encode())
    yield Bad(43, "a lone surrogate", "<p>渠\ud800水</p>" + PAGE)
    yield Bad(44, "four bytes", "新闻".encode("gbk"), marker="新闻", outcomes=(FOUND,))
    twice = TEXT.encode().decode("cp1252", "replace").encode().decode("cp1252", "replace")
    yield Bad(45, "mojibake of mojibake", twice, ("dropped",))
    yield Bad(46, "GBK let into UTF-8", f"<p>{'渠水' * 200}</p>{PAGE}".encode() + "<p>博彩网址</p>".encode("gbk"))
    yield Bad(46, "UTF-8 let into GBK", PAGE.encode("gbk") + "<div>必赢国际app官方下载</div>".encode())
    for label in ("hz-gb-2312", "iso-2022-cn", "utf-7", "x-foo", '"gbk" ', "replacement", "rot13", "\x00"):
        yield Bad(47, f"called {label!r}", PAGE.encode("gbk"), charset=label)


def _into(body: bytes, byte: bytes) -> bytes:
    """Put a byte into the middle of the markup, between characters."""
    at = body.rindex(b"</p>")
    return body[:at] + byte + body[at:]


def _not_text() -> Iterator[Bad]:
    yield Bad(48, "NUL first", b"\0" + PAGE.encode())
    yield Bad(48, "NUL between all characters", "\0".join(PAGE), (FOUND,))
    yield Bad(48, "NUL between all bytes", b"\0".join(bytes([b]) for b in PAGE.encode()), ("dropped",))
    yield Bad(49, "noise", random.Random(1).randbytes(MB), ("not_text",))
    for name, head in {"pdf": b"%PDF-1.7\n", "png": b"\x89PNG\r\n\x1a\n", "film": b"\0\0\0\x18ftypmp42"}.items():
        yield Bad(50, f"{name} called a page", head + random.Random(2).randbytes(9999), ("not_text",))
    yield Bad(50, "gzip called a page", gzip.compress(PAGE.encode()), ("not_text",))
    yield Bad(51, "a line of 1 MB", (BODY.replace("\n", "") + "<p>渠水涨了</p>" * (MB // 24)).encode())


def _tricks() -> Iterator[Bad]:
    for code in (0x200B, 0x200D, 0x2060, 0xFEFF, 0xFE0F):
        yield Bad(52, f"U+{code:04X} between characters", PAGE + f"<p>博{chr(code)}彩{chr(code)}网</p>" * 9)
    yield Bad(53, "turned round", PAGE + "<p>\u202e载下方官际国赢必\u202c</p><bdo dir=rtl>网官赢必</bdo>")
    yield Bad(54, "look-alikes", PAGE + "<p>ｂｅｔ３６５ ①②③ 𝟛𝟞𝟝 ⽔⼒ рауpal</p>" * 9)
    yield Bad(55, "a span for each character", PAGE + "".join(f"<span>{c}</span>" for c in "必赢国际官网" * 900))
    yield Bad(
        56,
        "keywords in attributes only",
        PAGE + '<img alt="必赢国际官网" title="博彩"><input placeholder="彩票投注">' * 99,
    )
    yield Bad(57, "hidden in five ways", PAGE + "".join(f'<div style="{style}">必赢国际官网注册送彩金</div>' for style in (
        "display:none", "position:absolute;left:-9999px", "font-size:0", "color:#fff;background:#fff", "text-indent:-999em")))  # fmt: skip
    yield Bad(58, "traditional beside simplified", PAGE + "<p>必贏國際註冊送彩金</p>" * 9)
    yield Bad(59, "emoji", PAGE + "<p>👩🏽‍🌾🏳️‍🌈👍🏿🇨🇳</p>" * 999)
    yield Bad(60, "numbers with separators", PAGE + "<p>微·信：a b c_8-8-8 QQ:1 2 3 4 5 6 7 電話一三八〇〇〇</p>" * 9)
    yield Bad(61, "one phrase of 300 kB", f"<p>{'博彩网站' * 75_000}</p>{PAGE}")
    yield Bad(61, "no stop in 3 MB", f"<p>{'水库渠首闸门' * 500_000}</p>{PAGE}")
    yield Bad(
        62,
        "an honest report",
        PAGE.replace("往年这个时候", "镇里还办了反赌宣传，民警讲了网络赌博平台怎样骗人。往年这个时候"),
    )
