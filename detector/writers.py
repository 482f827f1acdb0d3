"""Verdicts to lines of output."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from detector.pipeline import PageVerdict

SCORE_DIGITS = 4


def record_of(page: PageVerdict, *, with_blocks: bool = True) -> dict[str, Any]:
    """Return one page's result as the contract lays it down."""
    decoded = page.decoded
    encoding = decoded and {"name": decoded.name, "source": decoded.source, "replaced": decoded.replaced}
    record: dict[str, Any] = {
        "id": page.page_id, "url": page.page.url, "site": page.site, "verdict": page.verdict,
        "reasons": page.reasons, "text": page.text, "encoding": encoding,
    }  # fmt: skip
    if with_blocks:
        record["blocks"] = [_block_record(block._asdict()) for block in page.blocks]
    record["error"] = page.error and dict(zip(("code", "message"), page.error, strict=True))
    return record


def _block_record(block: dict[str, Any]) -> dict[str, Any]:
    scores = {name: round(value, SCORE_DIGITS) for name, value in block["scores"].items()}
    return block | {"scores": scores, "spans": [_span_record(span._asdict()) for span in block["spans"]]}


def _span_record(span: dict[str, Any]) -> dict[str, Any]:
    span.pop("block")
    return span | {"score": round(span["score"], SCORE_DIGITS)}


def write_jsonl(pages: Iterable[PageVerdict], with_blocks: bool = True) -> Iterator[str]:
    """Yield one JSON line a page."""
    for page in pages:
        yield json.dumps(record_of(page, with_blocks=with_blocks), ensure_ascii=False) + "\n"


def write_text(pages: Iterable[PageVerdict], _: bool = True) -> Iterator[str]:
    """Yield the cleaned text of each page, an empty line between pages."""
    for number, page in enumerate(pages):
        yield ("\n" if number else "") + page.text + ("\n" if page.text else "")


_STYLE = """body{font:16px/1.6 system-ui,"Noto Sans CJK SC","WenQuanYi Micro Hei",sans-serif;max-width:60em;margin:2em auto;padding:0 1em;
color:#222;background:#fff}h2{font-size:1.1em;border-bottom:1px solid #ccc;margin-top:2em}p{margin:.15em 0;padding:.1em .6em;border-left:4px solid}
.content{border-color:#2a7f3f}.chrome{border-color:#bbb;color:#888;font-size:.85em}.spam{border-color:#c22;background:#fdecec}
mark{background:#ffc9c9;text-decoration:line-through}
@media(prefers-color-scheme:dark){body{background:#161616;color:#ddd}.spam{background:#3a1616}.chrome{color:#888}mark{background:#7a2222;color:#fff}}"""


def write_html(pages: Iterable[PageVerdict], _: bool = True) -> Iterator[str]:
    """Yield one page of HTML that shows every block in the colour of its label; the scraped text is escaped."""
    yield f'<!doctype html><html lang="zh"><meta charset="utf-8"><title>detector</title><style>{_STYLE}</style>\n'
    for page in pages:
        why = ", ".join(page.reasons)
        yield f"<h2>{html.escape(page.page_id)} · {page.verdict}{' · ' + html.escape(why) if why else ''}</h2>\n"
        if page.error:
            yield f"<p class=spam>{html.escape(page.error[1])}</p>\n"
        for block in page.blocks:
            score = block.scores[block.label]
            yield f'<p class={block.label} title="{block.label} {score:.2f} &lt;{block.tag}&gt;">{_marked(block.text, block.spans)}</p>\n'


def _marked(text: str, spans: list[Any]) -> str:
    out, place = [], 0
    for span in spans:
        out += [html.escape(text[place : span.start]), f"<mark>{html.escape(text[span.start : span.end])}</mark>"]
        place = span.end
    return "".join(out) + html.escape(text[place:])


WRITERS: dict[str, Callable[[Iterable[PageVerdict], bool], Iterator[str]]] = {
    "jsonl": write_jsonl,
    "text": write_text,
    "html": write_html,
}
