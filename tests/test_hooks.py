"""The check under the real pre-commit, in real repositories."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from test_check import BRAND, HONEST, INJECTED, jsonl

ROOT = Path(__file__).resolve().parents[1]
HOOKS = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))}


def git(folder, *arguments, check=True):
    who = ("-c", "user.name=tester", "-c", "user.email=tester@example.org", "-c", "init.defaultBranch=main")
    return subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=check)


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """An empty repository whose commits nothing of this machine's settings can change."""
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "pre-commit"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=":")
    folder = tmp_path / "corpus"
    folder.mkdir()
    git(folder, "init")
    return folder


def install(folder, config):
    (folder / ".pre-commit-config.yaml").write_text(config, "utf-8")
    subprocess.run([sys.executable, "-m", "pre_commit", "install"], cwd=folder, check=True, capture_output=True)


def local(arguments=""):
    hook = HOOKS["detector-check"]
    return (
        "repos:\n- repo: local\n  hooks:\n  - id: detector-check\n    name: detector check\n    language: system\n"
        f"    entry: {sys.executable} -m detector check\n    args: [{arguments}]\n    types: [file]\n"
        f"    files: '{hook['files']}'\n    require_serial: true\n"
    )


def commit(folder, files):
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    git(folder, "add", "-A")
    return git(folder, "commit", "-m", "data", check=False)


def test_a_clean_commit_passes_and_one_with_findings_is_blocked(repository):
    install(repository, local())
    assert commit(repository, {"good 新闻.jsonl": jsonl(HONEST), "notes.md": INJECTED}).returncode == 0
    done = commit(repository, {"带 空格.jsonl": jsonl(INJECTED), "两\n行.txt": INJECTED})
    assert done.returncode == 1
    assert f"带 空格.jsonl:1:26: INJ001 injected '{BRAND}'" in done.stderr
    assert "两\\n行.txt:1:4: INJ001" in done.stderr
    assert git(repository, "log", "--oneline").stdout.count("\n") == 1


def test_a_baseline_lets_known_findings_pass_and_no_new_ones(repository):
    (repository / "old.jsonl").write_text(jsonl(INJECTED), "utf-8")
    subprocess.run([sys.executable, "-m", "detector", "baseline", "create", "old.jsonl"], cwd=repository, check=True)
    kept = (repository / ".detector-baseline").read_bytes()
    install(repository, local("--baseline=.detector-baseline"))
    assert commit(repository, {}).returncode == 0
    assert commit(repository, {"old.jsonl": jsonl(INJECTED, f"{HONEST}{INJECTED}")}).returncode == 1
    assert (repository / ".detector-baseline").read_bytes() == kept


def test_fix_blocks_once_and_the_second_commit_passes(repository):
    install(repository, local("--fix"))
    assert commit(repository, {"a.jsonl": jsonl(INJECTED)}).returncode == 1
    assert commit(repository, {}).returncode == 0
    assert (repository / "a.jsonl").read_text("utf-8") == jsonl(INJECTED.replace(BRAND, ""))


def test_the_hook_of_this_repository_brings_its_model(repository, tmp_path):
    """As users have it: pre-commit clones a revision and installs the package, with all it needs, from there."""
    source = tmp_path / "detector"
    for name in git(ROOT, "ls-files", "-z").stdout.split("\0"):
        if (name.startswith(("detector/", "models/")) or "/" not in name) and (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, source / name)
    git(source, "init")
    git(source, "add", "-A")
    git(source, "commit", "-m", "one")
    revision = git(source, "rev-parse", "HEAD").stdout.strip()
    install(
        repository,
        f"repos:\n- repo: {source}\n  rev: {revision}\n  hooks:\n  - id: detector-check\n  - id: detector-check-corpus\n",
    )
    done = commit(repository, {"a.jsonl": jsonl(INJECTED)})
    if re.search("Could not fetch URL|No matching distribution found|Temporary failure", done.stderr):
        pytest.skip("no package index can be reached")
    assert done.returncode == 1
    assert f"a.jsonl:1:26: INJ001 injected '{BRAND}'" in done.stderr
    assert commit(repository, {"a.jsonl": jsonl(HONEST)}).returncode == 0
    by_hand = [sys.executable, "-m", "pre_commit", "run", "--hook-stage", "manual", "--all-files"]
    done = subprocess.run(
        [*by_hand, "detector-check-corpus"], cwd=repository, capture_output=True, text=True, check=True
    )
    assert "Passed" in done.stdout


@pytest.mark.parametrize("hook", HOOKS.values(), ids=HOOKS)
@pytest.mark.parametrize(
    ("name", "caught"),
    [
        ("a.jsonl", True), ("a.ndjson", True), ("a.jsonl.gz", True), ("a.jsonl.zst", True), ("deep/文 件.txt", True),
        ("a.HTML", True), ("a.htm", True), ("a.shtml", True), ("a.xhtml", True), ("a.parquet", True), ("a.warc.gz", True), ("a.wet.gz", True),
        ("a.json", False), ("a.py", False), ("atxt", False), ("a.txt.py", False), (".detector-baseline", False), ("a.gz", False),
    ],
)  # fmt: skip
def test_the_names_that_are_looked_at(hook, name, caught):
    assert bool(re.search(hook["files"], name)) is caught


@pytest.mark.parametrize("hook", HOOKS.values(), ids=HOOKS)
def test_hooks_load_the_model_once(hook):
    assert hook["require_serial"] is True
    assert hook["types"] == ["file"]
