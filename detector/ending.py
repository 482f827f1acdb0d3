"""How a command ends that is stopped, or whose output nobody takes: in order, with one line, never with a traceback."""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from detector.talk import say

EXIT_FULL = 2
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS)


class Stopped(KeyboardInterrupt):
    """SIGTERM came. It is met where Ctrl-C is, so that children end, locks are freed and what is buffered is written."""


@contextmanager
def orderly(advice: str = "") -> Iterator[None]:
    """Turn signals and full disks into exit codes, as shells know them: 130 Ctrl-C, 143 SIGTERM, 141 a closed pipe.

    Parameters
    ----------
    advice : str
        What may be done when the command was stopped, put behind the line that says so.
    """
    before = _on_term(_stop)
    try:
        yield
    except KeyboardInterrupt as error:
        number = signal.SIGTERM if isinstance(error, Stopped) else signal.SIGINT
        _end(128 + number, f"stopped by {number.name}{advice}")
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)
        _end(128 + signal.SIGPIPE)
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        _end(EXIT_FULL, f"{error.filename or 'the output'} cannot be written: {error.strerror}{advice}")
    finally:
        _on_term(before)


def _on_term(handler: signal._HANDLER) -> signal._HANDLER:
    """Set what SIGTERM does, and return what it did; only the main thread may."""
    return signal.signal(signal.SIGTERM, handler) if threading.current_thread() is threading.main_thread() else None


def _stop(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise Stopped


def _end(code: int, message: str = "") -> NoReturn:
    if message:
        say(message, "error")
    sys.exit(code)
