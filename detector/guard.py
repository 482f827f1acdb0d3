"""Work on pages of which one may crash, hang or eat memory: it costs a child process, never the run.

A nursery, a fresh process, loads what the work needs once and forks children that share it; a child takes
one handful of items after another over a socket of its own. A handful whose child died is tried again item by item, so
the death is that of the item that caused it. The kernel enforces the limits, inside C code too: an alarm that nobody
handles ends a child in time, and its address space is bounded. A child that died is told from its exit status and
replaced in some milliseconds. Nursery and children end when whoever started them does, for their sockets close.
"""

from __future__ import annotations

import gc
import os
import pickle
import resource
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from multiprocessing.reduction import recv_handle, send_handle
from typing import Any, Generic, NamedTuple, TypeVar

from detector.errors import DetectorError

SECONDS = 30.0  # of a core that an item may take; the slowest real pages take some 2
PATIENCE = 10  # times as many by the clock, for an item that waits for what never comes; machines may be busy
MEMORY = 2 << 30  # bytes of address space that a child may take beyond what it starts with
WINDOW = 64  # handfuls that may wait for one before them
# Threads of a numeric library would neither survive a fork nor share the cores with the other children.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
NEW, STATUS = "new", "status"  # what a nursery is asked for: a child, and how one ended

Item = TypeVar("Item")
Answer = TypeVar("Answer")
Tag = TypeVar("Tag")


class Died(NamedTuple):
    """No answer: `code` is ``timeout``, ``memory``, ``crashed`` or, where the work raised an error, ``failed``."""

    code: str
    message: str


class _Child:
    def __init__(self, nursery: Connection, nursery_pid: int) -> None:
        self.connection, theirs = Pipe()
        nursery.send(NEW)
        send_handle(nursery, theirs.fileno(), nursery_pid)
        theirs.close()
        self.pid: int = nursery.recv()


class _Handful(Generic[Tag, Answer]):
    """Items that are sent together, and the answers there are so far."""

    def __init__(self, tag: Tag, size: int) -> None:
        self.tag = tag
        self.answers: list[Answer | Died | None] = [None] * size

    @property
    def is_done(self) -> bool:
        return None not in self.answers


class _Task(NamedTuple):
    """Some items of a handful, from number `first` on."""

    handful: _Handful[Any, Any]
    first: int
    items: Sequence[Any]

    def settle(self, answers: list[Any] | Died) -> list[_Task]:
        """Take the answers, or return what is to be tried apart."""
        if isinstance(answers, Died) and len(self.items) > 1:
            return [_Task(self.handful, self.first + i, [item]) for i, item in enumerate(self.items)]
        found = [answers] if isinstance(answers, Died) else answers
        self.handful.answers[self.first : self.first + len(self.items)] = found
        return []


class Guard(Generic[Item, Answer]):
    """Children that do `load(*arguments)`'s work: a function of some items that returns an answer to each.

    Parameters
    ----------
    load : callable
        Called once, in the nursery; a function of a module, for it is found there by its name.
    arguments : tuple
    workers : int
        Children at work at the same time.
    seconds : float
        Time of a core that one item may take, so that a busy machine does not change what comes out. A handful that
        takes more is tried again item by item.
    memory : int
        Bytes that a child may take beyond what it starts with.

    Raises
    ------
    DetectorError
        That `load` raised.
    """

    def __init__(
        self, load: Callable[..., Callable[[list[Item]], list[Answer]]], arguments: tuple[Any, ...] = (), *, workers: int = 1,
        seconds: float = SECONDS, memory: int = MEMORY,
    ) -> None:  # fmt: skip
        if workers < 1:
            raise ValueError("workers must be 1 or more")
        self._nursery, theirs = Pipe()
        command = [sys.executable, "-c", f"from detector.guard import tend; tend({theirs.fileno()})"]
        path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
        self._process = subprocess.Popen(
            command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            env=os.environ | ONE_THREAD | {"PYTHONPATH": path},
        )  # fmt: skip
        theirs.close()
        self._nursery.send((seconds, memory, load, arguments))
        try:
            problem = self._nursery.recv()
            if problem is not None:
                raise problem
            self._children = [self._new_child() for _ in range(workers)]
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Guard[Item, Answer]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the children and the nursery; a child at work ends within its time."""
        for child in getattr(self, "_children", []):
            child.connection.close()
        self._nursery.close()
        self._process.wait()

    @property
    def pids(self) -> list[int]:
        """Process ids of the children, as they are now."""
        return [child.pid for child in self._children]

    def _new_child(self) -> _Child:
        return _Child(self._nursery, self._process.pid)

    def map(self, handfuls: Iterable[tuple[Tag, Sequence[Item]]]) -> Iterator[tuple[Tag, list[Answer | Died]]]:
        """Yield the answers to each handful with its tag, in input order, whatever the number of children.

        Items are dropped as soon as they are answered; of answers that wait for others before them, only the tag is kept.
        """
        waiting: deque[_Handful[Tag, Answer]] = deque()
        apart: deque[_Task] = deque()
        busy: dict[Any, tuple[int, _Task]] = {}
        idle = list(range(len(self._children)))
        source = iter(handfuls)
        ahead = next(source, None)
        while waiting or busy or ahead is not None:
            while idle and (apart or (ahead is not None and len(waiting) < WINDOW)):
                if apart:
                    task = apart.popleft()
                elif ahead is not None:
                    task = _Task(_Handful(ahead[0], len(ahead[1])), 0, ahead[1])
                    waiting.append(task.handful)
                    ahead = next(source, None)
                place = idle.pop()
                busy[self._send(place, task.items)] = place, task
            for connection in wait(list(busy)) if busy else ():
                place, task = busy.pop(connection)
                apart.extend(task.settle(self._receive(place)))
                idle.append(place)
            while waiting and waiting[0].is_done:
                yield waiting[0].tag, waiting.popleft().answers  # type: ignore[misc]  # none is missing

    def ask(self, item: Item) -> Answer | Died:
        """Return the answer to one item."""
        self._send(0, [item])
        answers: list[Answer] | Died = self._receive(0)
        return answers if isinstance(answers, Died) else answers[0]

    def _send(self, place: int, items: Sequence[Item]) -> Connection:
        try:
            self._children[place].connection.send(items)
        except OSError:  # it died while it had nothing to do
            self._replace(place)
            self._children[place].connection.send(items)
        return self._children[place].connection

    def _receive(self, place: int) -> Any:
        try:
            return self._children[place].connection.recv()
        except (OSError, EOFError, pickle.UnpicklingError):
            return self._replace(place)

    def _replace(self, place: int) -> Died:
        child = self._children[place]
        child.connection.close()
        try:
            self._nursery.send((STATUS, child.pid))
            status: int = self._nursery.recv()
            self._children[place] = self._new_child()
        except (OSError, EOFError) as error:
            raise DetectorError("the process that starts the workers was ended from outside; run again") from error
        return _cause_of(os.waitstatus_to_exitcode(status))


def _cause_of(exit_code: int) -> Died:
    if exit_code in (-signal.SIGPROF, -signal.SIGALRM):
        return Died("timeout", "took more time than a page may")
    if exit_code == -signal.SIGKILL:
        return Died("memory", "its process was killed, as the system does where memory is short")
    if exit_code < 0:
        return Died("crashed", f"its process ended with {signal.Signals(-exit_code).name}")
    return Died("crashed", f"its process ended with exit code {exit_code}")


# ---------------------------------------------------------------- the side of the nursery


def tend(handle: int) -> None:
    """Be a nursery: load, then start children and tell how they ended, as long as somebody asks."""
    with suppress(EOFError, OSError):
        _tend(Connection(handle))


def _tend(nursery: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever started us
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    seconds, memory, load, arguments = nursery.recv()
    try:
        work = load(*arguments)
    except DetectorError as error:
        nursery.send(error)
        return
    gc.freeze()  # what is loaded stays shared between the children
    nursery.send(None)
    while True:
        order = nursery.recv()
        if order == NEW:
            nursery.send(_fork(nursery, work, seconds, memory))
        else:
            nursery.send(os.waitpid(order[1], 0)[1])


def _fork(nursery: Connection, work: Callable[[Any], Any], seconds: float, memory: int) -> int:
    handle = recv_handle(nursery)
    pid = os.fork()
    if pid == 0:
        nursery.close()
        with suppress(EOFError, OSError):
            _serve(Connection(handle), work, seconds, memory)
        os._exit(0)
    os.close(handle)
    return pid


def _serve(connection: Connection, work: Callable[[Any], Any], seconds: float, memory: int) -> None:
    _limit_memory(memory)
    while True:
        items = connection.recv()
        signal.setitimer(signal.ITIMER_PROF, seconds)
        signal.setitimer(signal.ITIMER_REAL, PATIENCE * seconds)
        try:
            answers = work(items)
        except MemoryError:
            answers = Died("memory", "needs more memory than a page may")
        except Exception as error:  # one item must not end the run, whatever is wrong with it or with us
            answers = Died("failed", f"{type(error).__name__}: {error}")
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        connection.send(answers)


def _limit_memory(beyond: int) -> None:
    """Bound the address space, and let the system end this process first where memory is short."""
    with open("/proc/self/statm") as sizes:
        used = int(sizes.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + beyond, used + beyond))
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
        score.write("1000")
