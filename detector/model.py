"""A model folder: loading, saving, checking, and the two passes of prediction.

A folder holds ``classifier.skops`` (scikit-learn's own objects, for `train` and whoever wants to look),
``weights.npz`` (the same weights as plain arrays, which prediction reads: no scikit-learn, no pickle),
``golden.npz`` (inputs with the probabilities that scikit-learn gave when the model was saved), ``card.json`` and
``README.md``. Loading never runs code from a file, and refuses a folder whose golden vectors it cannot reproduce.
"""

from __future__ import annotations

import hashlib
import json
import os
import warnings
import zipfile
import zlib
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detector.arrays import side_by_side
from detector.blocks import Blocks
from detector.errors import ModelError
from detector.features import FEATURES_VERSION, OWN_NAMES, beside_own, consensus, featurize
from detector.labels import Label
from detector.lexicon import Lexicon
from detector.model_folder import find_model
from detector.network import Panel
from detector.ngrams import Words
from detector.screen import Screen
from detector.spans import SpanModel

TRUSTED_TYPES = ["numpy.dtype"]  # besides those that skops itself trusts; fixed here, never read from a file
GOLDEN_TOLERANCE = 1e-4  # probabilities; other BLAS builds round differently
CERTAIN = 0.9999  # probability of chrome by the first pass from which the second is not asked
MAX_WEIGHTS_BYTES = 64 << 20  # unpacked; what a damaged or hostile archive may claim


class Layout(NamedTuple):
    """What the passes need of blocks besides features: `n_chars` (n,), `holders` (n, k), `page_offsets` (p + 1,)."""

    n_chars: NDArray[np.int64]
    holders: NDArray[np.int32]
    page_offsets: NDArray[np.int64]

    @classmethod
    def of(cls, blocks: Blocks) -> Layout:
        """Take the layout of blocks."""
        return cls(blocks.n_chars, blocks.holders, blocks.page_offsets)


@dataclass(frozen=True)
class ModelCard:
    """card.json: what a model is, what it needs, how good it was found to be."""

    name: str
    feature_names: list[str]
    features_version: int
    content_threshold: float
    spam_threshold: float
    text_spam_threshold: float  # the same for plain text
    policies: dict[str, tuple[float, float]]  # both spam thresholds of each
    classifier: dict[str, Any]
    lexicon_sha256: str
    data_sha256: str
    data: dict[str, Any]
    scores: dict[str, Any]
    versions: dict[str, str]
    created: str
    sha256: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Model:
    """Everything that prediction needs.

    `screen` finds what is plainly chrome. Of the rest, `first` sees a block's own features and its neighbours'; `second`
    sees what is thought of the surroundings beside the block's own features. Each is a panel of networks.
    """

    words: Words
    screen: Screen
    first: Panel
    second: Panel
    card: ModelCard
    spans: SpanModel | None = None

    def predict_proba(self, own: NDArray[np.float32], layout: Layout) -> NDArray[np.float32]:
        """Return float32 (n, 3) in `Label` order from features that `features.featurize` made."""
        if len(own) == 0:
            return np.zeros((0, 3), np.float32)
        unclear = self.screen.unclear(own)
        offsets = np.searchsorted(unclear, layout.page_offsets)
        proba = plainly_chrome(len(own))
        proba[unclear] = self.first.predict_proba(beside_own(own, layout.page_offsets), offsets, unclear)
        asked = doubtful(proba)
        parts, offsets = [consensus.columns(proba, *layout), own], np.searchsorted(asked, layout.page_offsets)
        proba[asked] = self.second.predict_proba(parts, offsets, asked)
        return proba

    def under(self, policy: str) -> Model:
        """Return the model with the thresholds of a policy, one of `labels.POLICIES`."""
        page, text = self.card.policies[policy]
        card = replace(self.card, spam_threshold=page, text_spam_threshold=text)
        return replace(self, card=card, spans=self.spans and self.spans.under(policy))

    def classify(self, blocks: Blocks, lexicon: Lexicon) -> NDArray[np.float32]:
        """Featurise blocks and return their probabilities, float32 (n, 3)."""
        return self.predict_proba(featurize(blocks, lexicon, self.words), Layout.of(blocks))


def plainly_chrome(n: int) -> NDArray[np.float32]:
    """Return the probabilities of blocks that the screen holds back, float32 (n, 3): as certain as is certain enough."""
    proba = np.full((n, 3), (1 - CERTAIN) / 2, np.float32)
    proba[:, Label.CHROME] = CERTAIN
    return proba


def doubtful(proba: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the blocks that the second pass is asked about: all but those that the first is certain are chrome.

    These are two thirds of real blocks, and the second pass hardly ever says otherwise: of 57,000 blocks, once.
    """
    return np.flatnonzero(proba[:, Label.CHROME] < np.float32(CERTAIN))


def second_pass_input(proba: NDArray[np.float32], own: NDArray[np.float32], layout: Layout) -> NDArray[np.float32]:
    """Put the consensus columns before a block's own."""
    return side_by_side([consensus.columns(proba, *layout), own])


def load_model(name: str | os.PathLike[str] | None = None) -> Model:
    """Load a model for prediction, and check that it gives the answers it gave when it was made.

    Raises
    ------
    ModelError
        If the folder is missing, damaged, made for other features, or gives other answers.
    """
    folder = find_model(name)
    return _load(folder.resolve(), (folder / "card.json").stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _load(folder: Path, _modified: int) -> Model:
    card = read_card(folder)
    for name in ("weights.npz", "golden.npz"):
        _check_digest(folder / name, card.sha256.get(name))
    weights = read_arrays(folder / "weights.npz")
    _check_numbers(folder / "weights.npz", weights)
    try:
        model = Model(
            Words(weights["words/weights"], weights["words/intercept"]), Screen.from_arrays(weights),
            Panel.from_arrays(weights, "first"), Panel.from_arrays(weights, "second"), card, _load_spans(folder, card),
        )  # fmt: skip
        _check_golden(model, read_arrays(folder / "golden.npz"), folder)
    except (KeyError, ValueError, IndexError, TypeError) as error:
        raise ModelError(f"{folder}: the model's arrays do not fit together ({error}); retrain it") from error
    return model


def _load_spans(folder: Path, card: ModelCard) -> SpanModel | None:
    """Load the model of injected strings, where the folder has one."""
    if "spans.npz" not in card.sha256:
        return None
    path = folder / "spans.npz"
    _check_digest(path, card.sha256[path.name])
    arrays = read_arrays(path)
    _check_numbers(path, arrays)
    return SpanModel.from_arrays(arrays)


def read_card(folder: Path) -> ModelCard:
    """Read and check card.json; ModelError when its features are not the ones this version computes."""
    try:
        card = ModelCard(**json.loads((folder / "card.json").read_text("utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(f"{folder / 'card.json'}: not a model card ({error})") from error
    if not isinstance(card.feature_names, list) or not isinstance(card.sha256, dict):
        raise ModelError(f"{folder / 'card.json'}: not a model card (feature_names or sha256 is of the wrong kind)")
    if card.features_version != FEATURES_VERSION or tuple(card.feature_names) != OWN_NAMES:
        strange = sorted(set(card.feature_names) ^ set(OWN_NAMES))[:8]
        raise ModelError(
            f"{folder}: made for features version {card.features_version}, this is {FEATURES_VERSION}"
            f" (differing columns: {', '.join(strange) or 'none, but their order or meaning'}); retrain the model"
        )
    return card


# What zipfile and numpy raise on archives that are damaged or made to do harm.
_UNREADABLE = (OSError, ValueError, KeyError, EOFError, MemoryError, RuntimeError, zipfile.BadZipFile, zlib.error)


def read_arrays(path: Path, max_bytes: int = MAX_WEIGHTS_BYTES) -> dict[str, NDArray[Any]]:
    """Read an .npz without pickles; ModelError when it is damaged or unpacks to too much."""
    try:
        _check_size(path, max_bytes)
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        if strange := [name for name, array in arrays.items() if not isinstance(array, np.ndarray)]:
            raise ValueError(f"holds {strange[0]!r}, which is no array")
        return arrays
    except _UNREADABLE as error:
        raise ModelError(f"{path}: not a readable array file ({error})") from error


def _check_size(path: Path, max_bytes: int = MAX_WEIGHTS_BYTES) -> None:
    with zipfile.ZipFile(path) as archive:
        size = sum(info.file_size for info in archive.infolist())
    if size > max_bytes:
        raise ModelError(f"{path}: unpacks to {size:,} bytes, more than it can rightly hold")


def _check_digest(path: Path, expected: str | None) -> None:
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error})") from error
    if digest != expected:
        raise ModelError(f"{path}: is not the file that card.json describes (sha256 differs)")


def _check_numbers(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    if not all(array.dtype.kind in "biuf" and np.isfinite(array).all() for array in arrays.values()):
        raise ModelError(f"{path}: holds weights that are no numbers; retrain the model")


def _check_golden(model: Model, golden: dict[str, NDArray[Any]], folder: Path) -> None:
    layout = Layout(golden["n_chars"], golden["holders"], golden["page_offsets"])
    proba = model.predict_proba(golden["own"], layout)
    if not (np.abs(proba - golden["proba"]) <= GOLDEN_TOLERANCE).all():
        raise ModelError(f"{folder}: gives other answers than when it was made; the files are damaged or do not match")


def save_model(folder: Path, model: Model, classifier: dict[str, Any], golden: dict[str, Any]) -> None:
    """Write all files of a model but its README; `classifier` is what scikit-learn fitted."""
    import skops.io

    folder.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, Any] = {"words/weights": model.words.weights, "words/intercept": model.words.intercept}
    arrays |= model.screen.arrays() | model.first.arrays("first") | model.second.arrays("second")
    np.savez_compressed(folder / "weights.npz", allow_pickle=False, **arrays)
    np.savez_compressed(folder / "golden.npz", allow_pickle=False, **golden)
    skops.io.dump(classifier, folder / "classifier.skops")
    names = ["weights.npz", "golden.npz", "classifier.skops"]
    if model.spans is not None:
        np.savez_compressed(folder / "spans.npz", allow_pickle=False, **model.spans.arrays())
        names.append("spans.npz")
    digests = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}
    card = asdict(model.card) | {"sha256": digests}
    (folder / "card.json").write_text(json.dumps(card, ensure_ascii=False, indent=1) + "\n", "utf-8")


def load_classifier(folder: Path) -> dict[str, Any]:
    """Load scikit-learn's own objects; a file that names any other type, or is of another scikit-learn, is refused."""
    import skops.io
    from sklearn.exceptions import InconsistentVersionWarning

    path = folder / "classifier.skops"
    _check_digest(path, read_card(folder).sha256.get(path.name))
    try:
        _check_size(path)
        with warnings.catch_warnings():
            warnings.simplefilter("error", InconsistentVersionWarning)
            loaded: dict[str, Any] = skops.io.load(path, trusted=TRUSTED_TYPES)
    except ModelError:
        raise
    except Exception as error:  # skops raises its own and zipfile's kinds
        raise ModelError(f"{path}: refused ({type(error).__name__}: {error})") from error
    return loaded
