"""Pages to rows of a crawl: some at a time are judged in a guarded child; a row keeps its caller's columns.

A page gives the same row whatever stands beside it, to the last bit, so the rows of a run do not depend on the number of
its workers, on where it was stopped, or on whether a cluster did the work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from detector.blocks import RawPage
from detector.errors import PageError
from detector.guard import MEMORY, SECONDS, Died, Guard
from detector.labels import DEFAULT_POLICY
from detector.pipeline import detect, failed
from detector.readers import Fields
from detector.writers import record_of

if TYPE_CHECKING:
    from pathlib import Path

HANDFUL = 32  # pages, or
HANDFUL_SIZE = 2 << 20  # bytes of markup, after which a handful is sent
Row = dict[str, Any]
Tag = TypeVar("Tag")
OURS = (
    "id",
    "url",
    "site",
    "verdict",
    "reasons",
    "text",
    "encoding",
    "error",
)  # columns of every row, as of `record_of`


class Judging(NamedTuple):
    """How pages are judged: names of a model and files, a policy, and what a page may take."""

    model: str | None = None
    policy: str = DEFAULT_POLICY
    cues: tuple[Path, ...] = ()
    sites: Path | None = None
    seconds: float = SECONDS
    memory: int = MEMORY

    def guard(self, workers: int = 1) -> Guard[RawPage, Row]:
        """Start guarded children that judge pages."""
        arguments = self.model, self.policy, self.cues, self.sites
        return Guard(load_judge, arguments, workers=workers, seconds=self.seconds, memory=self.memory)


DEFAULT_JUDGING = Judging()


def load_judge(
    model: str | None, policy: str, cues: tuple[Path, ...], sites: Path | None
) -> Callable[[list[RawPage]], list[Row]]:
    """Load everything that judging needs; return what judges pages."""
    from detector.judge import tokenizer
    from detector.lexicon import load_lexicon
    from detector.model import load_model
    from detector.repeats import load_repeats

    loaded, lexicon = load_model(model).under(policy), load_lexicon(cues)
    repeats = load_repeats(sites) if sites else None
    tokenizer()  # its dictionary takes a second to read, which each child would pay

    def judge(pages: list[RawPage]) -> list[Row]:
        verdicts = detect(pages, loaded, lexicon=lexicon, repeats=repeats)
        return [record_of(verdict, with_blocks=False) for verdict in verdicts]

    return judge


def judge_all(
    guard: Guard[RawPage, Row], pages: Iterable[tuple[Tag, RawPage]], fields: Fields
) -> Iterator[tuple[Tag, Row]]:
    """Yield a row for each page, in input order; a page that ended its child is a row that says so."""
    for kept, answers in guard.map(_handfuls(pages)):
        for (tag, page), answer in zip(kept, answers, strict=True):
            yield tag, row_of(answer, page, fields)


def _handfuls(pages: Iterable[tuple[Tag, RawPage]]) -> Iterator[tuple[list[tuple[Tag, RawPage]], list[RawPage]]]:
    """Gather pages: what is kept of each while it is judged, and what is sent."""
    kept: list[tuple[Tag, RawPage]] = []
    sent: list[RawPage] = []
    size = 0
    for tag, page in pages:
        kept.append((tag, page._replace(body=b"")))
        sent.append(page._replace(columns={}))
        size += len(page.body)
        if len(sent) == HANDFUL or size >= HANDFUL_SIZE:
            yield kept, sent
            kept, sent, size = [], [], 0
    if sent:
        yield kept, sent


def row_of(answer: Row | Died, page: RawPage, fields: Fields) -> Row:
    """Put what is said of a page before its caller's columns."""
    if isinstance(answer, Died):
        answer = record_of(failed(page, PageError(*answer)), with_blocks=False)
    return answer | {kept_name(name): value for name, value in own_columns(page.columns, fields)}


def own_columns(columns: Mapping[str, Any], fields: Fields) -> Iterator[tuple[str, Any]]:
    """Yield the caller's columns that a row keeps: not its id and URL where they are called so in ours, too."""
    twice = stated_twice(fields)
    return ((name, value) for name, value in columns.items() if name not in twice)


def stated_twice(fields: Fields) -> set[str]:
    """Return the caller's columns that say what our own of the same name say."""
    return {ours for ours, theirs in (("id", fields.id), ("url", fields.url)) if ours == theirs}


def kept_name(name: str) -> str:
    """Return what a caller's column is called beside ours."""
    return f"source_{name}" if name in OURS else name
