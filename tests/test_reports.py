"""The schema is that of SARIF 2.1.0 as the npm package @microsoft/jest-sarif (MIT) ships it."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from detector.findings import CODES, Finding
from detector.reports import REPORTS, write_statistics

SCHEMA = json.loads((Path(__file__).parent / "schemas" / "sarif-2.1.0-rtm.5.json").read_text("utf-8"))
FOUND = Finding(
    "语料/a b.jsonl",
    3,
    7,
    3,
    10,
    "INJ001",
    "injected '某博' in record n,7: 100%",
    "n,7",
    "某博",
    0.9,
    "cue 某博",
    "0f",
    (6, 9),
)
STRANGE = FOUND._replace(
    path="/tmp/两行\n文件\udcff.txt", code="RED001", score=None, record=None, message="not text", cut=None
)


def report(name, *findings):
    return "".join(REPORTS[name](findings))


def test_text():
    assert report("text", FOUND, STRANGE) == (
        "语料/a b.jsonl:3:7: INJ001 injected '某博' in record n,7: 100%\n/tmp/两行\\n文件\\udcff.txt:3:7: RED001 not text\n"
    )


def test_json():
    assert json.loads(report("json")) == []
    rows = json.loads(report("json", FOUND, STRANGE))
    assert (rows[0]["line"], rows[0]["column"], rows[0]["code"], rows[0]["record"]) == (3, 7, "INJ001", "n,7")
    assert [row["fixable"] for row in rows] == [True, False]


def test_github():
    assert report("github", FOUND).startswith(
        "::error title=INJ001,file=语料/a b.jsonl,line=3,col=7,endLine=3,endColumn=10::INJ001 injected"
    )
    assert report("github", FOUND).endswith("n,7: 100%25\n")
    assert report("github", STRANGE._replace(path="a:b,c\n")).startswith("::error title=RED001,file=a%3Ab%2Cc\\n,line=")


@pytest.mark.parametrize(
    "findings", [(), (FOUND,), (FOUND, STRANGE), tuple(FOUND._replace(code=code) for code in CODES)]
)
def test_sarif_is_valid(findings):
    log = json.loads(report("sarif", *findings))
    jsonschema.Draft4Validator(SCHEMA).validate(log)
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert [rules[result["ruleIndex"]] for result in run["results"]] == [finding.code for finding in findings]


def test_sarif_names_files_as_uris():
    results = json.loads(report("sarif", FOUND, STRANGE))["runs"][0]["results"]
    uris = [result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in results]
    assert uris[0] == "%E8%AF%AD%E6%96%99/a%20b.jsonl"
    assert uris[1] == "file:///tmp/%E4%B8%A4%E8%A1%8C%0A%E6%96%87%E4%BB%B6%FF.txt"


def test_statistics():
    lines = list(write_statistics([FOUND, STRANGE, FOUND]))
    assert lines == ["     2  INJ001  injected span\n", "     1  RED001  file cannot be read\n"]
