"""A scraped page to look at: its own markup, with the blocks marked, and nothing in it that could run or call home.

The page is written anew from the tokens that `segment` reads, so the marks stand where its blocks do. What is left of
it are elements and looks; a browser is told besides (`POLICY`) that it may neither run nor fetch anything.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from detector.segment import BREAKING_VOID, INLINE, VOID, markup_tokens

MARK, FURTHER = "block-", "further-"  # begin the id of a block's first piece and the class of its others
# For the header of that name: no script, no request, no form, no way out of the frame.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'self'; sandbox"
)

_ATTRIBUTE = re.compile(r'\s([^\s="<>]+)="([^"<>]*)"')
_NAME = re.compile(r"[a-z][a-z0-9]*")
_DATA_IMAGE = re.compile(r"data:image/(?:png|jpe?g|gif|webp|bmp)[;,]", re.I)
_FURTHER = re.compile(rf'<block-mark class="\w+ {FURTHER}(\d+)"')
_IMPORT = re.compile(r"@import\b[^;]*;?", re.I)
_FETCHED = re.compile(r"(?:url|image-set)\s*\((?!\s*[\"']?data:)[^)]*\)?", re.I)
_STYLE = re.compile(r"<style\b[^<>]*>([^<]*)</style", re.I)
# Elements that are left out, with what they fetch or do; what stands inside them is kept.
_DROPPED = frozenset(
    "applet audio base basefont bgsound body button dialog embed frame frameset head html input keygen link meta noscript "
    "object param plaintext portal source title track video"
    .split()
)  # fmt: skip
_KEPT_ATTRIBUTES = frozenset(
    "align alt bgcolor border cellpadding cellspacing class color colspan dir face height hidden id lang nowrap rowspan "
    "size style title valign width"
    .split()
)  # fmt: skip

_LOOKS = """html{background:#fff;color:#111;font:15px/1.6 system-ui,"Noto Sans CJK SC","WenQuanYi Micro Hei",sans-serif}
body{margin:12px}a{color:#1a4f9c;text-decoration:underline}
block-mark{border-radius:2px;box-shadow:0 2px 0 rgb(var(--tone)/var(--p))}
block-mark.content{--tone:28 134 74}block-mark.chrome{--tone:130 130 140}
block-mark.spam{--tone:214 40 40;background:rgb(214 40 40/.16)}
block-mark{scroll-margin:35vh 0}"""
_TARGET = "{outline:2px solid #e08a00;outline-offset:2px;background:#ffefb8!important;color:#111!important}"


class Mark(NamedTuple):
    """How a block is marked: the name of its label, and how likely that is."""

    label: str
    p: float


def render(markup: str, marks: Sequence[Mark]) -> str:
    """Write a page anew with its blocks marked.

    Parameters
    ----------
    markup : str
        Decoded markup, as it went to `segment`.
    marks : sequence of Mark, one for each block

    Returns
    -------
    str
        A whole document; serve it under `POLICY`.
    """
    styles = "".join(f"<style>{_quiet(css)}</style>" for css in _STYLE.findall(markup))
    body = "".join(_pieces(markup, marks))
    several = sorted(set(map(int, _FURTHER.findall(body))))  # blocks of more than one piece
    rules = "".join(f"html:has(#{MARK}{n}:target) .{FURTHER}{n}{_TARGET}" for n in several)
    return _document(styles, f"{body}<style>{rules}</style>")


def render_text(text: str, marks: Sequence[Mark]) -> str:
    """Write plain text as a page, its lines marked as the blocks they are."""
    numbers = iter(range(len(marks)))
    lines = (
        _marked(html.escape(line), n := next(numbers), marks[n], first=True) if line and not line.isspace() else ""
        for line in text.splitlines()
    )
    return _document("", "".join(f"<div>{line}&nbsp;</div>" for line in lines))


def _document(styles: str, body: str) -> str:
    looks = f"<style>{_LOOKS}block-mark:target{_TARGET}</style>"
    return f'<!doctype html><html lang="zh"><meta charset="utf-8"><title>page</title>{styles}{looks}<body>{body}'


def _pieces(markup: str, marks: Sequence[Mark]) -> Iterator[str]:
    number, inside = -1, False
    for _, slash, tag, attributes, text in markup_tokens(markup):
        if tag and (tag in BREAKING_VOID or (tag not in VOID and tag not in INLINE)):
            inside = False
        if tag:
            yield _tag(slash, tag, attributes)
        if not text:
            continue
        if html.unescape(text).isspace():
            yield text
            continue
        number += not inside
        yield _marked(text, number, marks[number], first=not inside)
        inside = True


def _marked(escaped: str, number: int, mark: Mark, *, first: bool) -> str:
    name = f'id="{MARK}{number}" class="{mark.label}"' if first else f'class="{mark.label} {FURTHER}{number}"'
    return f'<block-mark {name} style="--p:{mark.p:.2f}">{escaped}</block-mark>'


def _tag(slash: str, tag: str, attributes: str) -> str:
    if tag in _DROPPED or not _NAME.fullmatch(tag):
        return ""
    return f"<{slash}{tag}{'' if slash else _kept(tag, attributes)}>"


def _kept(tag: str, attributes: str) -> str:
    found = [(name.lower(), value) for name, value in _ATTRIBUTE.findall(attributes)]
    kept = {name: value for name, value in found if name in _KEPT_ATTRIBUTES}
    if kept.get("id", "").startswith(MARK):
        del kept["id"]
    source = dict(found).get("src", "")
    if "style" in kept:
        kept["style"] = _quiet(kept["style"])
    if tag == "img" and _DATA_IMAGE.match(source):
        kept["src"] = source
    return "".join(f' {name}="{value}"' for name, value in kept.items())


def _quiet(css: str) -> str:
    """Take out of a style what it would fetch; the policy forbids it, and this spares the browser the asking."""
    return _FETCHED.sub("none", _IMPORT.sub("", css))
