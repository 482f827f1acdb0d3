"""Pages of a training corpus to labelled blocks: gold texts aligned, label tables tied, spam written in."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detector.align import align
from detector.augment import OWN_PART, dealt, inject_blocks, injected_string, insert_paragraphs, part_of, spam_line
from detector.blocks import Blocks, RawPage, concat
from detector.decode import decode
from detector.errors import InputError, PageError
from detector.inject import pick_target
from detector.labeled import BlockLabel, LabeledPage, nth_of_hash, tie
from detector.labels import UNLABELED, Label
from detector.pipeline import segment_page
from detector.repeats import block_hashes
from detector.rows import INJECTED, SENTENCE, SPAM_COPY, TEXT_COPY
from detector.segment import segment, segment_text
from detector.sentences import Document
from detector.sites import domain_of, host_of

NEAR_SPAM = 4  # blocks; farther from the spam, an injected copy only repeats what its original teaches
N_GENERAL, MIN_GENERAL, MAX_GENERAL = 3000, 15, 400  # lines of general text that are learned from, their characters
SPAM_COPIES = 2  # of a page, each with other spam; with four, more honest blocks of strange pages were called spam
MAX_ALIKE = 3  # honest documents that are put into a page beside spam
MIN_HEADLINE = 10  # characters of a link in a page's surroundings that is taken for a headline
MAX_HEADLINES, MAX_PARAGRAPHS = 3, 2  # of a page that are shown alone
MAX_EDGE = 6  # lines of chrome that an extractor leaves on each side of the article
MIN_GOLD_IN_PAGE = 0.9  # share of the gold text that the page must hold, where an index tells it


class Labeled(NamedTuple):
    """Blocks of a batch of pages with labels int8 (n,) and the site of each page."""

    blocks: Blocks
    label: NDArray[np.int8]
    sites: list[str]


class GoldPage(NamedTuple):
    """A page with the text of its article."""

    page: RawPage
    site: str
    gold: str


def concat_labeled(parts: list[Labeled]) -> Labeled:
    """Put labelled batches one after another."""
    return Labeled(
        concat([part.blocks for part in parts]), np.concatenate([part.label for part in parts]),
        [site for part in parts for site in part.sites],
    )  # fmt: skip


def read_gold(pages: Path, gold: Path, index: Path | None = None) -> Iterator[GoldPage]:
    """Read pages ``ID.html`` that have a gold text ``ID.txt``.

    Parameters
    ----------
    index : Path, optional
        JSON lines with ``id`` and, as far as known, ``url``, ``site``, ``domain``, ``gold_in_page``, ``near_dup_of``:
        near duplicates and pages that do not hold their gold are left out.
    """
    known = _read_index(index) if index else {}
    for path in sorted(pages.glob("*.html")):
        text = gold / f"{path.stem}.txt"
        about = known.get(path.stem, {})
        usable = about.get("gold_in_page", 1) >= MIN_GOLD_IN_PAGE and not about.get("near_dup_of")
        if text.is_file() and usable:
            page = RawPage(path.stem, path.read_bytes(), about.get("url"))
            site = about.get("domain") or domain_of(about.get("site") or host_of(page.url) or path.stem)
            yield GoldPage(page, site, text.read_text("utf-8"))


def _read_index(path: Path) -> dict[str, dict[str, Any]]:
    try:
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
        return {row["id"]: row for row in rows}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not an index of JSON lines ({error})") from error


def label_gold(found: GoldPage) -> tuple[Blocks, NDArray[np.int8]]:
    """Segment one page and label its blocks by its gold text."""
    blocks = segment_page(found.page).blocks
    return blocks, align(blocks, found.gold)


def label_tables(found: LabeledPage) -> tuple[Blocks, NDArray[np.int8], list[BlockLabel]]:
    """Segment one page and tie its labels; the third value is the labels that fit no block."""
    blocks = segment_page(found.page).blocks
    return blocks, *tie(blocks, found.labels)


def general_documents(lines: Sequence[str]) -> list[Document]:
    """Make documents of lines of running text, some thousand at random: they teach what else honest Chinese looks like."""
    usable = [line for line in lines if MIN_GENERAL <= len(line) <= MAX_GENERAL]
    chosen = Random(len(usable)).sample(usable, min(len(usable), N_GENERAL))
    return [Document(["", line], [[], []], "general") for line in chosen]


def with_spam(
    page: RawPage, blocks: Blocks, label: NDArray[np.int8], seed: str, part: int, honest: Sequence[Document] = ()
) -> tuple[Blocks, NDArray[np.int8]]:
    """Write spam into a copy of a labelled page; new blocks are spam, blocks that the insertion cut are unlabelled.

    `part` tells which of the written lines are used. In half of the copies a name is replaced by a brand as well; the
    blocks it stood in keep their labels. Beside the spam go some honest documents, if there are any: what is strange to a
    page and talks of the same things is not spam for that.
    """
    random, original = Random(seed), blocks
    html, host = decode(page.body, page.charset).text, host_of(page.url)
    if random.random() < 0.5:
        html, blocks = _with_brand(random, html, blocks, label, host)
    alike = random.sample(honest, min(len(honest), random.randint(1, MAX_ALIKE)))
    for document in alike:
        html = insert_paragraphs(random, html, document.texts[1:])
    changed = segment(inject_blocks(random, html, part), page_id=page.page_id + SPAM_COPY, host=host)
    inserted = segment_text("\n".join(text for document in alike for text in document.texts[1:]))
    known = dict.fromkeys(_keys(inserted), int(Label.CONTENT)) | dict(zip(_keys(blocks), label.tolist(), strict=True))
    new = np.array([known.get(key, Label.SPAM) for key in _keys(changed)], np.int8)
    near = np.convolve(new == Label.SPAM, np.ones(2 * NEAR_SPAM + 1))[NEAR_SPAM : NEAR_SPAM + len(new)] > 0
    near |= np.isin(
        block_hashes(changed), block_hashes(original), invert=True
    )  # what the brand changed, and what is honest
    return changed, np.where(_holds_old_text(changed, new, blocks) | ~near, UNLABELED, new).astype(np.int8)


def _amid_content(label: NDArray[np.int8], strange: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell of each block whether the nearest ones before and after it that are the page's own are both content."""
    own = np.flatnonzero(~strange & (label != Label.SPAM))
    if not len(own):
        return np.zeros(len(label), bool)
    place = np.searchsorted(own, np.arange(len(label)))
    before, after = own[np.maximum(place - 1, 0)], own[np.minimum(place, len(own) - 1)]
    amid: NDArray[np.bool_] = (label[before] == Label.CONTENT) & (label[after] == Label.CONTENT)
    return amid


def _with_brand(random: Random, html: str, blocks: Blocks, label: NDArray[np.int8], host: str) -> tuple[str, Blocks]:
    """Replace a name of the page everywhere in its markup; the page is left as it was where that changes its blocks."""
    target = pick_target(random, blocks.texts_of(np.flatnonzero(label == Label.CONTENT)))
    if len(target) < 2:
        return html, blocks
    changed = html.replace(target, injected_string(random))
    again = segment(changed, page_id=blocks.page_ids[0], host=host)
    return (changed, again) if len(again) == len(blocks) else (html, blocks)


def _holds_old_text(changed: Blocks, label: NDArray[np.int8], blocks: Blocks) -> NDArray[np.bool_]:
    """Tell which new blocks are only pieces of old ones, or old ones with spam run into them."""
    out = np.zeros(len(changed), bool)
    for i in np.flatnonzero(label == Label.SPAM).tolist():
        text = changed.texts(i, i + 1)[0]
        out[i] = text in blocks.text or any(old in text for old in blocks.texts() if len(old) >= 8)
    return out


def _keys(blocks: Blocks, first: int = 0, last: int | None = None) -> list[tuple[int, int]]:
    """Hash and number among equals of each block, from `first` to `last`."""
    hashes = block_hashes(blocks)[first:last].tolist()
    return list(zip(hashes, nth_of_hash(hashes), strict=True))


def as_text(blocks: Blocks, label: NDArray[np.int8], seed: str) -> tuple[Blocks, NDArray[np.int8]]:
    """Make a plain-text copy of a labelled page, as text corpora hold it: the article with some lines around it.

    One copy in four is the whole page; of the others, up to `MAX_EDGE` lines of chrome are left on each side. Half of the
    copies lose the page's title.
    """
    random = Random(seed)
    content = np.flatnonzero(label != Label.CHROME)
    first, last = 0, len(blocks)
    if len(content) and random.random() < 0.75:
        first = max(0, int(content[0]) - random.randint(0, MAX_EDGE))
        last = min(last, int(content[-1]) + 1 + random.randint(0, MAX_EDGE))
    title = blocks.titles[0] if random.random() < 0.5 else ""
    text = segment_text("\n".join(blocks.texts(first, last)), page_id=blocks.page_ids[0] + TEXT_COPY, title=title)
    known = dict(zip(_keys(blocks, first, last), label[first:last].tolist(), strict=True))
    return text, np.array([known.get(key, UNLABELED) for key in _keys(text)], np.int8)


def single_lines(blocks: Blocks, label: NDArray[np.int8], seed: str) -> Iterator[Blocks]:
    """Make plain-text pages of one line each, as lists of headlines and lines of corpora come: all of them content.

    They are the page's title, headlines that it links to, and paragraphs.
    """
    random = Random(seed)
    linked = (label == Label.CHROME) & (blocks.n_chars >= MIN_HEADLINE) & (blocks.link_chars == blocks.n_chars)
    chosen = [
        number for mask, most in ((linked, MAX_HEADLINES), (label == Label.CONTENT, MAX_PARAGRAPHS))
        for number in random.sample(np.flatnonzero(mask).tolist(), min(most, int(mask.sum())))
    ]  # fmt: skip
    lines = [title for title in blocks.titles if title] + blocks.texts_of(np.array(chosen, np.int64))
    for number, line in enumerate(lines):
        yield segment_text(line, page_id=f"{blocks.page_ids[0]}.{number}{TEXT_COPY}")


def _copies(
    page: RawPage, blocks: Blocks, label: NDArray[np.int8], part: int, honest: Sequence[Document]
) -> Iterator[tuple[Blocks, NDArray[np.int8]]]:
    """Yield the copies of a labelled page that are made for training."""
    if page.media_type != "text/html":
        return
    alike = dealt(honest, part)
    named = [page._replace(page_id=f"{page.page_id}.{n}") for n in range(SPAM_COPIES)]
    spammed = [with_spam(copy, blocks, label, copy.page_id, part, alike) for copy in named]
    yield from spammed
    source = spammed[0] if Random(page.page_id).random() < 0.3 else (blocks, label)
    yield as_text(*source, page.page_id)
    for line in single_lines(blocks, label, page.page_id):
        yield line, np.full(len(line), Label.CONTENT, np.int8)


def sentence_pages(documents: Sequence[Document]) -> Labeled:
    """Make plain-text pages of sentences: content, whatever was injected into them, and half of them beside spam."""
    random, parts = Random(len(documents)), []
    for number, document in enumerate(documents):
        lines = [(text, Label.CONTENT) for text in document.texts[1:] if text]
        for _ in range(random.choice((0, 0, 1, 2))):
            lines.insert(random.randint(0, len(lines)), (spam_line(random, OWN_PART), Label.SPAM))
        kind = INJECTED if any(document.spans) else SENTENCE
        title, page_id = document.texts[0], f"{kind}{number}{TEXT_COPY}"
        blocks = segment_text("\n".join(text for text, _ in lines), page_id=page_id, title=title)
        parts.append(Labeled(blocks, np.array([label for _, label in lines], np.int8), [document.group]))
        alone = segment_text(spam_line(random, OWN_PART), page_id=f"spam:{number}{TEXT_COPY}")
        parts.append(Labeled(alone, np.full(len(alone), Label.SPAM, np.int8), [document.group]))
    return concat_labeled(parts)


def gather(
    found: Iterator[GoldPage] | Iterator[LabeledPage],
    *,
    augment: bool = True,
    honest: Sequence[Document] = (),
    on_page: Callable[[str], None] = lambda _: None,
    on_loss: Callable[[str], None] = lambda _: None,
) -> Labeled:
    """Label all pages, with an injected copy of each where `augment` says so.

    Parameters
    ----------
    honest : sequence of Document
        Look-alikes of spam, to be written into the copies as well.
    on_page, on_loss : callable
        Told each page's id, and each page or label that had to be left out.
    """
    parts = []
    for item in found:
        on_page(item.page.page_id)
        try:
            if isinstance(item, GoldPage):
                part, (blocks, label) = part_of(item.site), label_gold(item)
            else:
                part = OWN_PART
                blocks, label, lost = label_tables(item)
                for row in lost:
                    on_loss(
                        f"{item.page.page_id}: no block any more for {row.label} label {row.hash:016x} {row.text[:30]}"
                    )
        except PageError as error:
            on_loss(f"{item.page.page_id}: {error}")
            continue
        parts.append(Labeled(blocks, label, [item.site]))
        if augment:
            parts += [Labeled(*copy, [item.site]) for copy in _copies(item.page, blocks, label, part, honest)]
    if not parts:
        raise InputError("no labelled pages found")
    return concat_labeled(parts)
