from dataclasses import replace

import pytest

from detector.changes import find_changes, print_changes
from detector.labeled import read_labeled
from detector.pipeline import Block, Span


@pytest.fixture
def pages(labeled_folder):
    return list(read_labeled(labeled_folder))


@pytest.fixture
def blind(tiny_model):
    """A model that takes nothing for content."""
    return replace(tiny_model, card=replace(tiny_model.card, content_threshold=2.0))


def effects(changes):
    return {change.effect for change in changes.found}


def test_a_model_changes_nothing_against_itself(pages, tiny_model, lexicon):
    changes = find_changes(pages, tiny_model, tiny_model, lexicon)
    assert changes.found == []
    assert changes.blocks == changes.labelled == sum(len(page.labels) for page in pages)
    (counted,) = print_changes(changes)
    assert counted == f"0 of {changes.blocks} blocks change ({changes.labelled} of them labelled)"


def test_a_worse_model_breaks_what_a_better_one_fixes(pages, tiny_model, blind, lexicon):
    worse = find_changes(pages, tiny_model, blind, lexicon)
    better = find_changes(pages, blind, tiny_model, lexicon)
    assert "broken" in effects(worse)
    assert "fixed" in effects(better)
    assert {(c.page_id, c.number) for c in worse.found} == {(c.page_id, c.number) for c in better.found}
    assert all(c.new.label == "chrome" and c.old.label == "content" for c in worse.found)


def test_every_change_has_a_line_and_the_last_line_counts(pages, tiny_model, blind, lexicon):
    changes = find_changes(pages, tiny_model, blind, lexicon)
    *lines, counted = print_changes(changes)
    assert len(lines) == len(changes.found)
    assert any(line.startswith("broken      linhe.example/s0:") and "content" in line for line in lines)
    assert f"{sum(c.effect == 'broken' for c in changes.found)} broken" in counted


def test_blocks_that_nobody_labelled_are_shown_too(pages, tiny_model, blind, lexicon):
    changes = find_changes([pages[0]._replace(labels=[])], tiny_model, blind, lexicon)
    assert effects(changes) == {"unlabelled"}
    assert changes.labelled == 0


def test_pages_that_cannot_be_read_do_not_end_it(pages, tiny_model, lexicon):
    bad = pages[0]._replace(page=pages[0].page._replace(body=b""))
    assert find_changes([bad, pages[1]], tiny_model, tiny_model, lexicon).blocks == len(pages[1].labels)


def test_strings_that_only_one_model_finds_are_a_change():
    from detector.changes import Change, Changes

    old = Block("必某官网委获悉", "content", {"content": 0.9}, "p", None, 1, [])
    new = old._replace(spans=[Span(0, 0, 4, "brand", 0.99, None)])
    line, _ = print_changes(Changes([Change("x.example", "a", 3, old, new, "content", "strings")], 1, 1))
    assert line == "strings     x.example/a:3  nothing injected → ⟦必某官网⟧  必某官网委获悉"
