"""Each packaged cue has a text in which it fires and one in which it does not: `tests/cases/cues.tsv`."""

from __future__ import annotations

from collections import Counter
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import pytest
from caselist import CASES

from detector.chars import code_points
from detector.lexicon import GROUPS, Lexicon, _compile, _parse, load_lexicon

CHECKED = GROUPS[GROUPS.index("gambling") :]
SHIELDED = ("brand", "root", "gambling")
TABLE = "tests/cases/cues.tsv"


class Case(NamedTuple):
    group: str
    term: str
    fires: str
    silent: str


@cache
def table() -> list[Case]:
    lines = (CASES / "cues.tsv").read_text("utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith(("#", "group\t"))]
    wrong = [row for row in rows if len(row) != len(Case._fields)]
    assert not wrong, f"{TABLE}: not {len(Case._fields)} cells: {wrong}"
    return [Case(*row) for row in rows]


@cache
def packaged() -> dict[tuple[str, int], float]:
    """Weight of each (term, number of its group)."""
    rows: dict[tuple[str, int], float] = {}
    for number, group in enumerate(GROUPS):
        rows |= _parse((files("detector") / "cues" / f"{group}.tsv").read_text("utf-8"), group, number)
    return rows


@cache
def bare() -> Lexicon:
    """The lexicon without its shields."""
    return _compile({key: weight for key, weight in packaged().items() if weight > 0})


def spans(lexicon: Lexicon, text: str) -> list[tuple[str, int, int]]:
    return [(lexicon.terms[term], start, stop) for term, start, stop in lexicon.find(code_points(text)).tolist()]


def fired(lexicon: Lexicon, text: str, groups: tuple[str, ...]) -> list[str]:
    """Terms that a text fires in any of `groups`."""
    columns = [GROUPS.index(group) for group in groups]
    numbers = lexicon.find(code_points(text))[:, 0].tolist()
    return [lexicon.terms[number] for number in numbers if (lexicon.weight[number, columns] > 0).any()]


def names_over(lexicon: Lexicon, case: Case) -> set[str]:
    """Names (or words of gambling) that fire over a shield's place in its text."""
    places = [(i, i + len(case.term)) for i in range(len(case.silent)) if case.silent.lower().startswith(case.term, i)]
    names = set(fired(lexicon, case.silent, SHIELDED))
    return {
        term
        for term, start, stop in spans(lexicon, case.silent)
        if term in names and any(start < last and stop > first for first, last in places)
    }


def complain(problems: list[str]) -> None:
    assert not problems, "\n" + "\n".join(problems)


def test_every_line_is_a_case() -> None:
    known = {*CHECKED, *(f"{group} shield" for group in SHIELDED)}
    complain([f"{TABLE}: no such group: {case}" for case in table() if case.group not in known])
    complain([f"{TABLE}: an empty cell: {case}" for case in table() if not all(case)])
    twice = [key for key, n in Counter((case.group, case.term) for case in table()).items() if n > 1]
    complain([f"{TABLE}: {term!r} of {group} has more than one row" for group, term in twice])


@pytest.mark.parametrize("group", CHECKED)
def test_every_cue_has_a_row(group: str) -> None:
    number = GROUPS.index(group)
    cues = {term for (term, column), weight in packaged().items() if column == number and weight > 0}
    rows = {case.term for case in table() if case.group == group}
    complain(
        [
            f"{term!r} of {group}.tsv has no case: add to {TABLE} a line "
            f"`{group}<TAB>{term}<TAB>text that must fire it<TAB>honest text, much like it, that must not`"
            for term in sorted(cues - rows)
        ]
        + [f"{term!r} is not in {group}.tsv: take its line out of {TABLE}" for term in sorted(rows - cues)]
    )


@pytest.mark.parametrize("group", SHIELDED)
def test_every_shield_has_a_row(group: str) -> None:
    number = GROUPS.index(group)
    shields = {term for (term, column), weight in packaged().items() if column == number and weight == 0}
    rows = {case.term for case in table() if case.group == f"{group} shield"}
    complain(
        [
            f"{term!r}, weight 0 in {group}.tsv, has no case: add to {TABLE} a line "
            f"`{group} shield<TAB>{term}<TAB>name that it stops<TAB>honest text that holds it`"
            for term in sorted(shields - rows)
        ]
        + [f"{term!r} has no weight 0 in {group}.tsv: take its line out of {TABLE}" for term in sorted(rows - shields)]
    )


@pytest.mark.parametrize("group", CHECKED)
def test_cues_fire(group: str) -> None:
    lexicon = load_lexicon()
    mine = [(case, fired(lexicon, case.fires, (group,))) for case in table() if case.group == group]
    complain([f"{c.term!r} of {group} must fire in {c.fires!r}: {hits}" for c, hits in mine if c.term not in hits])


@pytest.mark.parametrize("group", CHECKED)
def test_cues_do_not_fire_in_what_is_like_them(group: str) -> None:
    lexicon = load_lexicon()
    mine = [case for case in table() if case.group == group]
    complain(
        [
            f"{case.term!r} of {group} must not fire in {case.silent!r}"
            for case in mine
            if case.term in fired(lexicon, case.silent, (group,))
        ]
    )


@pytest.mark.parametrize("group", SHIELDED)
def test_shields_take_the_place_of_names(group: str) -> None:
    lexicon, problems = load_lexicon(), []
    for case in (case for case in table() if case.group == f"{group} shield"):
        where = f"shield {case.term!r} in {case.silent!r}"
        if case.term not in {term for term, _, _ in spans(lexicon, case.silent)}:
            problems.append(f"{where} is not matched")
        if names := names_over(lexicon, case):
            problems.append(f"{where} does not stop {names}")
        stopped = names_over(bare(), case)
        if case.fires == "-" and stopped:
            problems.append(f"{where} stops {stopped}: write that in place of the -")
        if case.fires != "-" and case.fires not in stopped:
            problems.append(f"{where}: without shields {case.fires!r} does not fire there, but {stopped or 'no name'}")
    complain(problems)
