"""One judged page as one file of HTML to look at: nothing in it runs, nothing is loaded, and it can be printed.

All scraped text is escaped; a policy in the file forbids scripts and everything that would be loaded, and there is no script
of our own. What can be folded and filtered is done by the style sheet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from importlib.resources import files
from itertools import groupby, zip_longest

import numpy as np
from numpy.typing import NDArray

from detector.labels import LABEL_NAMES, UNLABELED
from detector.pipeline import SUMMARY, TITLE, Block, PageVerdict, Span, body_copies
from detector.why import Why

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
HEAT_STEPS = (-1.0, 1.0, 3.0, 5.0)  # log odds from which a character is one tone warmer
FULL_BAR = 4.0  # log odds that fill a feature's bar
IN_WORDS = {
    "keep": "nothing to remove but what the site puts around it",
    "clean": "spam was found, and what is left is worth storing",
    "drop": "not worth storing",
    "spam_block": "blocks that are spam",
    "injected_span": "strings injected into sentences",
    "stuffed_title": "a string injected into the title",
    "stuffed_description": "spam in the page's description or keywords",
    "woven_noise": "noise woven into words",
    "body_twice": "a second copy of the body, left out of the text",
    "parse_loss": "text stood where parsers set it aside; read once more, or not read",
    "spam_page": "the page is spam itself",
    "no_article": "no article is left",
    "mojibake": "the text is beyond repair",
    "hidden": "hidden in the page",
    "copy": "has stood before, left out of the text",
}


def document(title: str, body: Iterator[str]) -> Iterator[str]:
    """Yield a file of HTML that runs and loads nothing, in the style of all that is made to be looked at."""
    style = (files("detector") / "view.css").read_text("utf-8")
    yield (
        f'<!doctype html>\n<html lang="zh">\n<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        f'<meta name="viewport" content="width=device-width">\n<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n"
    )
    yield from body


def write_view(
    page: PageVerdict, why: Sequence[Why] = (), *, judged_by: str = "", truth: NDArray[np.int8] | None = None
) -> Iterator[str]:
    """Yield a page's view, in pieces.

    Parameters
    ----------
    why : sequence of Why
        As `reasons_of` returns it; where it is empty, blocks cannot be unfolded.
    judged_by : str
        The model, for the reader.
    truth : int8 ndarray of shape (n,), optional
        What people said of the blocks, -1 for nothing: blocks that were judged otherwise are marked.
    """
    return document(f"{page.verdict} · {page.page_id}", _body(page, why, judged_by, truth))


def _body(page: PageVerdict, why: Sequence[Why], judged_by: str, truth: NDArray[np.int8] | None) -> Iterator[str]:
    blocks = page.blocks
    said = [UNLABELED] * len(blocks) if truth is None else truth.tolist()
    wrong = [label >= 0 and LABEL_NAMES[label] != block.label for label, block in zip(said, blocks, strict=True)]
    yield from _summary(page, blocks, judged_by, wrong)
    yield '<main class="blocks">\n'
    traits = _traits(page)
    for number, (block, reasons) in enumerate(zip_longest(blocks, why)):
        people = LABEL_NAMES[said[number]] if wrong[number] else ""
        yield _block(number, block, reasons, traits[number], people)
    yield "</main>\n"


def _traits(page: PageVerdict) -> list[list[str]]:
    """Tell of each block whether it is hidden in the page, and whether it has stood before in the body."""
    if page.arrays is None:
        return []
    copies = body_copies(page.arrays, page.label)
    rows = zip(page.arrays.hidden.tolist(), copies.tolist(), strict=True)
    return [["hidden"] * hidden + ["copy"] * copy for hidden, copy in rows]


# ---------------------------------------------------------------- the summary


def _summary(page: PageVerdict, blocks: list[Block], judged_by: str, wrong: list[bool]) -> Iterator[str]:
    title = page.arrays.titles[0] if page.arrays else ""
    facts = [page.page.url, _encoding(page), judged_by]
    yield f'<header>\n<p class="id">{_text(page.page_id)}</p>\n<h1><b class="{page.verdict}">{page.verdict}</b> {_text(title)}</h1>\n'
    yield f'<p class="reasons">{escape(_why_verdict(page))}</p>\n'
    yield f'<p class="facts">{" · ".join(_text(fact) for fact in facts if fact)}</p>\n'
    if page.error:
        yield f'<p class="error">{_text(page.error[1])}</p>\n'
    if blocks:
        yield from _map(blocks, wrong)
        yield _counts(blocks, sum(wrong))
        yield from _injected(page, blocks)
        yield f'<details class="text"><summary>Cleaned text, {len(page.text):,} characters</summary><pre>{escape(page.text)}</pre></details>\n'
    yield "</header>\n"
    if blocks:
        boxes = (f'<label><input type="checkbox" id="show-{name}" checked> {name}</label>' for name in LABEL_NAMES)
        every = '<label><input type="checkbox" id="show-why"> why, of all</label>'
        yield f'<form class="tools">{" ".join(boxes)} {every}</form>\n'


def _why_verdict(page: PageVerdict) -> str:
    reasons = [IN_WORDS.get(reason, reason) for reason in page.reasons if not page.error]
    return IN_WORDS[page.verdict] + (f": {', '.join(reasons)}" if reasons else "")


def _encoding(page: PageVerdict) -> str:
    if page.decoded is None:
        return ""
    lost = f", {page.decoded.replaced} characters lost" if page.decoded.replaced else ""
    return f"{page.decoded.name} ({page.decoded.source}{lost})"


def _map(blocks: list[Block], wrong: list[bool]) -> Iterator[str]:
    """Draw the page as a strip of its blocks, as wide as their text is long."""
    yield '<nav class="map" aria-label="blocks in reading order">'
    for number, block in enumerate(blocks):
        mark = " struck" * bool(block.spans) + " wrong" * wrong[number]
        yield f'<a class="{block.label}{mark}" style="flex-grow:{len(block.text)}" href="#b{number}" title="{number} {block.label}"></a>'
    yield "</nav>\n"


def _counts(blocks: list[Block], wrong: int) -> str:
    total = max(1, sum(len(block.text) for block in blocks))
    told = []
    for name in LABEL_NAMES:
        mine = [len(block.text) for block in blocks if block.label == name]
        told.append(f'<li class="{name}"><b>{name}</b> {len(mine):,} blocks, {sum(mine) / total:.0%} of the text</li>')
    more = f'<li class="wrong"><b>people disagree</b> on {wrong} of them</li>' if wrong else ""
    return f'<ul class="counts">{"".join(told)}{more}</ul>\n'


def _injected(page: PageVerdict, blocks: list[Block]) -> Iterator[str]:
    """List the injected strings, the same ones together, with links to where they stand."""
    if not page.spans or page.arrays is None:
        return
    whole = {TITLE: page.arrays.titles[0], SUMMARY: page.arrays.summaries[0]}

    def shown(span: Span) -> str:
        return (whole.get(span.block) or blocks[span.block].text)[span.start : span.end]

    ordered = sorted(page.spans, key=lambda span: (-span.score, shown(span), span.block))
    groups = {string: list(same) for string, same in groupby(sorted(ordered, key=shown), key=shown)}
    yield '<table class="strings"><caption>Injected strings</caption>\n'
    for string, same in sorted(groups.items(), key=lambda item: -len(item[1])):
        places = " ".join(dict.fromkeys(_place(span.block) for span in same))
        why = f"cue {_text(same[0].cue)}" if same[0].cue else "by its surroundings"
        yield f"<tr><td><mark>{_text(string)}</mark><td>{same[0].kind}<td>{cut_short(max(s.score for s in same), 3)}<td>{why}<td>{places}\n"
    yield "</table>\n"


def _place(block: int) -> str:
    return {TITLE: "title", SUMMARY: "description"}.get(block) or f'<a href="#b{block}">{block}</a>'


# ---------------------------------------------------------------- a block


def _block(number: int, block: Block, why: Why | None, traits: list[str], people: str) -> str:
    said = f"<b>{block.label}</b> {cut_short(block.scores[block.label])}{f'<br>people: {people}' if people else ''}"
    line = (
        f'<span class="number">{number}</span><span class="what">{_marked(block.text, block.spans)}</span>'
        f'<span class="said">{said}</span>'
    )
    names = " ".join(["block", block.label, *traits, *["wrong"] * bool(people)])
    kind = f'class="{names}" id="b{number}" style="--p:{block.scores[block.label]:.2f}"'
    if why is None:
        return f"<div {kind}><div>{line}</div></div>\n"
    return f'<details {kind}><summary>{line}</summary><div class="why">{"".join(_why(block, why, traits))}</div></details>\n'


def _why(block: Block, why: Why, traits: list[str]) -> Iterator[str]:
    place = [
        f"&lt;{escape(block.tag)}&gt;",
        f"line {block.line}" * bool(block.line),
        *(IN_WORDS[trait] for trait in traits),
    ]
    place.append(f"stands {block.repeats} times in the page" * (block.repeats > 1))
    scores = ", ".join(f"{name} {cut_short(score, 3)}" for name, score in block.scores.items())
    label, p = why.alone
    yield f"<p>{scores} · by itself it would be {label} {cut_short(p)} · {' · '.join(filter(None, place))}</p>"
    yield _features(why, block.label)
    if why.cues:
        cues = "".join(f"<li>{_text(cue.term)} <i>{cue.group} {cue.weight:g}</i>" for cue in why.cues)
        yield f'<p>Cues</p><ul class="cues">{cues}</ul>'
    yield from _heat(block, why)


def _features(why: Why, label: str) -> str:
    if not why.features:
        return "<p>No feature says much alone: many say the same.</p>"
    rows = []
    for name, value, strength in why.features:
        side = "for" if strength > 0 else "against"
        width = min(1.0, abs(strength) / FULL_BAR)
        bar = f'<i class="{side}" style="width:{width / 2:.1%}"></i>'
        rows.append(f"<tr><td>{name}<td>{_value(value)}<td><span class=bar>{bar}</span><td>{strength:+.1f}")
    return f'<table class="features"><caption>Speaks for {label} or against it, in log odds</caption>{"".join(rows)}</table>'


def _value(value: float) -> str:
    return "unknown" if np.isnan(value) else f"{value:.3g}"


def _heat(block: Block, why: Why) -> Iterator[str]:
    """Show how likely each character was injected, as tones; and what was nearly taken."""
    known = why.heat[np.isfinite(why.heat)]
    if not known.size:
        return
    tones = np.searchsorted(HEAT_STEPS, why.heat)
    if tones.max() == 0:
        yield f"<p>No character looks injected (the warmest {known.max():.1f} in log odds)</p>"
    else:
        yield f'<p>Heat of the characters, up to {known.max():.1f} in log odds</p><p class="heat">{_toned(block.text, tones.tolist())}</p>'
    if why.nearly:
        strings = (f"<li>{_text(block.text[o.start : o.end])} <i>{o.score:.2f}</i>" for o in why.nearly)
        yield f'<p>Looked at, not taken</p><ul class="cues">{"".join(strings)}</ul>'


def _toned(text: str, tones: list[int]) -> str:
    out, place = [], 0
    for tone, same in groupby(tones):
        size = len(list(same))
        piece = escape(text[place : place + size])
        out.append(f"<i class=h{tone}>{piece}</i>" if tone else piece)
        place += size
    return "<bdi>" + "".join(out) + "</bdi>"


def _marked(text: str, spans: list[Span]) -> str:
    out, place = [], 0
    for span in spans:
        mark = f'<mark title="{span.kind} {cut_short(span.score, 3)}">{escape(text[span.start : span.end])}</mark>'
        out += [escape(text[place : span.start]), mark]
        place = span.end
    return f"<bdi>{''.join(out)}{escape(text[place:])}</bdi>"


def _text(text: str) -> str:
    """Escape scraped text and keep its direction marks to itself."""
    return f"<bdi>{escape(text)}</bdi>"


def cut_short(score: float, digits: int = 2) -> str:
    """Show a probability; one that is nearly 1 does not come out as 1.

    Examples
    --------
    >>> cut_short(0.9987), cut_short(1.0), cut_short(0.9987, 3)
    ('0.99', '1.00', '0.998')
    """
    steps = 10**digits
    return f"{int(score * steps) / steps:.{digits}f}"
