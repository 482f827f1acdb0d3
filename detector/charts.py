"""Charts as SVG that take their colours from the page they stand in: no library, light and dark, sharp in print."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import numpy as np
from numpy.typing import NDArray

from detector.arrays import Floats

WIDTH, HEIGHT = 360, 300
LEFT, TOP, RIGHT, BOTTOM = 48, 12, 12, 40  # what stands around the axes
MAX_POINTS = 200  # of a curve
TICKS = np.linspace(0, 1, 6)

Curve = tuple[Floats, Floats]  # x and y, from 0 to 1


def line_chart(curves: Mapping[str, Curve], *, x: str, y: str, dots: bool = False, diagonal: bool = False) -> str:
    """Draw curves over the unit square; their names are the classes of their strokes.

    Parameters
    ----------
    dots : bool
        Mark the points that are known.
    diagonal : bool
        Draw the line on which x is y.
    """
    drawn = [_path(*_thinned(*curve), name, dots) for name, curve in curves.items()]
    line = f'<path class="grid" d="M{_x(0):.1f} {_y(0):.1f}L{_x(1):.1f} {_y(1):.1f}"/>' if diagonal else ""
    return _framed(_grid() + line + "".join(drawn) + _legend(curves, 0.97 if diagonal else 0.18), x, y)


def histogram(values: Floats, *, x: str, y: str, bins: int = 20) -> str:
    """Count values from 0 to 1; the axis of counts is that of their logs, for most pages are good."""
    counts, edges = np.histogram(values, bins, (0, 1))
    top = np.log1p(max(1, counts.max(initial=0)))
    bars = []
    for count, low, high in zip(counts.tolist(), edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        tall = float(np.log1p(count) / top)
        bars.append(
            f'<rect class="tower" x="{_x(low) + 0.5:.1f}" y="{_y(tall):.1f}" width="{_x(high) - _x(low) - 1:.1f}" '
            f'height="{_y(0) - _y(tall):.1f}"><title>{low:.2f} to {high:.2f}: {count}</title></rect>'
        )
    marks = [n for n in (1, 10, 100, 1000, 10000) if np.log1p(n) <= top]
    scale = "".join(_y_tick(float(np.log1p(n) / top), f"{n:,}") for n in marks)
    return _framed(scale + "".join(_x_tick(t) for t in TICKS.tolist()) + "".join(bars), x, y)


def _x(value: float) -> float:
    return LEFT + value * (WIDTH - LEFT - RIGHT)


def _y(value: float) -> float:
    return HEIGHT - BOTTOM - value * (HEIGHT - TOP - BOTTOM)


def _thinned(x: Floats, y: Floats) -> Curve:
    """Keep points that are apart on the x axis, the first and last among them."""
    if len(x) <= MAX_POINTS:
        return x, y
    at: NDArray[np.int64] = np.unique(np.searchsorted(x, np.linspace(x[0], x[-1], MAX_POINTS)))
    return x[at], y[at]


def _path(x: Floats, y: Floats, name: str, dots: bool) -> str:
    points = [(_x(float(a)), _y(float(b))) for a, b in zip(x, y, strict=True)]
    line = "L".join(f"{a:.1f} {b:.1f}" for a, b in points)
    marks = "".join(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3"/>' for a, b in points) if dots else ""
    return f'<g class="curve {escape(name)}"><path d="M{line}"/>{marks}</g>' if points else ""


def _grid() -> str:
    return "".join(_x_tick(t) + _y_tick(t, f"{t:.1f}") for t in TICKS.tolist())


def _x_tick(value: float) -> str:
    at = _x(value)
    return (
        f'<path class="grid" d="M{at:.1f} {_y(0):.1f}V{_y(1):.1f}"/>'
        f'<text x="{at:.1f}" y="{_y(0) + 16:.1f}" text-anchor="middle">{value:.1f}</text>'
    )


def _y_tick(value: float, shown: str) -> str:
    at = _y(value)
    return (
        f'<path class="grid" d="M{_x(0):.1f} {at:.1f}H{_x(1):.1f}"/>'
        f'<text x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{shown}</text>'
    )


def _legend(names: Mapping[str, Curve], top: float) -> str:
    """Name the curves where none of them goes: above a diagonal, or below what falls from the right."""
    rows = (
        f'<g class="curve {escape(name)}"><path d="M{LEFT + 12} {_y(top) + 4 + 16 * i:.1f}h18"/>'
        f'<text x="{LEFT + 36}" y="{_y(top) + 8 + 16 * i:.1f}">{escape(name)}</text></g>'
        for i, name in enumerate(names)
    )
    return "".join(rows)


def _framed(inside: str, x: str, y: str) -> str:
    middle = (TOP + HEIGHT - BOTTOM) / 2
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(y)} over {escape(x)}">{inside}'
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 6}" text-anchor="middle">{escape(x)}</text>'
        f'<text x="12" y="{middle}" text-anchor="middle" transform="rotate(-90 12 {middle})">{escape(y)}</text></svg>'
    )
