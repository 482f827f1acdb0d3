"""What a text sets off, for a person: its cues, its injected strings, and what was nearly taken for one."""

from __future__ import annotations

from typing import Any, NamedTuple

from detector.chars import code_points
from detector.lexicon import GROUPS, Lexicon
from detector.model import Model
from detector.spans import Found, find_spans, weigh_candidates

SCORE_DIGITS = 4
PLAIN, INJECTED, NEAR = "plain", "injected", "near"  # tones of a heat line's pieces


class Cue(NamedTuple):
    """A term of the lexicon at code points `start` to `end`; a term that is in several groups is as many cues."""

    start: int
    end: int
    term: str
    group: str
    weight: float


class RunnerUp(NamedTuple):
    """A string that was looked at and not taken, with the probability that it was injected."""

    start: int
    end: int
    score: float


class Explanation(NamedTuple):
    """What one text sets off; `threshold` is the score from which a string is taken, None without a span model."""

    text: str
    cues: list[Cue]
    injected: list[Found]
    runners_up: list[RunnerUp]
    threshold: float | None


def explain(text: str, model: Model, lexicon: Lexicon) -> Explanation:
    """Look at one text as at a page that says nothing else.

    Parameters
    ----------
    text : str
    model : Model
        As `load_model` returns it; its span model is asked.
    lexicon : Lexicon
        Cues, an operator's own among them.
    """
    if model.spans is None:
        return Explanation(text, cues_of(text, lexicon), [], [], None)
    page = ["", text]
    injected = find_spans([page], model.spans, lexicon)[0]
    others = [
        RunnerUp(mark.start, mark.stop, mark.p)
        for mark in weigh_candidates(page, model.spans, lexicon)
        if not any(mark.start < found.stop and found.start < mark.stop for found in injected)
    ]
    others.sort(key=lambda other: -other.score)
    return Explanation(text, cues_of(text, lexicon), injected, others, model.spans.threshold)


def cues_of(text: str, lexicon: Lexicon) -> list[Cue]:
    """Return every cue in a text, one for each group that a term is in."""
    return [
        Cue(start, stop, lexicon.terms[term], group, round(float(weight), SCORE_DIGITS))
        for term, start, stop in lexicon.find(code_points(text)).tolist()
        for group, weight in zip(GROUPS, lexicon.weight[term], strict=True)
        if weight > 0
    ]


def record_of(found: Explanation) -> dict[str, Any]:
    """Return an explanation as one JSON object."""
    spans = [
        {"start": f.start, "end": f.stop, "text": found.text[f.start : f.stop], "kind": f.kind,
         "score": round(f.score, SCORE_DIGITS), "cue": f.cue}
        for f in found.injected
    ]  # fmt: skip
    others = [
        {"start": o.start, "end": o.end, "text": found.text[o.start : o.end], "score": round(o.score, SCORE_DIGITS)}
        for o in found.runners_up
    ]
    cues = [cue._asdict() for cue in found.cues]
    return {"text": found.text, "cues": cues, "spans": spans, "runners_up": others, "threshold": found.threshold}


def heat_line(found: Explanation) -> list[tuple[str, str]]:
    """Cut the text into pieces with their tones; what is injected stands in ``⟦kind:…⟧``, as in labelled sentences."""
    marks = [(f.start, f.stop, INJECTED, f"⟦{f.kind}:{found.text[f.start : f.stop]}⟧") for f in found.injected]
    marks += [(o.start, o.end, NEAR, found.text[o.start : o.end]) for o in found.runners_up]
    out, place = [], 0
    for start, stop, tone, shown in sorted(marks):
        if start < place:  # a runner-up may overlap another
            continue
        out += [(found.text[place:start], PLAIN), (shown, tone)]
        place = stop
    out.append((found.text[place:], PLAIN))
    return [(piece, tone) for piece, tone in out if piece]


def table_of(found: Explanation) -> list[str]:
    """Return one line for each string and each cue: what it is, its place, its score or weight, and why."""
    text = found.text
    lines = [
        _row("injected", f.start, f.stop, f"{f.score:.3f}", f.kind, text[f.start : f.stop])
        + (f"  (cue {f.cue})" if f.cue else "")
        for f in found.injected
    ]
    lines += [_row("not taken", o.start, o.end, f"{o.score:.3f}", "", text[o.start : o.end]) for o in found.runners_up]
    lines += [_row("cue", c.start, c.end, f"{c.weight:g}", c.group, c.term) for c in found.cues]
    if found.threshold is None:
        return [*lines, "  this model looks for no injected strings"]
    if not found.injected:
        lines.insert(0, f"  nothing injected (taken from {found.threshold:.3f} on)")
    return lines


def _row(what: str, start: int, stop: int, number: str, kind: str, string: str) -> str:
    return f"  {what:<9} {f'{start}-{stop}':>9}  {number:>5}  {kind:<10}  {string}"
