"""Training-time injection of spam into clean labelled pages, in the forms found in the wild.

Never used to score. The templates are data (spam_grammar.tsv); brands, domains and numbers are made up anew each time, so
that no model can learn a list. What is written into a page is obfuscated, hidden and placed as attackers do.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import lru_cache
from html import escape
from importlib.resources import files
from random import Random
from typing import TypeVar
from zlib import crc32

WRITTEN_SHARE = 0.7  # of lines that stand as somebody wrote them
# What people wrote is dealt out by site, so that evidence fitted on some sites is tried on lines it never saw, as it will be.
SITE_PARTS = 8
OWN_PART = 8  # for the project's own pages and sentences
OWN_STEP = 4  # every so manieth line is for them
TOPICS = ("gambling", "gambling", "gambling", "gambling", "loan", "porn", "server", "cert", "goods")

# Characters that names of betting sites are put together from, and what stands beside them.
_HEADS = "必博威利发鼎盛凯龙宝金银皇冠星云乐开欧亚华万众恒大通富贵福鸿运腾飞天海洋环球新澳葡京狮虎凤麒麟明珠百乐优米兰尊顺吉祥旺荣泰兴隆瑞丰鑫"
_FORMS = ("{h}{h}", "{h}{h}{h}", "{h}{h}{t}", "{h}{h}{t}", "{l}{h}{h}", "{h}{h}{d}", "{d}{h}{h}{t}", "{l}{d}", "{h}{h}{l}{d}", "{h}{h}·{h}{h}", "{l}{h}{h}{t}")  # fmt: skip
_TYPES = ("国际", "娱乐", "体育", "棋牌", "会", "彩票", "城", "厅", "集团", "平台", "电竞", "贵宾会", "赌场", "真人")
_LATIN = (
    "bet",
    "win",
    "vip",
    "hth",
    "ky",
    "mgm",
    "js",
    "ag",
    "pg",
    "bb",
    "kok",
    "yabo",
    "ob",
    "le",
    "ty",
    "yl",
    "xpj",
    "dafa",
)
_DIGITS = ("88", "365", "888", "168", "66", "77", "99", "1946", "918", "8888", "33", "55", "003", "6868", "2020")
_ZONES = (".com", ".cc", ".net", ".vip", ".top", ".xyz", ".app", ".one", ".club", ".site")
_NOISE = "★☆◆●♠♥♣♦※→√▲·•_-~♋❤🎰🔥💰✅👉🀄"
_SLOT = re.compile(r"\{(\w+)\}")
Item = TypeVar("Item")


@lru_cache(maxsize=1)
def _templates() -> dict[str, list[str]]:
    table: dict[str, list[str]] = defaultdict(list)
    for line in (files("detector") / "spam_grammar.tsv").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            slot, _, template = line.partition("\t")
            table[slot].append(template)
    return dict(table)


def brand(random: Random) -> str:
    """Make up a betting brand."""
    parts: dict[str, Callable[[], str]] = {
        "h": lambda: random.choice(_HEADS),
        "t": lambda: random.choice(_TYPES),
        "l": lambda: random.choice(_LATIN) if random.random() < 0.6 else _letters(random, 2, 5),
        "d": lambda: random.choice(_DIGITS) if random.random() < 0.7 else str(random.randrange(10, 99999)),
    }
    name = _SLOT.sub(lambda m: parts[m.group(1)](), random.choice(_FORMS))
    return name.upper() if random.random() < 0.15 else name


def _name(random: Random, size: int) -> str:
    """Make up a name of `size` characters: out of betting sites' own, or like any proper name there is."""
    if random.random() < 0.4:
        return "".join(random.choice(_HEADS) for _ in range(size))
    return "".join(random.choice(_name_characters()) for _ in range(size))


@lru_cache(maxsize=1)
def _name_characters() -> str:
    """Characters of the proper names in jieba's dictionary, as often as they occur there."""
    import jieba

    with jieba.get_dict_file() as stream:
        rows = (line.decode("utf-8").split() for line in stream)
        names = [row[0] for row in rows if len(row) == 3 and row[2] in ("nz", "nrt", "nt") and len(row[0]) <= 4]
    return "".join(names)


def injected_string(random: Random) -> str:
    """Make up a string such as replaces names on hacked pages."""
    return expand(random, "string", "")


def _letters(random: Random, low: int, high: int) -> str:
    return "".join(random.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(random.randint(low, high)))


def _shouted(random: Random, text: str) -> str:
    return random.choice((text, text, text.upper(), text.capitalize()))


def _domain(random: Random) -> str:
    return _letters(random, 1, 6) + str(random.randrange(9999)) * random.randint(0, 1) + random.choice(_ZONES)


def _makers(random: Random, name: str) -> dict[str, Callable[[], str]]:
    return {
        "brand": lambda: name,
        "domain": lambda: _domain(random),
        "zone": lambda: random.choice(_ZONES)[1:],
        "latin": lambda: _shouted(random, random.choice(_LATIN) if random.random() < 0.5 else _letters(random, 2, 6)),
        "digits": lambda: random.choice(_DIGITS) if random.random() < 0.6 else str(random.randrange(3, 99999)),
        "han2": lambda: _name(random, 2),
        "han3": lambda: _name(random, 3),
        "han4": lambda: _name(random, 4),
        "money": lambda: random.choice(("8", "18", "28", "38", "58", "88", "100", "188", "588", "888", "1888", "8888")),
        "pct": lambda: f"{random.choice((0.5, 1.2, 3, 10, 20, 30, 50, 68, 88, 95, 100, 200))}%",
        "n": lambda: str(random.randint(2, 999)),
        "wx": lambda: _letters(random, 2, 6) + str(random.randrange(10, 99999)),
        "qq": lambda: str(random.randrange(10**7, 10**10)),
        "phone": lambda: f"1{random.choice('3578')}{random.randrange(10**9):09d}",
    }


def expand(random: Random, slot: str, name: str) -> str:
    """Expand a random template of `slot`, and all slots in it; `name` is the brand."""
    makers, templates = _makers(random, name), _templates()

    def fill(match: re.Match[str]) -> str:
        key = match.group(1)
        return makers[key]() if key in makers else _SLOT.sub(fill, random.choice(templates[key]))

    return _SLOT.sub(fill, random.choice(templates[slot]))


def part_of(site: str) -> int:
    """Tell which part of the written lines goes into pages of a site."""
    return crc32(site.encode()) % SITE_PARTS


def dealt(lines: Sequence[Item], part: int) -> list[Item]:
    """Return one part of what was written: some are for `OWN_PART`, the others are dealt out to the sites' parts."""
    if part == OWN_PART:
        return list(lines[::OWN_STEP])
    return [line for number, line in enumerate(lines) if number % OWN_STEP][part::SITE_PARTS]


def written_lines(part: int) -> list[str]:
    """Return the lines of spam of one part."""
    return dealt(_templates()["written"], part)


def all_written_lines() -> list[str]:
    """Return all lines of spam that somebody wrote."""
    return list(_templates()["written"])


def spam_line(random: Random, part: int, name: str | None = None) -> str:
    """Give a line of spam: one of those written by hand, or one made on a random topic; one in four of these obfuscated."""
    if random.random() < WRITTEN_SHARE:
        return random.choice(written_lines(part))
    topic = random.choice(TOPICS)
    line = expand(random, topic, name or brand(random))
    if random.random() < 0.3:
        line += expand(random, topic, name or brand(random))
    return obfuscate(random, line) if random.random() < 0.25 else line


def obfuscate(random: Random, text: str) -> str:
    """Break up words as spammers do: full-width letters, separators between characters, emoji wedged in."""
    way = random.randrange(4)
    if way == 0:
        return text.translate({c: c + 0xFEE0 for c in range(0x30, 0x7B)})
    if way == 1:
        mark = random.choice(_NOISE)
        return mark.join(text) if len(text) < 25 else mark.join([text[:6], *text[6:12], text[12:]])
    if way == 2:
        return "".join(c + random.choice(_NOISE) if random.random() < 0.2 else c for c in text)
    return text.translate(str.maketrans("0123456789", random.choice(("〇一二三四五六七八九", "０①②③④⑤⑥⑦⑧⑨"))))


# ---------------------------------------------------------------- into a page

_HIDING = (
    "display:none", "display: none;", "visibility:hidden", "text-indent:-9999px", "position:absolute;left:-9999px",
    "font-size:0", "font-size:0px;line-height:0", "height:0;overflow:hidden", "position:absolute;top:-1000px",
)  # fmt: skip


def spam_markup(random: Random, part: int) -> list[str]:
    """Make one piece of spam as markup, as the list of its lines: a paragraph, several, a link list, a stuffed line."""
    name = brand(random)
    kind = random.choice(("paragraph", "paragraph", "paragraph", "paragraphs", "links", "stuffing"))
    if kind == "paragraph":
        return [spam_line(random, part, name)]
    if kind == "paragraphs":
        return [spam_line(random, part, name if random.random() < 0.5 else None) for _ in range(random.randint(2, 5))]
    if kind == "links":
        return [_anchor(random, brand(random) + expand(random, "tail", "")) for _ in range(random.randint(3, 14))]
    mark = random.choice((",", " ", "|", "_", "，", "、"))
    terms = [random.choice((name, brand(random), expand(random, "game", name))) for _ in range(random.randint(4, 14))]
    return [mark.join(term + expand(random, "tail", name) for term in terms)]


def _anchor(random: Random, text: str) -> str:
    return f'<a href="http://www.{_domain(random)}/">{text}</a>'


def inject_blocks(random: Random, html: str, part: int) -> str:
    """Write one to four pieces of spam into a page: between its lines, at its edges, after its end; a third hidden."""
    for _ in range(random.randint(1, 4)):
        html = _insert(random, html, _dress(random, spam_markup(random, part)))
    return html


def insert_paragraphs(random: Random, html: str, lines: Sequence[str]) -> str:
    """Write honest lines between the paragraphs of a page, one after another, as what they are."""
    body = re.search(r"<body[^<>]*>", html, re.I)
    gaps = [m.end() for m in _BETWEEN.finditer(html, body.end() if body else 0)]
    at = random.choice(gaps) if gaps else len(html)
    return html[:at] + "".join(f"<p>{escape(line)}</p>" for line in lines) + html[at:]


def _dress(random: Random, lines: list[str]) -> str:
    if random.random() < 0.3 and "<a" not in lines[0]:
        lines = [_anchor(random, line) for line in lines]
    tag = random.choice(("p", "p", "div", "br", "li", "td", "span"))
    if tag == "br":
        body = "<br>" + "<br>".join(lines) + "<br>"
    elif tag == "td":
        body = "<table><tr>" + "".join(f"<td>{line}</td>" for line in lines) + "</tr></table>"
    elif tag == "span":
        body = "<div>" + random.choice(("", " ", " | ", "&nbsp;")).join(lines) + "</div>"
    else:
        body = "".join(f"<{tag}>{line}</{tag}>" for line in lines)
    if random.random() < 0.35:
        hidden = random.choice(_HIDING)
        return (
            f'<div style="{hidden}">{body}</div>'
            if random.random() < 0.8
            else f'<marquee height="1" width="1">{body}</marquee>'
        )
    return (
        f'<div class="{random.choice(("", "content", "links", "footer", "ad", "box", "text"))}">{body}</div>'
        if tag == "li"
        else body
    )


_GAP = re.compile(r"(?:</(?:p|div|li|h1|h2|table|ul)>|<br\s*/?>)(?=\s*[^<\s]|\s*<(?:p|div|br|h\d|table|ul|a)\b)", re.I)
_BETWEEN = re.compile(r"(?:</p>|<br\s*/?>)(?=\s*(?:<p\b[^>]*>)?\s*[^<]{30})", re.I)  # paragraphs of an article


def _insert(random: Random, html: str, piece: str) -> str:
    body = re.search(r"<body[^<>]*>", html, re.I)
    start = body.end() if body else 0
    where = random.random()
    if where < 0.1:
        return html[:start] + piece + html[start:]
    if where < 0.25:
        return html + piece
    if where < 0.35:
        end = html.lower().rfind("</body")
        return html[:end] + piece + html[end:] if end >= 0 else html + piece
    between = [m.end() for m in _BETWEEN.finditer(html, start)] if where < 0.65 else []
    gaps = between or [m.end() for m in _GAP.finditer(html, start)]
    at = random.choice(gaps) if gaps else start
    return html[:at] + piece + html[at:]
