"""A multilayer perceptron as plain arrays: what scikit-learn fitted, evaluated without importing it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detector import compiled

UNBOUNDED = np.finfo(np.float32).max
HEAD = 4  # classes that a second layer has room for: as many as are added up at once
ROWS_AT_ONCE = 1024  # taken through the layers; what is made of them stays in the cache of a core

Rows = NDArray[np.float32] | Sequence[NDArray[np.float32]]  # features, (n, f), or parts of them that stand side by side


class Network(NamedTuple):
    """Scaling and both layers of one fitted pipeline (see `train` and `train_spans`).

    `low`, `high`, `mean`, `scale` are float32 (f,); `weights[i]` float32 (in, out), `biases[i]` float32 (out,).
    """

    low: NDArray[np.float32]
    high: NDArray[np.float32]
    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    weights: tuple[NDArray[np.float32], ...]
    biases: tuple[NDArray[np.float32], ...]

    def unbounded(self) -> Network:
        """Return the network for features that are bounded by what they are, and need not be clipped."""
        return self._replace(low=np.full_like(self.low, -UNBOUNDED), high=np.full_like(self.high, UNBOUNDED))

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Return all arrays by name, for saving."""
        named = {"low": self.low, "high": self.high, "mean": self.mean, "scale": self.scale}
        named |= {f"weights{i}": w for i, w in enumerate(self.weights)}
        return named | {f"biases{i}": b for i, b in enumerate(self.biases)}

    @classmethod
    def from_arrays(cls, named: Mapping[str, NDArray[np.float32]]) -> Network:
        """Undo `arrays`; KeyError when one is missing."""
        depth = sum(name.startswith("weights") for name in named)
        weights = tuple(named[f"weights{i}"] for i in range(depth))
        biases = tuple(named[f"biases{i}"] for i in range(depth))
        return cls(named["low"], named["high"], named["mean"], named["scale"], weights, biases)

    @classmethod
    def from_pipeline(cls, pipeline: Any) -> Network:
        """Read the arrays out of a fitted MinMaxScaler → StandardScaler → SimpleImputer → MLPClassifier.

        Raises
        ------
        ValueError
            If the network's classes are not 0, 1, … or its units are not rectified, in one hidden layer.
        """
        perceptron = pipeline.steps[-1][1]
        usual = list(perceptron.classes_) == list(range(len(perceptron.classes_))) and perceptron.activation == "relu"
        if not usual or len(perceptron.coefs_) != 2:
            raise ValueError("the network must have classes 0, 1, … and rectified units in one hidden layer")
        coefs, intercepts = list(perceptron.coefs_), list(perceptron.intercepts_)
        if len(perceptron.classes_) == 2:  # one logistic output: the same as a softmax over it and 0
            coefs[-1] = np.hstack([np.zeros_like(coefs[-1]), coefs[-1]])
            intercepts[-1] = np.hstack([[0.0], intercepts[-1]])
        layers = (tuple(a.astype(np.float32) for a in group) for group in (coefs, intercepts))
        low, high, mean, scale = (column.astype(np.float32) for column in units(pipeline))
        return cls(low, high, mean, scale, *layers)


def units(pipeline: Any) -> tuple[NDArray[np.float64], ...]:
    """Return low, high, mean and scale, float64 (f,) each, of a pipeline that begins with MinMaxScaler → StandardScaler.

    The first scaler only clips: its output is mapped back, so that all are in the features' own units.
    """
    (_, bounds), (_, standard), *_ = pipeline.steps
    low, high = -bounds.min_ / bounds.scale_, (1 - bounds.min_) / bounds.scale_
    return low, high, (standard.mean_ - bounds.min_) / bounds.scale_, standard.scale_ / bounds.scale_


class Panel(NamedTuple):
    """Networks that were fitted on the same rows and are asked together: what they say is averaged.

    `first` float32 (f, units of all) holds their first layers side by side, in units of the features less their means, and
    `bias` float32 (units of all) what is added; `heads` float32 (units of all, 4) their second layers one below another,
    classes that they do not have included, and `outs` float32 (networks, k) what is added there. The units of a network
    end at `ends`, int64 (networks,).
    """

    networks: tuple[Network, ...]
    first: NDArray[np.float32]
    bias: NDArray[np.float32]
    heads: NDArray[np.float32]
    outs: NDArray[np.float32]
    ends: NDArray[np.int64]
    clips: bool  # whether any feature has bounds

    @classmethod
    def of(cls, networks: Sequence[Network]) -> Panel:
        """Put networks side by side.

        Raises
        ------
        ValueError
            When they do not scale their features alike, have more than one hidden layer, or more than four classes.
        """
        if any(len(network.weights) != 2 for network in networks):
            raise ValueError("the networks must have one hidden layer")
        if not all(
            np.array_equal(a, b, equal_nan=True)
            for n in networks[1:]
            for a, b in zip(n[:4], networks[0][:4], strict=True)
        ):
            raise ValueError("the networks scale their features in different ways")
        first = np.hstack([network.weights[0] for network in networks]) / networks[0].scale[:, None]
        heads = np.vstack([network.weights[1] for network in networks])
        heads = np.pad(heads, ((0, 0), (0, HEAD - heads.shape[1])))
        outs = np.array([network.biases[1] for network in networks])
        ends = np.cumsum([len(network.biases[0]) for network in networks])
        clips = bool((np.abs([networks[0].low, networks[0].high]) < UNBOUNDED).any())
        bias = np.hstack([network.biases[0] for network in networks])
        return cls(tuple(networks), first, bias, heads, outs, ends, clips)

    @classmethod
    def from_arrays(cls, named: Mapping[str, NDArray[Any]], kind: str) -> Panel:
        """Collect the networks that `arrays` named; KeyError when there is none, or an array is missing."""
        numbers = sorted({int(name.split("/")[1]) for name in named if name.startswith(f"{kind}/")})
        if not numbers:
            raise KeyError(kind)
        prefixes = [f"{kind}/{number}/" for number in numbers]
        parts = [{k.removeprefix(p): v for k, v in named.items() if k.startswith(p)} for p in prefixes]
        return cls.of([Network.from_arrays(part) for part in parts])

    def arrays(self, kind: str) -> dict[str, NDArray[np.float32]]:
        """Return all arrays as ``kind/number/name``, for saving."""
        return {f"{kind}/{i}/{name}": a for i, n in enumerate(self.networks) for name, a in n.arrays().items()}

    def predict_proba(
        self, X: Rows, offsets: NDArray[np.int64] | None = None, chosen: NDArray[np.int64] | None = None
    ) -> NDArray[np.float32]:
        """Return the mean of their class probabilities, float32 (n, k); NaN counts as the training mean.

        Of the rows, those `chosen` are looked at, in that order; without, all. Page ``i`` of a batch has ``offsets[i]`` to
        ``offsets[i + 1]`` of them: what is said of them does not depend on the batch, to the last bit. Without, all are one
        page's.
        """
        parts = [X] if isinstance(X, np.ndarray) else X
        chosen = np.arange(len(parts[0])) if chosen is None else chosen
        offsets = np.array([0, len(chosen)]) if offsets is None else offsets
        logits = np.empty((*self.outs.shape[::-1], int(offsets[-1])), np.float32)
        for some in _portions(offsets):
            rows = slice(int(some[0]), int(some[-1]))
            layer = product(self._scaled(parts, chosen[rows]), self.first, some - some[0])
            self._add_up(layer, logits[:, :, rows])
        said = normalised(logits)
        mean: NDArray[np.float32] = (reduce(np.add, said.transpose(1, 0, 2)) / np.float32(len(self.networks))).T
        return mean

    def _add_up(self, layer: NDArray[np.float32], logits: NDArray[np.float32]) -> None:
        """Rectify what leaves the first layer, and write what each network makes of it into `logits` (k, networks, n)."""
        if compiled.loops is not None:
            compiled.loops.add_up(layer, self.bias, self.heads, self.ends, self.outs, logits)
            return
        active = np.maximum(layer + self.bias, 0)
        for number, units in enumerate(np.split(np.arange(len(self.bias)), self.ends[:-1])):
            logits[:, number] = self.outs[number][:, None]
            for unit in units:  # one after another, as compiled: sums of other orders have other last bits
                logits[:, number] += self.heads[unit, : len(logits), None] * active[:, unit]

    def _scaled(self, parts: Sequence[NDArray[np.float32]], chosen: NDArray[np.int64]) -> NDArray[np.float32]:
        """Put features of chosen rows side by side, bound them and take their means away; what is unknown is 0."""
        by_columns = parts[0].strides[0] == parts[0].itemsize
        shape = len(chosen), len(self.first)
        out = np.empty(shape, np.float32, order="F" if by_columns else "C")
        for part, end in zip(parts, accumulate(part.shape[1] for part in parts), strict=True):
            mine = slice(end - part.shape[1], end)
            low, high, mean = (bound[mine] for bound in self.networks[0][:3])
            _scale(part, chosen, low, high, mean, self.clips, out[:, mine])
        return out


def _portions(offsets: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Cut the offsets of pages into those of consecutive ones, of `ROWS_AT_ONCE` or somewhat more."""
    first = last = 0
    while last < len(offsets) - 1 or first == last:
        first, last = last, max(last + 1, int(np.searchsorted(offsets, offsets[last] + ROWS_AT_ONCE)))
        yield offsets[first : last + 1]


def _scale(
    rows: NDArray[np.float32], chosen: NDArray[np.int64], low: NDArray[np.float32], high: NDArray[np.float32],
    mean: NDArray[np.float32], clips: bool, out: NDArray[np.float32],
) -> None:  # fmt: skip
    contiguous = any(mine == its == out.itemsize for mine, its in zip(rows.strides, out.strides, strict=True))
    if compiled.loops is not None and rows.dtype == np.float32 and contiguous:
        compiled.loops.scaled(rows, chosen, low, high, mean, clips, out)
        return
    rows = rows[chosen]
    np.subtract(np.clip(rows, low, high) if clips else rows, mean, out=out)
    out[np.isnan(out)] = 0


def product(rows: NDArray[np.float32], weights: NDArray[np.float32], offsets: NDArray[np.int64]) -> NDArray[np.float32]:
    """Multiply the rows of one page after another: the last bits of a product depend on how many rows it is made of."""
    out = np.empty((len(rows), weights.shape[1]), np.float32)
    for first, last in pairwise(offsets.tolist()):
        if first < last:
            np.matmul(rows[first:last], weights, out=out[first:last])
    return out


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Normalise rows of `logits` to probabilities."""
    return normalised(np.array(logits.T, order="C")).T


def normalised(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Take the softmax over the first axis, in place: numpy is quicker at adding up long rows than short ones."""
    logits -= reduce(np.maximum, logits)
    powers = np.exp(logits, out=logits)
    powers /= reduce(np.add, powers[1:], powers[0])
    return powers
