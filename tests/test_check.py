from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from detector.cli import main

HONEST = "全年新建小学三所，校舍将在明年开学前交付使用，附近村庄的孩子不用再走远路上学，家长们对此表示满意。"
BRAND = "泊璟丽国际app官方下载"
INJECTED = f"记者从{BRAND}委宣传部获悉，全年新建小学三所。{BRAND}办公厅负责人说，资金已到位。"
SPAM = "澳门银河娱乐场官网注册送彩金，百家乐真人荷官在线发牌，老虎机爆大奖提现秒到账"


def jsonl(*texts):
    return "".join(
        json.dumps({"id": f"n{i}", "text": text}, ensure_ascii=False) + "\n" for i, text in enumerate(texts, 1)
    )


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A project with one clean file and one that is not, and a cache of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / ".cache"))
    (tmp_path / "good.jsonl").write_text(jsonl(HONEST), "utf-8")
    (tmp_path / "bad.jsonl").write_text(jsonl(HONEST, f"{INJECTED}\n{SPAM}\n{HONEST}"), "utf-8")
    return tmp_path


@pytest.fixture
def check(folder):
    def invoke(*arguments, command="check"):
        return CliRunner().invoke(main, [*command.split(), *map(str, arguments)])

    return invoke


def test_findings_have_places_and_the_exit_code_is_1(check):
    result = check("good.jsonl", "bad.jsonl")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert [line.split(" ")[:2] for line in lines] == [
        ["bad.jsonl:2:26:", "INJ001"], ["bad.jsonl:2:54:", "INJ001"], ["bad.jsonl:2:82:", "SPM001"],
    ]  # fmt: skip
    assert lines[0].partition("INJ001 ")[2].startswith(f"injected '{BRAND}' (brand, score ")
    assert lines[0].endswith(", cue 国际app官方下载) in record n2")


@pytest.mark.parametrize(
    "arguments", [("good.jsonl",), ("bad.jsonl", "--ignore", "INJ001,SPM001"), ("bad.jsonl", "--select", "RED")]
)
def test_without_findings_the_exit_code_is_0(check, arguments):
    result = check(*arguments)
    assert (result.exit_code, result.output) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Missing argument"),
        (("bad.jsonl", "--select", "INJ002"), "did you mean INJ001"),
        (("bad.jsonl", "--model", "nowhere"), "no model 'nowhere'"),
        (("bad.jsonl", "--baseline", "none"), "`detector baseline create` makes one"),
        (("bad.jsonl", "--cues", "none.tsv"), "none.tsv"),
        (("bad.jsonl", "--format", "xml"), "is not one of"),
    ],
)
def test_wrong_usage_is_2(check, arguments, message):
    result = check(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr


def test_what_cannot_be_read_is_a_finding(check, folder):
    (folder / "a.docx").write_bytes(b"PK\x03\x04")
    (folder / "cut.jsonl.gz").write_bytes(gzip.compress(jsonl(HONEST).encode())[:-9])
    (folder / "broken.jsonl").write_text('{"text": "a"\n')
    result = check("none.txt", "a.docx", "cut.jsonl.gz", "broken.jsonl")
    assert result.exit_code == 1
    assert [line.split(" ")[:2] for line in result.stdout.splitlines()] == [
        ["none.txt:1:1:", "RED001"], ["a.docx:1:1:", "RED001"], ["cut.jsonl.gz:1:1:", "RED001"], ["broken.jsonl:1:1:", "RED001"],
    ]  # fmt: skip


def test_folders_are_gone_through_and_hidden_ones_are_not(check, folder):
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "b.txt").write_text(INJECTED)
    (folder / "deep").mkdir()
    (folder / "deep" / "c.txt").write_text(INJECTED)
    paths = {line.split(":")[0] for line in check(".").stdout.splitlines()}
    assert paths == {"bad.jsonl", "deep/c.txt"}


@pytest.mark.parametrize("name", ["a.txt", "带 空格.txt", "两\n行.txt", "-x.txt", os.fsdecode(b"\xff.txt")])
def test_any_name(check, folder, name):
    (folder / name).write_text(INJECTED)
    result = check("--", name)
    assert result.exit_code == 1
    assert [":1:4: INJ001" in line or ":1:32: INJ001" in line for line in result.stdout.splitlines()] == [True] * 2


def test_statistics(check):
    assert check("bad.jsonl", "--statistics").stdout == "     2  INJ001  injected span\n     1  SPM001  spam block\n"


@pytest.mark.parametrize("output_format", ["json", "sarif"])
def test_machines_get_one_document_whatever_is_found(check, output_format):
    for name, code in (("good.jsonl", 0), ("bad.jsonl", 1)):
        result = check(name, "--format", output_format)
        assert result.exit_code == code
        assert json.loads(result.stdout) is not None


# ---------------------------------------------------------------- repairs


def test_diff_shows_and_writes_nothing_then_fix_writes_once(check, folder):
    before = (folder / "bad.jsonl").read_bytes()
    result = check("bad.jsonl", "good.jsonl", "--diff")
    assert result.exit_code == 1
    assert result.stdout.startswith("--- a/bad.jsonl\n+++ b/bad.jsonl\n")
    assert (folder / "bad.jsonl").read_bytes() == before
    result = check("bad.jsonl", "good.jsonl", "--fix")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "3 cut" in result.stderr
    after = INJECTED.replace(BRAND, "") + "\n" + HONEST
    assert (folder / "bad.jsonl").read_text("utf-8") == jsonl(HONEST, after)
    assert check("bad.jsonl", "--fix").output == ""


def test_fix_leaves_what_is_not_asked_for(check, folder):
    assert check("bad.jsonl", "--fix", "--select", "INJ").exit_code == 0
    assert SPAM in (folder / "bad.jsonl").read_text("utf-8")
    assert check("bad.jsonl").stdout.count("SPM001") == 1


def test_fix_leaves_markup_alone_and_says_so(check, folder):
    (folder / "a.html").write_text(f"<p>{INJECTED}</p><p>{HONEST}</p>")
    result = check("a.html", "--fix")
    assert result.exit_code == 1
    assert "a.html: not fixed: it is markup" in result.stderr
    assert result.stdout.count("INJ001") == 2


# ---------------------------------------------------------------- baselines and settings


def test_the_life_of_a_baseline(check, folder):
    made = check("bad.jsonl", "--reason", "old crawl", command="baseline create")
    assert (made.exit_code, made.stdout) == (0, "3 findings in 2 entries → .detector-baseline\n")
    assert check("bad.jsonl", command="baseline create").exit_code == 2
    known = ("--baseline", ".detector-baseline")
    assert check("bad.jsonl", *known).exit_code == 0
    text = (folder / "bad.jsonl").read_text("utf-8")
    (folder / "bad.jsonl").write_text(jsonl(HONEST) * 5 + text + jsonl(f"{INJECTED}{HONEST}"), "utf-8")
    kept = (folder / ".detector-baseline").read_bytes()
    assert check("bad.jsonl", *known).stdout.count("\n") == 2
    assert (folder / ".detector-baseline").read_bytes() == kept
    check("bad.jsonl", command="baseline update")
    rows = [json.loads(line) for line in (folder / ".detector-baseline").read_text("utf-8").splitlines()]
    assert [(row["count"], row["reason"]) for row in rows] == [(4, "old crawl"), (1, "old crawl")]
    (folder / "bad.jsonl").write_text(jsonl(INJECTED + HONEST), "utf-8")
    assert check(command="baseline prune").stdout.startswith("2 findings in 1 entries")
    (folder / "bad.jsonl").unlink()
    assert check(command="baseline prune").stdout.startswith("0 findings")


def test_settings_of_a_project(check, folder):
    (folder / "pyproject.toml").write_text(
        f'[tool.detector.check]\nignore = ["SPM"]\nallow = ["{BRAND}"]\n[tool.detector.check.per-file-ignores]\n"old/*" = ["RED"]\n'
    )
    assert check("bad.jsonl").exit_code == 0
    assert check("bad.jsonl", "--ignore", "RED").stdout.count("SPM001") == 1
    assert check("old/none.txt").exit_code == 0
    assert check("new/none.txt").exit_code == 1
    (folder / "pyproject.toml").write_text('[tool.detector.check]\nexclude = ["*.jsonl"]\n')
    assert check("bad.jsonl").exit_code == 0
    (folder / "pyproject.toml").write_text(
        '[tool.detector.check]\nthresholds = {SPM = 1.0, INJ001 = 1.0}\ntext-field = "text"\n'
    )
    assert check("bad.jsonl", "--select", "INJ").exit_code == 0
    (folder / "pyproject.toml").write_text("[tool.detector.check]\nfixx = 1\n")
    assert (check("bad.jsonl").exit_code, check("bad.jsonl", command="baseline create").exit_code) == (2, 2)


# ---------------------------------------------------------------- as a program


def program(folder, code, *arguments):
    script = (
        f"import sys; from detector.cli import main; sys.argv[1:] = {list(arguments)!r}\ntry: main()\nfinally: {code}"
    )
    return subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("arguments", [("--help",), ("check", "--help"), ("check", "good.jsonl", "bad.jsonl")])
def test_help_and_a_second_run_load_no_numpy(folder, arguments):
    heavy = "sys.stderr.write(str(sorted({'numpy', 'sklearn', 'selectolax', 'pyarrow', 'ahocorasick_rs'} & set(sys.modules))))"
    first, second = (program(folder, heavy, *arguments) for _ in range(2))
    assert second.stderr == "[]"
    assert second.stdout == first.stdout


def test_a_reader_that_leaves_early_is_no_error(folder):
    (folder / "many.txt").write_text(f"{HONEST}\n" * 800 + f"{SPAM}\n" * 700)
    done = subprocess.run(
        f"{sys.executable} -m detector check many.txt | head -n 1",
        shell=True,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.count("\n"), done.stderr) == (1, "")


def test_standard_input(folder):
    for text, place in (
        (jsonl(INJECTED), "-:1:26: INJ001"),
        (INJECTED, "-:1:4: INJ001"),
        (f"<p>{INJECTED}", "-:1:7: INJ001"),
    ):
        result = CliRunner().invoke(main, ["check", "-"], input=text)
        assert (result.exit_code, result.stdout[: len(place)]) == (1, place)
