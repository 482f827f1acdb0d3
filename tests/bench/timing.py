"""Seconds spent in steps of the flow, without touching it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from time import perf_counter
from typing import Any
from unittest.mock import patch


@contextmanager
def timed(steps: Sequence[tuple[Any, str]], spent: dict[str, float]) -> Iterator[None]:
    """Add up the seconds that steps take; a step is what holds a function, and the function's name there."""

    def wrapped(name: str, step: Callable[..., Any]) -> Callable[..., Any]:
        def timing(*args: Any, **kwargs: Any) -> Any:
            start = perf_counter()
            result = step(*args, **kwargs)
            spent[name] += perf_counter() - start
            return result

        return timing

    with ExitStack() as stack:
        for holder, name in steps:
            stack.enter_context(patch.object(holder, name, wrapped(name, getattr(holder, name))))
        yield
