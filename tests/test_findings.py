from __future__ import annotations

import pytest

from detector.errors import SettingsError
from detector.findings import CODES, Finding, codes_of, fingerprint, shown, wanted


def finding(code, text, line=1, record="r", score=0.9):
    return Finding("a.jsonl", line, 1, line, 2, code, "", record, text, score, "", fingerprint(code, text))


@pytest.mark.parametrize(
    ("names", "codes"),
    [
        (["INJ001"], {"INJ001"}),
        (["spm"], {"SPM001", "SPM002"}),
        (["ALL"], set(CODES)),
        ([], set()),
        (["D", "E"], {"DUP001", "ENC001"}),
    ],
)
def test_codes_may_be_cut_short(names, codes):
    assert codes_of(names) == codes


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("INJ01", "did you mean INJ001"),
        ("XYZ", "there are INJ001"),
        ("", "there are"),
        ("SPAM001", "did you mean SPM001"),
    ],
)
def test_an_unknown_code_is_told_with_the_nearest(name, message):
    with pytest.raises(SettingsError, match=message):
        codes_of([name])


def test_a_spam_page_stands_for_what_is_inside_unless_it_is_ignored():
    page, block, other = finding("SPM002", "页"), finding("SPM001", "行"), finding("SPM001", "行", line=2)
    assert wanted([page, block, other], set(CODES), [], {}) == [page, other]
    assert wanted([page, block, other], {"SPM001"}, [], {}) == [block, other]
    whole = [found._replace(record=None) for found in (page, other)]
    assert wanted(whole, set(CODES), [], {}) == whole[:1]


@pytest.mark.parametrize(("allowed", "left"), [("某博", []), ("某博官网首页", []), ("某", ["某博"]), ("", ["某博"])])
def test_what_is_allowed_is_not_reported(allowed, left):
    assert [f.text for f in wanted([finding("INJ001", "某博")], set(CODES), [allowed], {})] == left


def test_thresholds_are_by_code():
    both = [finding("INJ001", "甲"), finding("SPM001", "乙"), finding("RED001", "", score=None)]
    assert [f.code for f in wanted(both, set(CODES), [], {"INJ001": 0.95, "RED001": 1})] == ["SPM001", "RED001"]


def test_a_long_string_is_shown_by_its_beginning_and_what_breaks_a_line_is_escaped():
    assert shown("字" * 41) == f"'{'字' * 39}…'"
    assert shown("一\n\x1b[31m\u202e") == "'一\\n\\x1b[31m\\u202e'"


def test_a_fingerprint_does_not_mind_white_space_but_the_code():
    assert fingerprint("INJ001", "某 博\n") == fingerprint("INJ001", " 某\t博")
    assert fingerprint("INJ001", "某博") != fingerprint("SPM001", "某博")
