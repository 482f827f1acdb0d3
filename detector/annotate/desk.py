"""What lies on an annotator's desk: judged pages, what was answered, and what comes next.

Three queues: ``uncertain`` (what the model is least sure of), ``suspects`` (labels that a model fitted without their site
doubts) and ``disagreements`` (blocks that annotators labelled differently). Each shows a repeated block once a site.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain, islice
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detector.agreement import disagreements
from detector.answers import (
    Answer,
    Place,
    Span,
    append_answer,
    append_undo,
    latest,
    log_path,
    new_id,
    now,
    page_key,
    read_log,
)
from detector.blocks import RawPage
from detector.errors import InputError, LabelError
from detector.labeled import BlockLabel, LabeledPage, nth_of_hash, read_tables, save_page
from detector.labels import LABEL_NAMES
from detector.lexicon import Lexicon
from detector.model import Model
from detector.pipeline import PageVerdict, detect
from detector.repeats import block_hashes
from detector.sites import site_of

QUEUES = ("uncertain", "suspects", "disagreements")
KINDS = ("brand", "advert", "contact", "noise")  # of injected strings
# How much surer a block must be to be asked before one more block of a site that was asked already.
SPREAD = 0.05
_KIND = re.compile(r"\w{1,20}")
Report = Callable[[str], None]


class Spot(NamedTuple):
    """A block on the desk: its page's key and its number in the page."""

    page: str
    block: int


class Sheet(NamedTuple):
    """A page on the desk; `given` is what its table says of its blocks."""

    key: str
    site: str
    verdict: PageVerdict
    places: list[Place]
    texts: list[str]
    given: dict[Place, BlockLabel]

    @property
    def margins(self) -> NDArray[np.float32]:
        """Probability of the likeliest label less that of the next, float32 (n,)."""
        ranked = np.sort(self.verdict.proba, axis=1)
        margins: NDArray[np.float32] = ranked[:, -1] - ranked[:, -2]
        return margins


# ---------------------------------------------------------------- laying pages out


def lay_out(
    pages: Iterable[RawPage], folder: Path, model: Model, lexicon: Lexicon, on_loss: Report = lambda _: None
) -> Iterator[Sheet]:
    """Judge pages for the desk; what cannot be read, or stands there already, is told to `on_loss`.

    A page that is in the folder of labelled data has the site, URL and labels that its table gives it.
    """
    kept = {page_key(found.page.body): found for found in read_tables(folder)} if folder.is_dir() else {}
    chosen: dict[str, LabeledPage] = {}
    for page in pages:
        key = page_key(page.body)
        if page.problem:
            on_loss(f"{page.page_id}: {page.problem[1]} [{page.problem[0]}]")
        elif key in chosen:
            on_loss(f"{page.page_id}: the same page as {chosen[key].page.page_id}")
        else:
            chosen[key] = kept.get(key) or LabeledPage(page, _site(page), [])
    verdicts = detect((found.page for found in chosen.values()), model, lexicon=lexicon)
    for (key, found), verdict in zip(chosen.items(), verdicts, strict=True):
        if verdict.arrays is None:
            code, message = verdict.error or ("failed", "")
            on_loss(f"{verdict.page_id}: {message} [{code}]")
            continue
        hashes = block_hashes(verdict.arrays).tolist()
        places = [Place(key, digest, nth) for digest, nth in zip(hashes, nth_of_hash(hashes), strict=True)]
        given = {Place(key, row.hash, row.nth): row for row in found.labels}
        yield Sheet(key, found.site, verdict, places, verdict.arrays.texts(), given)


def _site(page: RawPage) -> str:
    """The registered domain of the page's URL, else the folder of its file, as in a folder of labelled data."""
    file = Path(page.page_id)
    return site_of(page.url) or (file.resolve().parent.name if file.is_file() else "unknown")


def least_certain(sheets: Iterable[Sheet], spread: float = SPREAD) -> list[Place]:
    """Put the blocks that no table labels in the order in which they are asked: least certain first, over many sites.

    Of a block that a site repeats the least certain copy is asked. The k-th block of a site waits as if the model were
    `spread` times k surer of it than it is.
    """
    asked: dict[tuple[str, int], tuple[float, Place]] = {}
    for sheet in sheets:
        for place, margin in zip(sheet.places, sheet.margins.tolist(), strict=True):
            block = (sheet.site, place.hash)
            if place not in sheet.given and (block not in asked or margin < asked[block][0]):
                asked[block] = margin, place
    ranked, of_site = [], Counter[str]()
    for (site, _), (margin, place) in sorted(asked.items(), key=lambda item: item[1]):
        ranked.append((margin + spread * of_site[site], place))
        of_site[site] += 1
    return [place for _, place in sorted(ranked)]


# ---------------------------------------------------------------- the desk


class Desk:
    """The pages before one annotator, and the log of the answers.

    Parameters
    ----------
    folder : Path
        Folder of labelled data; nothing is written outside it.
    annotator : str
    sheets : iterable of Sheet
    model : str
        Name and version of the model that judged the pages.
    find_suspects : callable
        Returns the places of doubted labels, most doubted first, with what is doubted; called when they are asked for.
    """

    def __init__(
        self, folder: Path, annotator: str, sheets: Iterable[Sheet], model: str,
        find_suspects: Callable[[], list[tuple[Place, str]]] = list,
    ) -> None:  # fmt: skip
        self.folder, self.annotator, self.model = folder, annotator, model
        self.path = log_path(folder, annotator)
        if not self.path.resolve().is_relative_to(folder.resolve()):
            raise InputError(f"{self.path}: leads out of {folder}")
        self.sheets = {sheet.key: sheet for sheet in sheets}
        if not self.sheets:
            raise InputError("no page that could be shown")
        self.spots = {place: Spot(s.key, i) for s in self.sheets.values() for i, place in enumerate(s.places)}
        self.copies: dict[tuple[str, int], list[Place]] = defaultdict(list)
        for place in self.spots:
            self.copies[self.sheets[place.page].site, place.hash].append(place)
        self._find_suspects, self._lock = find_suspects, Lock()
        self._saved = {page_key(found.page.body) for found in read_tables(folder)} if folder.is_dir() else set()
        self._logs: dict[Path, tuple[int, list[Answer]]] = {}
        self._refresh()

    def _refresh(self) -> None:
        """Take in what was written to the log, here, in a second window, or by pulling in a file."""
        self.answers = self._log(self.path) if self.path.exists() else []
        self.mine = latest(self.answers)

    # ------------------------------------------------------------ answering

    def answer(
        self, spot: Spot, label: str, spans: Sequence[Span], *, everywhere: bool = False, queue: str = ""
    ) -> Answer:
        """Write down what a block is; with `everywhere` this holds for its copies on all pages of the site.

        Raises
        ------
        LabelError
            If there is no such block, label or stretch of the block's text.
        """
        sheet, i = self._find(spot), spot.block
        place, text = sheet.places[i], sheet.texts[i]
        if label not in LABEL_NAMES:
            raise LabelError(f"no label {label!r}; there are {', '.join(LABEL_NAMES)}")
        said = sheet.verdict.label[i]
        guess = (LABEL_NAMES[said], round(float(sheet.verdict.proba[i, said]), 4))
        places = tuple(self.copies[sheet.site, place.hash]) if everywhere else (place,)
        answer = Answer(new_id(), now(), self.annotator, sheet.site, places, text, label, _checked(spans, text),
                        self.model, guess, queue)  # fmt: skip
        with self._lock:
            self._refresh()
            for key in dict.fromkeys(place.page for place in places):
                self._save(self.sheets[key])
            append_answer(self.path, answer)
            self._refresh()
        return answer

    def _save(self, sheet: Sheet) -> None:
        """Put a page into the folder before its first answer."""
        if sheet.key not in self._saved:
            save_page(self.folder, LabeledPage(sheet.verdict.page, sheet.site, []))
            self._saved.add(sheet.key)

    def undo(self) -> Answer | None:
        """Take back the annotator's last answer that still holds, also one of another day; None where there is none."""
        with self._lock:
            self._refresh()
            undone = self.answers[-1] if self.answers else None
            if undone:
                append_undo(self.path, undone)
                self._refresh()
        return undone

    def _find(self, spot: Spot) -> Sheet:
        sheet = self.sheets.get(spot.page)
        if sheet is None or not 0 <= spot.block < len(sheet.places):
            raise LabelError(f"no block {spot.block} of a page {spot.page!r}")
        return sheet

    # ------------------------------------------------------------ what comes next

    def queue(self, name: str) -> list[Place]:
        """Return the blocks of a queue, in the order in which they are asked, whether or not they were answered."""
        if name == "uncertain":
            return self._uncertain
        return [place for place in (self.doubts if name == "suspects" else self.disputed()) if place in self.spots]

    @cached_property
    def _uncertain(self) -> list[Place]:
        return least_certain(self.sheets.values())

    @cached_property
    def doubts(self) -> dict[Place, str]:
        """Return what is doubted of which labels; found once, when first asked for."""
        return dict(self._find_suspects())

    def disputed(self) -> dict[Place, list[Answer]]:
        """Return the blocks on which annotators disagree now, with their answers."""
        return disagreements({path.stem: self._log(path) for path in sorted(self.path.parent.glob("*.jsonl"))})

    def _log(self, path: Path) -> list[Answer]:
        """Read a log, again only where it has grown."""
        size = path.stat().st_size
        if self._logs.get(path, (-1, []))[0] != size:
            self._logs[path] = size, read_log(path)
        return self._logs[path][1]

    def left(self, name: str) -> int:
        """Return how many blocks of a queue wait for this annotator."""
        self._refresh()
        return sum(self._waits(place, name) for place in self.queue(name))

    def _waits(self, place: Place, queue: str) -> bool:
        """An uncertain block is done with any answer, the others when they were looked at again."""
        answer = self.mine.get(place)
        return answer is None or queue not in ("uncertain", answer.queue)

    def next(self, name: str, after: Spot | None = None) -> Spot | None:
        """Return the next waiting block of a queue behind the one given, from the start again after the last."""
        self._refresh()
        places = self.queue(name)
        current = self._find(after).places[after.block] if after else None
        start = places.index(current) + 1 if current in places else 0
        ahead = chain(islice(places, start, None), islice(places, start))
        found = next((place for place in ahead if place != current and self._waits(place, name)), None)
        return found and self.spots[found]

    # ------------------------------------------------------------ to be shown

    def overview(self) -> dict[str, Any]:
        """Return what the page shows around the blocks: who, with what, how far."""
        self._refresh()
        answered = Counter(place.page for place in self.mine)
        pages = [
            {
                "key": sheet.key, "id": sheet.verdict.page_id, "site": sheet.site, "title": sheet.verdict.arrays.titles[0],
                "blocks": len(sheet.places), "answered": answered[sheet.key], "given": len(sheet.given),
            }
            for sheet in self.sheets.values() if sheet.verdict.arrays
        ]  # fmt: skip
        return {
            "annotator": self.annotator, "model": self.model, "folder": str(self.folder), "labels": LABEL_NAMES,
            "kinds": KINDS, "queues": self.waiting(), "pages": pages,
        }  # fmt: skip

    def waiting(self) -> dict[str, int | None]:
        """Return how many blocks wait in each queue; None for suspects that nobody asked for yet."""
        known = {name: name != "suspects" or "doubts" in vars(self) for name in QUEUES}
        return {name: self.left(name) if known[name] else None for name in QUEUES}

    def page(self, key: str, queue: str = "") -> dict[str, Any]:
        """Return a page's blocks with all that is known of each.

        Others' answers are shown in the queue of disagreements only: everybody labels for himself.
        """
        sheet = self._find(Spot(key, 0))
        self._refresh()
        disputed = self.disputed() if queue == "disagreements" else {}
        doubts = self.doubts if queue == "suspects" else {}
        blocks = []
        for place, block, hidden in zip(sheet.places, sheet.verdict.blocks, _hidden(sheet), strict=True):
            given, mine = sheet.given.get(place), self.mine.get(place)
            blocks.append(
                {
                    "text": block.text, "tag": block.tag, "hidden": hidden, "guess": block.label,
                    "proba": [round(block.scores[name], 3) for name in LABEL_NAMES],
                    "copies": len(self.copies[sheet.site, place.hash]),
                    "suggested": [(span.start, span.end, span.kind) for span in block.spans],
                    "given": given and {"by": given.annotator, "label": given.label, "spans": given.spans},
                    "mine": mine and {"by": mine.by, "label": mine.label, "spans": mine.spans},
                    "said": [{"by": a.by, "label": a.label} for a in disputed.get(place, [])],
                    "doubt": doubts.get(place),
                }
            )  # fmt: skip
        page = sheet.verdict.page
        return {"key": key, "id": page.page_id, "site": sheet.site, "url": page.url, "blocks": blocks}


def _hidden(sheet: Sheet) -> list[bool]:
    assert sheet.verdict.arrays is not None
    hidden: list[bool] = sheet.verdict.arrays.hidden.tolist()
    return hidden


def _checked(spans: Sequence[Span], text: str) -> tuple[Span, ...]:
    """Return spans in their order; LabelError where they are not stretches of the text, or overlap."""
    place = 0
    for start, stop, kind in sorted(spans):
        if not _KIND.fullmatch(kind):
            raise LabelError(f"no kind of injected string: {kind!r}")
        if not place <= start < stop <= len(text):
            raise LabelError(f"{start}:{stop} is no stretch of the block, or overlaps another")
        place = stop
    return tuple(sorted(spans))
