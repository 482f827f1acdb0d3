"""Verdicts on the pages of a file to findings with their places in it."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

import numpy as np

from detector.blocks import RawPage
from detector.chars import code_points
from detector.decode import without_surrogates
from detector.findings import Finding, fingerprint, printable, shown
from detector.labels import Label
from detector.lexicon import GROUPS, Lexicon
from detector.mojibake import garbled_share, misread
from detector.pipeline import SUMMARY, TITLE, PageVerdict, Span, body_copies
from detector.readers import READERS, Fields, format_of, read_file, read_records, sniff
from detector.whereabouts import Bounds, Line, Whereabouts

Judge = Callable[[Iterable[RawPage]], Iterator[PageVerdict]]

NO_FAULT = ("empty", "no_text", "no_page")  # where nothing is said, nothing is wrong
SPAM_GROUPS = ("gambling", "brand", "porn", "finance", "contact", "goods", "root", "tail")
CHROME_GROUPS = ("byline", "share", "navigation", "related", "comment", "legal", "app")
BY_SURROUNDINGS = "by its surroundings"
SURE_CHROME = 0.98  # score from which a line is chrome though no cue names it
SCORE_STEPS = 1000  # of a score that is shown


def examine_file(
    path: str, judge: Judge, lexicon: Lexicon, fields: Fields, kind: str | None, body: bytes | None = None
) -> list[Finding]:
    """Judge the pages of a file and return what is wrong with them, in the order of their places.

    Parameters
    ----------
    judge : callable
        Takes pages and yields verdicts in their order, as `detect` does.
    kind : {"html", "text", "jsonl"}, optional
        What the file is, whatever it is called.
    body : bytes, optional
        What the file is taken to hold.
    """
    kind = kind or format_of(Path(path)) or (sniff(body[:512]) if body else None)
    found: list[Finding] = []
    for page, line in _judged(_pages(path, fields, kind, body), judge):
        found += examine(_Page(page, path, line, fields, kind, lexicon))
    return sorted(_unreadable_once(found), key=lambda f: (f.line, f.column, f.code))


def _pages(path: str, fields: Fields, kind: str | None, body: bytes | None) -> Iterator[tuple[RawPage, Line | None]]:
    """Yield the pages of a file with the lines they were read from."""
    at: Line | None = None

    def records(stream: IO[bytes], name: str, fields: Fields) -> Iterator[RawPage]:
        nonlocal at
        try:
            for number, line, page in read_records(stream, name, fields):
                at = number, line
                yield page
        finally:  # a page that follows, as one that says where the file broke off, stands in no line
            at = None

    readers = READERS | {"jsonl": records}
    if body is None:
        pages = read_file(Path(path), fields, kind, readers)
    else:
        pages = readers[kind or "html"](io.BytesIO(body), without_surrogates(str(Path(path))), fields)
    for page in pages:
        yield page, at


def _judged(pages: Iterable[tuple[RawPage, Line | None]], judge: Judge) -> Iterator[tuple[PageVerdict, Line | None]]:
    """Send pages through `judge`, which reads some ahead, and put each verdict beside its line again."""
    waiting: deque[Line | None] = deque()

    def alone() -> Iterator[RawPage]:
        for page, line in pages:
            waiting.append(line)
            yield page

    for verdict in judge(alone()):
        yield verdict, waiting.popleft()


def examine(page: _Page) -> list[Finding]:
    """Return what is wrong with one page."""
    if page.judged.error:
        return page.unreadable(*page.judged.error)
    kinds = (page.injected, page.spam, page.spam_page, page.chrome, page.copies, page.mojibake)
    return [finding for kind in kinds for finding in kind()]


class _Page:
    """One page while its findings are gathered; places are worked out only where there is something to place."""

    def __init__(
        self, judged: PageVerdict, path: str, line: Line | None, fields: Fields, kind: str | None, lexicon: Lexicon
    ) -> None:
        self.judged = judged
        self.path = path
        self.name = without_surrogates(str(Path(path)))  # as the readers have it
        self.lexicon = lexicon
        self.where = Whereabouts(judged, line, fields, kind)
        self.texts = self.where.texts
        self.plain = self.where.plain

    # ------------------------------------------------------------ what is wrong

    def unreadable(self, code: str, message: str) -> list[Finding]:
        if code in NO_FAULT:
            return []
        said = message.removeprefix(f"{self.name}:{self.where.first_line}: ").removeprefix(f"{self.name}: ")
        return [self._finding("RED001", f"{said} [{code}]", code, "", None, None)]

    def injected(self) -> Iterator[Finding]:
        for span in self.judged.spans:
            text = self._text_of(span)
            why = f"cue {span.cue}" if span.cue else BY_SURROUNDINGS
            where = {TITLE: " in the title", SUMMARY: " in the page's description"}.get(span.block, "")
            said = f"injected {shown(text)}{where} ({span.kind}, {_score(span.score)}, {printable(why)})"
            bounds = self.where.of_span(span, text)
            yield self._finding("INJ001", said, text, why, span.score, bounds, bounds if self.plain else None)

    def spam(self) -> Iterator[Finding]:
        for i in np.flatnonzero(self.judged.label == Label.SPAM).tolist():
            yield self._block("SPM001", "spam block", i, Label.SPAM, SPAM_GROUPS, self.where.of_line(i))

    def chrome(self) -> Iterator[Finding]:
        """Pages have chrome around their articles; in text that was scraped from them it is left over.

        Rows of tables and lists of names look like chrome in plain text, so a cue must name it or nothing speak against it.
        """
        if self.plain:
            for i in np.flatnonzero(self.judged.label == Label.CHROME).tolist():
                found = self._block("BLR001", "chrome left in text", i, Label.CHROME, CHROME_GROUPS, None)
                if found.why != BY_SURROUNDINGS or (found.score or 0) >= SURE_CHROME:
                    yield found

    def spam_page(self) -> Iterator[Finding]:
        if "spam_page" in self.judged.reasons:
            label, sizes = self.judged.label, np.array([len(text) for text in self.texts])
            spam, content = (int(sizes[label == kind].sum()) for kind in (Label.SPAM, Label.CONTENT))
            text, first = "\n".join(self.texts), int((label == Label.SPAM).argmax())
            score = float(self.judged.proba[:, Label.SPAM].max())
            why = self._cue(" ".join(self.texts[i] for i in np.flatnonzero(label == Label.SPAM)), SPAM_GROUPS)
            said = f"spam page: {spam} characters of spam, {content} of article, {shown(self.texts[first])}"
            said += f" ({_score(score)}, {printable(why)})"
            yield self._finding("SPM002", said, text, why, score, self.where.of_block(first))

    def copies(self) -> Iterator[Finding]:
        assert self.judged.arrays is not None
        if "body_twice" in self.judged.reasons:
            again = np.flatnonzero(body_copies(self.judged.arrays, self.judged.label)).tolist()
            text = "\n".join(self.texts[i] for i in again)
            said = f"body stands twice: {len(again)} blocks from {shown(self.texts[again[0]])} on have stood before"
            yield self._finding("DUP001", said, text, "stands before", None, self.where.of_block(again[0]))

    def mojibake(self) -> Iterator[Finding]:
        read = [(i, again) for i, text in enumerate(self.texts) if (again := misread(text))]
        lost = [i for i, text in enumerate(self.texts) if "\ufffd" in text or (garbled_share(text) and not read)]
        if lost and "mojibake" in self.judged.reasons:
            share, first = garbled_share("".join(self.texts)), lost[0]
            said = f"mojibake: {share:.0%} of the text is characters that could not be read, {shown(self.texts[first])}"
            yield self._finding("ENC001", said, self.texts[first], "lost characters", None, self.where.of_block(first))
            return
        for i, again in read[:1]:
            said = f"mojibake: {shown(self.texts[i])} is UTF-8 read as {again.taken_for}, it says {shown(again.text)}"
            more = f"; {len(read)} blocks" if len(read) > 1 else ""
            yield self._finding("ENC001", said + more, self.texts[i], again.taken_for, None, self.where.of_block(i))

    # ------------------------------------------------------------ one finding

    def _block(self, code: str, what: str, i: int, label: Label, groups: Sequence[str], cut: Bounds | None) -> Finding:
        text, score = self.texts[i], float(self.judged.proba[i, label])
        why = self._cue(text, groups)
        said = f"{what} {shown(text)} ({_score(score)}, {printable(why)})"
        return self._finding(code, said, text, why, score, self.where.of_block(i), cut)

    def _finding(
        self, code: str, message: str, text: str, why: str, score: float | None, bounds: Bounds | None,
        cut: Bounds | None = None,
    ) -> Finding:  # fmt: skip
        record = self._record()
        message += f" in record {printable(record)}" if record else ""
        return Finding(
            self.path, *self.where.position(bounds), code, message, record, "" if code == "RED001" else text,
            None if score is None else _cut(score), why, fingerprint(code, text), cut,
        )  # fmt: skip

    def _record(self) -> str | None:
        """Return a record's id; None for a page that is the whole file, '' for a record without an id."""
        page_id = self.judged.page_id
        if page_id == self.name:
            return None
        return "" if page_id == f"{self.name}:{self.where.first_line}" else page_id

    def _text_of(self, span: Span) -> str:
        assert self.judged.arrays is not None
        whole = {TITLE: self.judged.arrays.titles[0], SUMMARY: self.judged.arrays.summaries[0]}.get(span.block)
        return (self.texts[span.block] if whole is None else whole)[span.start : span.end]

    def _cue(self, text: str, groups: Sequence[str]) -> str:
        """Name the cue of most weight for one of some groups, the longest of equals."""
        columns = [GROUPS.index(group) for group in groups]
        hits = [
            (float(self.lexicon.weight[term, columns].max()), stop - start, -start)
            for term, start, stop in self.lexicon.find(code_points(text)).tolist()
        ]
        weight, size, start = max(hits, default=(0.0, 0, 0))
        return f"cue {text[-start : size - start]}" if weight > 0 else BY_SURROUNDINGS


def _cut(score: float) -> float:
    """Cut a score short: one that is nearly 1 must not come out as 1."""
    return int(score * SCORE_STEPS) / SCORE_STEPS


def _score(score: float) -> str:
    return f"score {_cut(score):.3f}"


def _unreadable_once(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Name each reason for which records cannot be read once, with how many there are: one field may be in none."""
    first: dict[str, Finding] = {}
    times: dict[str, int] = {}
    for finding in findings:
        if finding.code != "RED001":
            yield finding
            continue
        first.setdefault(finding.fingerprint, finding)
        times[finding.fingerprint] = times.get(finding.fingerprint, 0) + 1
    for key, finding in first.items():
        more = f" (and {times[key] - 1} more records)" if times[key] > 1 else ""
        yield finding._replace(message=finding.message + more)
