"""Brands and tails that no cue file knows yet: strings that stand in many unrelated places, and hardly in honest text.

1. Pages go through the pipeline. What it says of each is kept as a `Sheet` in a temporary file, so that memory does not
   grow with the corpus and standard input will do; the words of suspicious places are candidates.
2. A known tail is trusted as far as it stands in injected strings rather than elsewhere: 登录入口 nearly always, 集团 hardly
   ever (the reliability of a pattern, after Agichtein and Gravano, "Snowball", DL 2000).
3. The file is read again, and each candidate is counted in suspicious places (inside an injected string or a block of
   spam, before a trusted tail) and elsewhere. Pages of one site count with the logarithm of their number.
4. Candidates are ranked by the log odds of the two, with an informative Dirichlet prior, in standard deviations (Monroe,
   Colaresi and Quinn, "Fightin' Words", Political Analysis 16, 2008). Of strings inside one another one is kept.
5. What follows many different brands and hardly anything else is a tail, ranked the same way.
"""

from __future__ import annotations

import io
import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, NamedTuple

import numpy as np
import zstandard
from numpy.typing import NDArray

from detector.chars import char_kinds, code_points
from detector.decode import without_surrogates
from detector.judge import cut_words, tokenizer
from detector.labels import Label
from detector.lexicon import GROUPS, Lexicon, normalised
from detector.model import Model
from detector.pipeline import PageVerdict
from detector.spans import weigh_candidates

LENGTHS = range(2, 11)  # characters of a proposal
COMMON = 50  # times that a word stands in jieba's corpus; from there on it is a common word and no proposal
PHRASE = 3  # common words that make a phrase
PARTICLES = frozenset(
    "的了在到由对與与對和是为為我该該从從向据據经經把被以将將各全等及或也都就而并並又其于於之这這那有不让讓给給所凭"
)
WEB_WORDS = frozenset("www http https com net org cn html htm app vip tel".split())
PRIOR = 0.1  # what the prior is worth, as a share of all that was counted
NEAR = 0.5  # probability from which a candidate of the span model counts, for what it is
MIN_SHARE = 0.25  # of a string's places that are suspicious; a firm that has a site stays far below
TRUST = (1.0, 4.0)  # occurrences in injected strings, and all occurrences, that each tail is given to begin with
WHOLE = 0.75  # of a string's places: a longer string that has so many of them is the whole of it
MIN_ALIGNED = 0.5  # of a string's places that begin and end where words do
MIN_BRANDS = 3  # that a tail follows
MAX_EXAMPLES, EXAMPLE_CHARS = 3, 20
MAX_CANDIDATES = 1_000_000  # lossy counting (Manku and Motwani, VLDB 2002): beyond, those of one page are forgotten
MAX_LOOKED_AT = 20  # places of a string at which jieba is asked
WINDOW = 20  # characters on each side that jieba sees
BRAND, TAIL = "brand", "tail"
WEIGHTS = {BRAND: 2.0, TAIL: 0.5}  # as in the packaged cue files

_RUN = re.compile(r"[\u3400-\u9fffa-z0-9]+")
_RUN_AT_END = re.compile(r"[\u3400-\u9fffa-z0-9]+$")
_GOES_ON = re.compile(r"[a-z]{2}|[0-9]{2}")
_RUN_AT_START = re.compile(r"^[\u3400-\u9fffa-z0-9]+")


class Proposal(NamedTuple):
    """A term for a cue file: `score` in standard deviations, where it stands, and what around it."""

    kind: str
    term: str
    score: float
    pages: int
    sites: int
    known: bool
    examples: list[str]


class Text(NamedTuple):
    """A title or block: as shown and in small letters, its label, and (start, stop, suspicion) of injected strings."""

    shown: str
    text: str
    label: int
    spans: list[tuple[int, int, float]]


class Sheet(NamedTuple):
    """What is kept of a page. Without a URL it is a site of its own."""

    site: str
    texts: list[Text]


@dataclass
class Tally:
    """Where one string stands; `suspicious` and `clean` hold for each site how much of its pages is what."""

    pages: int = 0
    suspicious: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    clean: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    examples: list[str] = field(default_factory=list)
    aligned: list[bool] = field(default_factory=list)


class Gathered(NamedTuple):
    """Candidates with their pages, how far each tail is to be trusted, and characters in suspicious places and elsewhere."""

    pages: Counter[str]
    trust: NDArray[np.float64]
    chars: tuple[int, int]


Finder = Callable[[str], list[tuple[int, int, int]]]  # text → (number of the term, start, stop)
Judge = Callable[[Text], Callable[[int, int], float]]  # text → (start, stop) → how suspicious that place is, 0 to 1


def mine(verdicts: Iterable[PageVerdict], model: Model, lexicon: Lexicon, *, min_pages: int = 2) -> list[Proposal]:
    """Propose brands and tails, the best first; those that the lexicon has are marked as known.

    Parameters
    ----------
    verdicts : iterable of PageVerdict
        As `detect` yields them; pages that failed are passed over.
    model : Model
    lexicon : Lexicon
        Those that `detect` was given.
    min_pages : int
        Suspicious pages in which a proposal must stand.
    """
    tails = _terms_of(lexicon, "tail")
    find_tails = _finder(tails)
    with TemporaryFile() as file:
        gathered = _gather((_sheet(v, model, lexicon) for v in verdicts if not v.error), find_tails, len(tails), file)
        candidates = [term for term, pages in gathered.pages.items() if pages >= min_pages and not _is_phrase(term)]
        tallies = _count(_sheets(file), candidates, _before_tails(find_tails, gathered.trust))
        brands = _rank(BRAND, tallies, gathered.chars, lexicon, min_pages)
        names = [*(p.term for p in _whole(brands)), *_terms_of(lexicon, "brand")]
        followers, places = _gather_followers(_sheets(file), names, find_tails)
        tallies = _count(_sheets(file), followers, _after_brands(_finder(names), find_tails))
        found = _rank(TAIL, tallies, (places, sum(gathered.chars)), lexicon, min_pages)
    followed = {part for p in found for part in (p.term, *_parts(p.term))}
    brands = [p for p in brands if p.term not in followed]
    return sorted(_whole(brands) + _whole(found), key=lambda p: (-p.score, p.term))


# ---------------------------------------------------------------- pages to a file, and back


def _sheet(page: PageVerdict, model: Model, lexicon: Lexicon) -> Sheet:
    """Take what is wanted of a page: beside what was found, what was nearly taken for an injected string."""
    blocks = page.arrays
    texts = [without_surrogates(text) for text in (*blocks.titles, *blocks.texts())] if blocks is not None else []
    labels = [int(Label.CONTENT), *page.label.tolist()]
    spans: dict[int, list[tuple[int, int, float]]] = defaultdict(list)
    for span in page.spans:
        spans[span.block + 1].append((span.start, span.end, 1.0))
    if model.spans is not None:
        content = [i for i, label in enumerate(labels) if label == Label.CONTENT]
        for mark in weigh_candidates([texts[i] for i in content], model.spans, lexicon):
            if mark.p >= NEAR:
                spans[content[mark.text]].append((mark.start, mark.stop, mark.p))
    rows = zip(texts, labels, strict=True)
    return Sheet(
        page.site or page.page_id, [Text(t, normalised(t), label, spans[i]) for i, (t, label) in enumerate(rows)]
    )


def _sheets(file: IO[bytes]) -> Iterator[Sheet]:
    """Read the sheets of a file from its beginning."""
    file.seek(0)
    with zstandard.ZstdDecompressor().stream_reader(file, closefd=False) as stream:
        for line in io.TextIOWrapper(stream, "utf-8"):
            site, texts = json.loads(line)
            yield Sheet(site, [Text(shown, normalised(shown), label, spans) for shown, label, spans in texts])


def _line(sheet: Sheet) -> bytes:
    texts = [(text.shown, text.label, text.spans) for text in sheet.texts]
    return (json.dumps([sheet.site, texts], ensure_ascii=False) + "\n").encode()


def _gather(sheets: Iterable[Sheet], find_tails: Finder, n_tails: int, file: IO[bytes]) -> Gathered:
    """Write a sheet of each page, and take its candidates."""
    pages: Counter[str] = Counter()
    injected, honest, room = 0, 0, MAX_CANDIDATES
    inside, places = np.full(n_tails, TRUST[0]), np.full(n_tails, TRUST[1])
    with zstandard.ZstdCompressor(1).stream_writer(file, closefd=False) as stream:
        for sheet in sheets:
            stream.write(_line(sheet))
            pages.update({term for text in sheet.texts for term in _candidates(text, find_tails)})
            for text in sheet.texts:
                n = len(text.text) if text.label == Label.SPAM else sum(b - a for a, b, _ in text.spans)
                injected, honest = injected + n, honest + len(text.text) - n
                for number, start, stop in find_tails(text.text):
                    inside[number] += _injected(text, start, stop)
                    places[number] += 1
            if len(pages) > room:
                pages = Counter({term: number for term, number in pages.items() if number > 1})
                room = max(MAX_CANDIDATES, 2 * len(pages))
    return Gathered(pages, inside / places, (injected, honest))


def _injected(text: Text, start: int, stop: int) -> float:
    """How suspicious a place is for being in a block of spam or, in part, in an injected string."""
    inside = [suspicion for a, b, suspicion in text.spans if a < stop and start < b]
    return 1.0 if text.label == Label.SPAM else max(inside, default=0.0)


# ---------------------------------------------------------------- candidates


def _candidates(text: Text, find_tails: Finder) -> Iterator[str]:
    """Yield what may be brands: whole words of an injected string before its first tail, and before any tail elsewhere."""
    for start, stop, _ in text.spans:
        head = min((a for _, a, _ in find_tails(text.text[start:stop])), default=stop - start)
        for run in _RUN.findall(text.text[start : start + head]):
            yield from (run[a:b] for a, b in combinations(_bounds(run), 2) if _is_eligible(run[a:b]))
    if text.label != Label.CHROME:
        for run in _before_known_tails(text.text, find_tails):
            yield from (run[at:] for at in _bounds(run) if _is_eligible(run[at:]))


def _before_known_tails(text: str, find_tails: Finder) -> Iterator[str]:
    """Yield the letters right before each tail, unless another tail is among them."""
    last = 0
    for _, start, stop in find_tails(text):
        low = max(0, start - WINDOW)
        run = _RUN_AT_END.search(text[low:start])
        if run and low + run.start() >= last:
            yield run.group()
        last = stop


def _bounds(text: str) -> list[int]:
    """Return where words begin and end: jieba's, and wherever Latin letters, digits and others meet."""
    if not text:
        return []
    kinds = char_kinds(code_points(text))
    bounds = {0, *(np.flatnonzero(np.diff(kinds)) + 1).tolist()}
    place = 0
    for word in cut_words(text):
        place += len(word)
        bounds.add(place)
    return sorted(bounds)


def _has_edges_of_a_name(term: str) -> bool:
    return term[0] not in PARTICLES and term[-1] not in PARTICLES


def _is_eligible(term: str) -> bool:
    """Say whether a string may be a name: long enough, not all digits, no common word, no particle at its edges."""
    return (
        len(term) in LENGTHS
        and not term.isdigit()
        and (len(term) > 2 or not term.isascii())
        and term not in WEB_WORDS
        and _has_edges_of_a_name(term)
        and (tokenizer().FREQ.get(term) or 0) < COMMON
    )


def _is_phrase(term: str) -> bool:
    """Say whether several common words are in a string: running text, not a name."""
    known = tokenizer().FREQ
    common = [word for word in cut_words(term) if len(word) > 1 and (known.get(word) or 0) >= COMMON]
    return len(common) >= PHRASE


# ---------------------------------------------------------------- counting


def _count(sheets: Iterable[Sheet], terms: Sequence[str], judge: Judge) -> dict[str, Tally]:
    """Count terms by site; a page is as suspicious as its most suspicious place, and clean as far as it is not."""
    find = _finder(terms, overlapping=True)
    tallies = {term: Tally() for term in terms}
    for sheet in sheets:
        most: dict[str, float] = {}
        for text in sheet.texts:
            suspicion = judge(text)
            for number, start, stop in find(text.text):
                term, found = terms[number], suspicion(start, stop)
                if found == 0 and _inside_letters(text.text, start, stop):
                    continue
                most[term] = max(found, most.get(term, 0.0))
                _look_at(tallies[term], text, start, stop, found)
        for term, found in most.items():
            tallies[term].pages += found >= 0.5
            tallies[term].suspicious[sheet.site] += found
            tallies[term].clean[sheet.site] += 1 - found
    return tallies


def _inside_letters(text: str, start: int, stop: int) -> bool:
    """Say whether letters or digits go on past the edges of what was found: ``mgm`` in ``mgmt``."""
    return bool(_GOES_ON.search(text[max(0, start - 1) : start + 1]) or _GOES_ON.search(text[stop - 1 : stop + 1]))


def _look_at(tally: Tally, text: Text, start: int, stop: int, suspicion: float) -> None:
    """Take an example, and ask jieba whether the string begins and ends where words do."""
    low = max(0, start - WINDOW)
    if suspicion >= 0.5 and len(tally.examples) < MAX_EXAMPLES:
        example = text.shown[max(0, start - EXAMPLE_CHARS) : stop + EXAMPLE_CHARS]
        tally.examples += [example] if example not in tally.examples else []
    if len(tally.aligned) < MAX_LOOKED_AT:
        bounds = _bounds(text.text[low : stop + WINDOW])
        tally.aligned.append(start - low in bounds and stop - low in bounds)


def _before_tails(find_tails: Finder, trust: NDArray[np.float64]) -> Judge:
    """Judge the places of brands: sure inside injected strings, before a tail as far as that is to be trusted."""

    def judge(text: Text) -> Callable[[int, int], float]:
        hits = find_tails(text.text) if text.label != Label.CHROME else []
        tails = {start: float(trust[number]) for number, start, _ in hits}
        return lambda start, stop: max(_injected(text, start, stop), tails.get(stop, 0.0))

    return judge


# ---------------------------------------------------------------- ranking


def _rank(
    kind: str, tallies: Mapping[str, Tally], totals: tuple[int, int], lexicon: Lexicon, min_pages: int
) -> list[Proposal]:
    """Score the strings that stand in enough suspicious pages, hardly in others, as whole words; the best first."""
    known = set(lexicon.terms)
    find_brands = _finder(_terms_of(lexicon, "brand"))
    out = []
    for term, t in tallies.items():
        here, there = _damped(t.suspicious), _damped(t.clean)
        if t.pages >= min_pages and here >= MIN_SHARE * (here + there) and np.mean(t.aligned) >= MIN_ALIGNED:
            sites = sum(pages >= 0.5 for pages in t.suspicious.values())
            is_known = term in known or bool(find_brands(term))
            score = log_odds(here, there, totals)
            out.append(Proposal(kind, term, score, t.pages, sites, is_known, t.examples))
    return sorted(out, key=lambda p: (-p.score, p.term))


def _damped(pages: Mapping[str, float]) -> float:
    """Count pages, those of one site with the logarithm of their number."""
    # Rounded and summed exactly: the order of the pages must not show in the last bits.
    return math.fsum(math.log2(1 + round(n, 9)) for n in pages.values())


def log_odds(here: float, there: float, totals: tuple[int, int]) -> float:
    """Compare how often a term stands here and there: its log odds ratio over the standard deviation of that.

    The prior says that the term is as frequent in either place as in both together; it is worth a share of both.

    Parameters
    ----------
    here, there : float
        Counts of the term.
    totals : tuple of int
        Size of either place, the term left out.

    Examples
    --------
    >>> [round(log_odds(*counts, (1000, 100_000)), 1) for counts in ((8, 0), (3, 0), (3, 30), (0, 30))]
    [4.0, 2.5, 1.4, -0.2]
    """
    worth = PRIOR * sum(totals)
    prior = PRIOR * (here + there)
    a, b = here + prior, there + prior
    odds = math.log(a / (totals[0] + worth)) - math.log(b / (totals[1] + worth))
    return odds / math.sqrt(1 / a + 1 / b)


def _whole(proposals: Sequence[Proposal]) -> list[Proposal]:
    """Of strings inside one another keep some: the longer ones where they have most of the places, else the shorter."""
    pages = {p.term: p.pages for p in proposals}
    parts = {p.term: [part for part in _parts(p.term) if part in pages] for p in proposals}
    longer: dict[str, list[str]] = defaultdict(list)
    for term, inside in parts.items():
        for part in inside:
            longer[part].append(term)
    cut = set()
    for part, terms in longer.items():
        outermost = [term for term in terms if not any(term in other for other in terms if other != term)]
        if max(sum(pages[term] for term in outermost), max(pages[term] for term in terms)) >= WHOLE * pages[part]:
            cut.add(part)
    return [p for p in proposals if p.term not in cut and cut.issuperset(parts[p.term])]


def _parts(term: str) -> Iterator[str]:
    return (term[a:b] for a, b in combinations(range(len(term) + 1), 2) if 1 < b - a < len(term))


# ---------------------------------------------------------------- tails


def _gather_followers(sheets: Iterable[Sheet], names: Sequence[str], find_tails: Finder) -> tuple[list[str], int]:
    """Return the strings of whole words that follow several brands, known tails between them left aside, and how many places do."""
    places = 0
    find = _finder(names)
    after: dict[str, set[int]] = defaultdict(set)
    for sheet in sheets:
        for text in sheet.texts:
            for number, end in _ends(text.text, find, find_tails):
                places += 1
                run = _RUN_AT_START.search(text.text[end : end + WINDOW])
                for stop in _bounds(run.group()) if run else []:
                    after[text.text[end : end + stop]].add(number)
    found = [term for term, brands in after.items() if len(brands) >= MIN_BRANDS and _is_new_tail(term, find_tails)]
    return found, places


def _ends(text: str, find: Finder, find_tails: Finder) -> Iterator[tuple[int, int]]:
    """Yield (number of the brand, place) where brands end, and where the known tails after them do."""
    hits = find(text)
    tails = {start: stop for _, start, stop in find_tails(text)} if hits else {}
    for number, _, end in hits:
        yield number, end
        while end in tails:
            end = tails[end]
            yield number, end


def _is_new_tail(term: str, find_tails: Finder) -> bool:
    """Say whether a string may be a tail, and is not put together of known ones."""
    known = sum(stop - start for _, start, stop in find_tails(term))
    return len(term) in LENGTHS and not term.isdigit() and _has_edges_of_a_name(term) and known < len(term)


def _after_brands(find: Finder, find_tails: Finder) -> Judge:
    """Judge the places of tails: right after a brand, known tails between them left aside."""

    def judge(text: Text) -> Callable[[int, int], float]:
        ends = {end for _, end in _ends(text.text, find, find_tails)}
        return lambda start, _: float(start in ends)

    return judge


# ---------------------------------------------------------------- terms


def _terms_of(lexicon: Lexicon, group: str) -> list[str]:
    return [lexicon.terms[i] for i in np.flatnonzero(lexicon.weight[:, GROUPS.index(group)] > 0)]


def _finder(terms: Sequence[str], *, overlapping: bool = False) -> Finder:
    """Return a function that finds all places of terms; the longest from the left, or those inside others too."""
    from ahocorasick_rs import AhoCorasick, MatchKind

    automaton = AhoCorasick(terms, matchkind=MatchKind.Standard if overlapping else MatchKind.LeftmostLongest)
    return lambda text: automaton.find_matches_as_indexes(text, overlapping=overlapping)


# ---------------------------------------------------------------- output


def write_table(proposals: Iterable[Proposal]) -> Iterator[str]:
    """Yield a table, its head first."""
    yield f"{'rank':>4}  kind   {_padded('term')}  {'score':>5}  pages  sites  example"
    for rank, p in enumerate(proposals, 1):
        example = p.examples[0] if p.examples else ""
        numbers = f"{p.score:>5.1f}  {p.pages:>5}  {p.sites:>5}"
        yield f"{rank:>4}  {p.kind:<5}  {_padded(p.term)}  {numbers}  {example}"


def _padded(term: str, width: int = 20) -> str:
    """Fill up to `width` columns of a terminal, of which Han characters take two."""
    return term + " " * (width - len(term) - sum(character > "\u2e7f" for character in term))


def write_jsonl(proposals: Iterable[Proposal]) -> Iterator[str]:
    """Yield one JSON object a proposal."""
    for rank, p in enumerate(proposals, 1):
        yield json.dumps({"rank": rank} | p._asdict() | {"score": round(p.score, 2)}, ensure_ascii=False)


WRITERS: dict[str, Callable[[Iterable[Proposal]], Iterator[str]]] = {"text": write_table, "jsonl": write_jsonl}


def kind_of(path: Path) -> str:
    """Return the kind of proposals that a cue file takes: ``tail.tsv`` tails, any other brands."""
    return TAIL if path.stem == TAIL else BRAND


def weight_of(proposal: Proposal) -> float:
    """Return the weight that the packaged cue files give to terms of this kind."""
    return WEIGHTS[proposal.kind]


def note_of(proposal: Proposal) -> str:
    """Say in a cue file's third column where a term comes from."""
    return f"mined: {proposal.pages} pages, {proposal.sites} sites, score {proposal.score:.1f}"
