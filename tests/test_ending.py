from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from detector.ending import orderly


def run(work: str, stdout: int | IO[bytes] = subprocess.PIPE) -> tuple[int, str]:
    """Do some work in a process of its own; return its exit code and what it said."""
    code = f"import os, signal, sys, time\nfrom detector.ending import orderly\nwith orderly('; run again to go on'):\n    {work}"
    done = subprocess.run([sys.executable, "-c", code], stdout=stdout, stderr=subprocess.PIPE, check=False)
    return done.returncode, done.stderr.decode()


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_command_that_is_stopped_says_so(name: str, code: int) -> None:
    found = run(f"os.kill(os.getpid(), signal.{name}); time.sleep(9)")
    assert found == (code, f"detector: stopped by {name}; run again to go on\n")


def test_a_full_disk_is_told_in_one_line() -> None:
    with Path("/dev/full").open("wb") as full:
        found = run("print('渡口' * 9999, flush=True)", full)
    assert found == (2, "detector: the output cannot be written: No space left on device; run again to go on\n")


def test_nobody_takes_the_output() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as pipe:
        assert run("print('渡口' * 9999, flush=True)", pipe) == (141, "")


def test_other_errors_are_faults_and_keep_their_traceback() -> None:
    with pytest.raises(FileNotFoundError), orderly():
        Path("/nowhere/渡口").read_bytes()
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
