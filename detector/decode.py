"""Bytes of a page to text, by evidence.

A label is a claim, not a fact: among real Chinese pages some declare gb2312 and are UTF-8, others the reverse. So the
order is: byte-order mark; valid or nearly valid UTF-8; a NUL pattern of UTF-16; and otherwise the candidate encoding
under which the text reads most like Chinese, the declared one first among equals. Nothing is ever decoded strictly:
one bad byte costs one character. Labels mean what the WHATWG Encoding Standard says (gb2312, gbk → gb18030).
"""

from __future__ import annotations

import codecs
import re
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detector import compiled
from detector.chars import code_points, count_between
from detector.errors import PageError

PRESCAN_BYTES = 1024  # how far a <meta> may stand from the start (HTML standard, "prescan a byte stream")
PROBED_BYTES = 16384  # of bytes that are no UTF-8, which may be enough to tell that little of them is
SAMPLE_BYTES = 65536  # of non-ASCII text, enough to tell encodings apart
LIKE_CHINESE = 0.4  # share of common characters above which bytes are taken for Chinese text
CERTAINLY_CHINESE = 0.5  # the share from which no other encoding need be tried: a wrong one gets to a tenth at most
NEARLY_VALID = 0.02  # bad bytes per non-ASCII byte up to which text is UTF-8 with damage
BINARY_MAGIC = (b"%PDF-", b"\x1f\x8b\x08", b"\x89PNG", b"\xff\xd8\xff", b"PK\x03\x04", b"GIF8", b"\x00\x00\x00\x18ftyp",
                b"\x00\x00\x00\x20ftyp", b"\x28\xb5\x2f\xfd", b"ID3\x02", b"ID3\x03", b"ID3\x04", b"\x7fELF", b"PAR1", b"BZh", b"7z\xbc\xaf")  # fmt: skip

_CHARSET = re.compile(rb"""<meta[^>]{0,400}?charset\s{0,8}=\s{0,8}["']?\s{0,8}([A-Za-z0-9_:.\-]{2,40})""", re.I)
_XML_ENCODING = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s{0,8}=\s{0,8}["']([A-Za-z0-9_:.\-]{2,40})""")
_PRIVATE_USE = 0xE780, 0xE864
_ASCII = bytes(range(128))

# The WHATWG labels that matter here, to Python's codecs. Anything else is asked of `codecs.lookup`.
_CODECS = {
    "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "gb_2312-80": "gb18030", "chinese": "gb18030",
    "csgb2312": "gb18030", "iso-ir-58": "gb18030", "gb_2312": "gb18030", "gb18030": "gb18030", "cp936": "gb18030",
    "big5": "big5hkscs", "big5-hkscs": "big5hkscs", "cn-big5": "big5hkscs", "x-x-big5": "big5hkscs",
    "csbig5": "big5hkscs", "cp950": "big5hkscs", "utf8": "utf-8", "unicode-1-1-utf-8": "utf-8",
    "iso-8859-1": "cp1252", "latin1": "cp1252", "us-ascii": "cp1252", "ascii": "cp1252",
    "utf-16": "utf-16-le", "utf-16le": "utf-16-le", "utf-16be": "utf-16-be",
}  # fmt: skip
# A label that can only be wrong when found by reading bytes as ASCII, or that browsers refuse.
_IGNORED = {"utf-7", "utf-32", "hz-gb-2312", "hz", "iso-2022-cn", "replacement", "punycode", "idna", "undefined",
            "unicode-escape", "raw-unicode-escape", "unicode_escape"}  # fmt: skip

# The characters that make up half of running Chinese text, simplified and traditional, with its punctuation.
_COMMON = frozenset(
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经"
    "十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前外天政四日那社义事平形相"
    "全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此变条只没结解问意建月公无系军很情者最立代想已通并提直题党程展五果"
    "料象员革位入常文总次品式活设及管特件长求老头基资边流路级少图山统接知较将组见计别她手角期根论运农指几九区强放决西被干做必战先回则任"
    "取据处队南给色光门即保治北造百规热领七海口东导器压志世金增争济阶油思术极交受联什认六共权收证改清己美再采转更单风切打白教速花带安场"
    "身车例真务具万每目至达走积示议声报斗完类八离华名确才科张信马节话米整空元况今集温传土许步群广石记需段研界拉林律叫且究观越织装影算低"
    "持音众书布复容儿须际商非验连断深难近矿千周委素技备半办青省列习响约支般史感劳便团往酸历市克何除消构府称太准精值号率族维划选标写存候"
    "這個為國時來們會說對學過後發動電現實體點從業當應開還間樣與關數線機變條沒結解問無系軍將見計別運農指幾區強決戰處隊給門導壓濟階術極"
    "聯認權證單風車務萬達積議聲報鬥類離華確張馬節話況傳許廣記研觀織裝眾書復兒須際驗連斷難備辦習響約歷構準號維劃選標寫聞網頁臺灣縣"
    "，。、：；！？“”‘’（）《》　・「」『』【】…—"
)  # fmt: skip


class Decoded(NamedTuple):
    """Text with what is known of its encoding; `source` is bom, http, meta or detected."""

    text: str
    name: str
    source: str
    replaced: int


def decode(body: bytes | str, declared: str | None = None) -> Decoded:
    """Decode a page.

    Parameters
    ----------
    body : bytes or str
        Text passes through.
    declared : str, optional
        The charset of an HTTP header.

    Raises
    ------
    PageError
        ``empty`` when there is nothing, ``not_text`` for a binary file.

    Examples
    --------
    >>> decode("<meta charset=gb2312>新闻".encode())
    Decoded(text='<meta charset=gb2312>新闻', name='utf-8', source='detected', replaced=0)
    """
    if isinstance(body, str):
        if not body or body.isspace():
            raise PageError("empty", "the page is empty")
        return Decoded(without_surrogates(body.lstrip("\ufeff")), "utf-8", "detected", 0)
    claims = _claims(body, declared)
    found = _by_bom(body) or _by_claim_of_utf16(body, claims)
    if found is None:
        _refuse_binary(body)
        found = _by_evidence(body, claims)
    if not found.text or found.text.isspace():
        raise PageError("empty", "the page is empty")
    return found


def _by_claim_of_utf16(body: bytes, claims: list[tuple[str, str]]) -> Decoded | None:
    """Believe a header that says UTF-16 where the text reads like Chinese: such bytes look binary."""
    for name, source in claims:
        if name.startswith("utf-16") and source == "http" and _likeness(body[:SAMPLE_BYTES], name) > LIKE_CHINESE:
            return _decoded(body, name, source)
    return None


def without_surrogates(text: str) -> str:
    """Lone surrogates, as an escape in JSON can make them, cannot be written out again."""
    if not count_between(text, 0xD800, 0xDFFF):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _refuse_binary(body: bytes) -> None:
    head = body[:4096]
    if not head.strip(b" \t\r\n\f\x00"):
        if body.strip(b" \t\r\n\f\x00"):
            return
        raise PageError("empty", "the page is empty")
    if head.startswith(BINARY_MAGIC):
        raise PageError("not_text", f"the page is a binary file (starts with {head[:4]!r})")
    control = len(head) - len(head.translate(None, bytes(range(1, 9)) + bytes(range(14, 27)) + bytes(range(28, 32))))
    if control > 0.05 * len(head):
        raise PageError("not_text", "the page is not text: too many control bytes")


def _by_bom(body: bytes) -> Decoded | None:
    boms = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
    for bom, name in boms:
        if body.startswith(bom):
            return _decoded(body[len(bom) :], name, "bom")
    return None


def _claims(body: bytes, declared: str | None) -> list[tuple[str, str]]:
    """Return (codec, source) of every usable label, the strongest first."""
    head = body[:PRESCAN_BYTES]
    found = [(declared, "http")]
    found += [(m.group(1).decode("ascii"), "meta") for m in (_XML_ENCODING.search(head), _CHARSET.search(head)) if m]
    named = [(_codec(label), source) for label, source in found if label]
    return [(name, source) for name, source in named if name]


def _codec(label: str) -> str | None:
    label = label.strip(" \t\r\n\"'").lower()
    if label in _IGNORED:
        return None
    if label in _CODECS:
        return _CODECS[label]
    try:
        info = codecs.lookup(label)
    except (LookupError, ValueError):
        return None
    name = _CODECS.get(info.name, info.name)
    return name if info._is_text_encoding and name not in _IGNORED else None


def _by_evidence(body: bytes, claims: list[tuple[str, str]]) -> Decoded:
    source = dict(reversed(claims))
    if body.isascii() and b"\x00" not in body:
        return _decoded(body, "utf-8", source.get("utf-8", "detected"))
    wide = _utf16_without_bom(body)
    if wide:
        return _decoded(body, wide, source.get(wide, "detected"))
    text = _nearly_utf8(body)
    if text is not None:
        return _counted(body, text, "utf-8", source.get("utf-8", "detected"))
    names = list(dict.fromkeys([*(n for n, _ in claims if not n.startswith("utf-")), "gb18030", "big5hkscs", "utf-8"]))
    best = _most_like_chinese(_sample(body), names)
    return _decoded(body, best, source.get(best, "detected"))


def _most_like_chinese(sample: bytes, names: list[str]) -> str:
    """Take the first under which `sample` is certainly Chinese, or else the likeliest; the declared one comes first."""
    likeness: dict[str, float] = {}
    for name in names:
        likeness[name] = _likeness(sample, name)
        if likeness[name] > CERTAINLY_CHINESE:
            return name
    return max(likeness, key=lambda name: likeness[name])


def _utf16_without_bom(body: bytes) -> str | None:
    """Markup in UTF-16 has a NUL in nearly every second byte of its ASCII part."""
    head = body[: PRESCAN_BYTES * 4]
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) < 0.2 * len(head) / 2 or min(even, odd) > 0.1 * max(even, odd):
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _nearly_utf8(body: bytes) -> str | None:
    """Decode `body` if it is UTF-8 but for a little damage, or an end that is cut off."""
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        cut_off = error.start >= len(body) - 3
        meant = len(body) > 3 and bool(body[: error.start].translate(None, _ASCII))
    most = NEARLY_VALID * len(body.translate(None, _ASCII))
    if not cut_off and _damage(body[:PROBED_BYTES]) - 1 > most:  # a character may be cut in two at the end
        return None
    text = body.decode("utf-8", "replace")
    if cut_off:
        return text if meant else None
    return text if _replaced(text) <= most else None


def _damage(body: bytes) -> int:
    return _replaced(body.decode("utf-8", "replace"))


def _replaced(text: str) -> int:
    return count_between(text, 0xFFFD, 0xFFFD)


def _sample(body: bytes) -> bytes:
    """Keep the lines that hold non-ASCII bytes: scores should not be diluted by markup."""
    if compiled.decode is not None:
        sample: bytes = compiled.decode.other_lines(body, 16 * SAMPLE_BYTES, SAMPLE_BYTES)
        return sample
    lines = [line for line in body[: 16 * SAMPLE_BYTES].split(b"\n") if not line.isascii()]
    return b"\n".join(lines)[:SAMPLE_BYTES]


def _likeness(sample: bytes, name: str) -> float:
    """How much `sample` reads like Chinese under codec `name`: common characters, less what would be lost."""
    codes = code_points(_from_gb18030(sample, "replace") if name == "gb18030" else sample.decode(name, "replace"))
    foreign = codes[codes > 0x7F]
    score = _scores()[foreign[foreign < 65536]].sum(dtype=np.int64)
    return round(int(score) / len(foreign), 2) if len(foreign) else 0.0


@lru_cache(maxsize=1)
def _scores() -> NDArray[np.int8]:
    """What a character of the BMP says for a decoding: 1 for a common one, -2 for one that hardly occurs in text."""
    table = np.zeros(65536, np.int8)
    table[[ord(c) for c in _COMMON]] = 1
    table[0x80:0xA0] = table[0xE000:0xF900] = table[0xFFFD] = -2
    return table


def _decoded(body: bytes, name: str, source: str) -> Decoded:
    if name == "gb18030":
        text = _from_gb18030(body, _EURO_HANDLER)
        return _counted(body, text.translate(_PUBLISHED) if count_between(text, *_PRIVATE_USE) else text, name, source)
    return _counted(body, body.decode(name, "replace"), name, source)


def _from_gb18030(body: bytes, errors: str) -> str:
    """Decode ASCII and pairs of bytes, which is nearly all there ever is, by a table; and by Python's codec from what is neither."""
    if compiled.decode is None:
        return body.decode("gb18030", errors)
    text, end = compiled.decode.decode_pairs(body, _pairs())
    return str(text) if end == len(body) else text + body[end:].decode("gb18030", errors)


@lru_cache(maxsize=1)
def _pairs() -> NDArray[np.uint16]:
    """What Python's codec makes of each pair of bytes; 0x7F is no second byte."""
    trails = [trail for trail in range(0x40, 0xFF) if trail != 0x7F]
    pairs = bytes(byte for lead in range(0x81, 0xFF) for trail in trails for byte in (lead, trail))
    table = np.zeros((126, 191), np.uint16)
    table[:, np.array(trails) - 0x40] = code_points(pairs.decode("gb18030")).reshape(126, 190)
    return table.ravel()


def _counted(body: bytes, text: str, name: str, source: str) -> Decoded:
    replaced = _replaced(text)
    if replaced and name == "utf-8":
        replaced -= body.count(b"\xef\xbf\xbd")
    return Decoded(text.lstrip("\ufeff"), name, source, replaced)


def _euro(error: UnicodeError) -> tuple[str | bytes, int]:
    """Read the byte 0x80 as the euro sign, as the Encoding Standard does in its GBK; anything else is replaced."""
    if isinstance(error, UnicodeDecodeError) and error.object[error.start] == 0x80:
        return "€", error.start + 1
    return codecs.replace_errors(error)


# Characters that Python's codec, made after an older edition of GB18030, leaves in the private use area.
_PUBLISHED = str.maketrans(
    "".join(map(chr, (*range(0xE78D, 0xE797), 0xE7C7, 0xE81E, 0xE826, 0xE82B, 0xE82C, 0xE832, 0xE843, 0xE854, 0xE864,
                      0xE816, 0xE817, 0xE818, 0xE831, 0xE83B, 0xE855))),
    "︐︒︑︓︔︕︖︗︘︙ḿ龴龵龶龷龸龹龺龻𠂇𠂉𠃌𡗗𢦏𤇾",
)  # fmt: skip

_EURO_HANDLER = "detector.euro"
codecs.register_error(_EURO_HANDLER, _euro)
