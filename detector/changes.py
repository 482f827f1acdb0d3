"""What another model would change, block by block, on labelled pages: to be looked at before a model is replaced."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from detector.labeled import LabeledPage, tie
from detector.labels import LABEL_NAMES, UNLABELED
from detector.lexicon import Lexicon
from detector.model import Model
from detector.pipeline import Block, PageVerdict, detect

SHOWN_CHARS = 60  # of a block


class Change(NamedTuple):
    """A block that two models take for different things, or find other injected strings in.

    `truth` is the label that people gave, None where nobody did; `effect` is ``fixed``, ``broken``, ``still wrong``,
    ``unlabelled`` or, where only the strings differ, ``strings``.
    """

    site: str
    page_id: str
    number: int
    old: Block
    new: Block
    truth: str | None
    effect: str


class Changes(NamedTuple):
    """All changes, and how many blocks and labelled blocks were looked at."""

    found: list[Change]
    blocks: int
    labelled: int


def find_changes(pages: Iterable[LabeledPage], old: Model, new: Model, lexicon: Lexicon) -> Changes:
    """Judge labelled pages by two models, as `predict` would, and return where they differ."""
    labeled = list(pages)
    raw = [page.page for page in labeled]
    found: list[Change] = []
    blocks = labelled = 0
    verdicts = zip(detect(raw, old, lexicon=lexicon), detect(raw, new, lexicon=lexicon), strict=True)
    for page, (before, after) in zip(labeled, verdicts, strict=True):
        if before.arrays is None:
            continue
        truth = tie(before.arrays, page.labels)[0].tolist()
        blocks, labelled = blocks + len(truth), labelled + len(truth) - truth.count(UNLABELED)
        found += _changes_of(page, before, after, truth)
    return Changes(found, blocks, labelled)


def _changes_of(page: LabeledPage, before: PageVerdict, after: PageVerdict, truth: Sequence[int]) -> Iterator[Change]:
    for number, (old, new, label) in enumerate(zip(before.blocks, after.blocks, truth, strict=True)):
        name = LABEL_NAMES[label] if label != UNLABELED else None
        if old.label != new.label:
            yield Change(page.site, page.page.page_id, number, old, new, name, _effect(old.label, new.label, name))
        elif _strings(old) != _strings(new):
            yield Change(page.site, page.page.page_id, number, old, new, name, "strings")


def _effect(old: str, new: str, truth: str | None) -> str:
    if truth is None:
        return "unlabelled"
    return "fixed" if new == truth else "broken" if old == truth else "still wrong"


def _strings(block: Block) -> list[str]:
    return [block.text[span.start : span.end] for span in block.spans]


def print_changes(changes: Changes) -> Iterator[str]:
    """Yield a line for each change, and one that counts them."""
    for c in changes.found:
        text = c.new.text if len(c.new.text) <= SHOWN_CHARS else c.new.text[: SHOWN_CHARS - 1] + "…"
        if c.effect == "strings":
            what = f"{_listed(_strings(c.old))} → {_listed(_strings(c.new))}"
        else:
            what = f"{_said(c.old)} → {_said(c.new)}"
        yield f"{c.effect:11s} {c.site}/{c.page_id}:{c.number}  {what}  {text}"
    counts = Counter(c.effect for c in changes.found)
    told = ", ".join(f"{counts[name]} {name}" for name in EFFECTS if counts[name])
    yield (
        f"{len(changes.found)} of {changes.blocks} blocks change ({changes.labelled} of them labelled)"
        + (f": {told}" if told else "")
    )


EFFECTS = ("fixed", "broken", "still wrong", "unlabelled", "strings")


def _said(block: Block) -> str:
    return f"{block.label} {block.scores[block.label]:.2f}"


def _listed(strings: list[str]) -> str:
    return " ".join(f"⟦{string}⟧" for string in strings) or "nothing injected"
