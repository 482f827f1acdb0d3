"""The one command that checks everything: format, lint, types, tests with coverage.

    python tests/check.py [--fix] [pytest arguments]

It needs the extra `dev`; with --fix it repairs what ruff can repair first. All tests run in as many processes as there are
cores; with arguments, which go to pytest, in one and without coverage.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def steps(fix: bool, arguments: list[str]) -> list[list[str]]:
    ruff = [[sys.executable, "-m", "ruff", "format"], [sys.executable, "-m", "ruff", "check"]]
    ruff = [
        step + (["--fix"] if fix and step[-1] == "check" else ["--check"] if step[-1] == "format" and not fix else [])
        for step in ruff
    ]
    # A file's tests share what they set up; files are taken in the order of `testpaths`, the longest first.
    shared_out = ["-n", "auto", "--dist", "loadfile", "--no-loadscope-reorder"]
    all_tests = ["--cov", "--cov-report=term", "--durations=10", *shared_out]
    return [*ruff, [sys.executable, "-m", "mypy"], [sys.executable, "-m", "pytest", *(arguments or all_tests)]]


def main(arguments: list[str]) -> int:
    fix = "--fix" in arguments
    failed = []
    for step in steps(fix, [a for a in arguments if a != "--fix"]):
        name = " ".join(step[2:4])
        print(f"── {name}", flush=True)
        if subprocess.run(step, cwd=ROOT, check=False).returncode:
            failed.append(name)
    print(f"failed: {', '.join(failed)}" if failed else "all checks passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
