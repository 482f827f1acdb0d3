"""Pages to rows of a crawl: each is judged alone, in a guarded child, and keeps its caller's columns.

A page judged alone gives the same row whatever stands beside it, so the rows of a run do not depend on the number of
its workers, on where it was stopped, or on whether a cluster did the work: sums of a batch may differ in the last bit.
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
        """Start guarded children that judge a page each."""
        arguments = self.model, self.policy, self.cues, self.sites
        return Guard(load_judge, arguments, workers=workers, seconds=self.seconds, memory=self.memory)


DEFAULT_JUDGING = Judging()


def load_judge(
    model: str | None, policy: str, cues: tuple[Path, ...], sites: Path | None
) -> Callable[[RawPage], Row]:  # fmt: skip
    """Load everything that judging needs; return what judges one page."""
    from detector.judge import tokenizer
    from detector.lexicon import load_lexicon
    from detector.model import load_model
    from detector.repeats import load_repeats

    loaded, lexicon = load_model(model).under(policy), load_lexicon(cues)
    repeats = load_repeats(sites) if sites else None
    tokenizer()  # its dictionary takes a second to read, which each child would pay

    def judge(page: RawPage) -> Row:
        (verdict,) = detect([page], loaded, lexicon=lexicon, repeats=repeats)
        return record_of(verdict, with_blocks=False)

    return judge


def judge_all(
    guard: Guard[RawPage, Row], pages: Iterable[tuple[Tag, RawPage]], fields: Fields
) -> Iterator[tuple[Tag, Row]]:
    """Yield a row for each page, in input order; a page that ended its child is a row that says so."""
    sent = (((tag, page._replace(body=b"")), page._replace(columns={})) for tag, page in pages)
    for (tag, page), answer in guard.map(sent):
        yield tag, row_of(answer, page, fields)


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
