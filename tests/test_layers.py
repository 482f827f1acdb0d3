"""The order in which modules may import one another, and which of them may know what outside libraries."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "detector"

# A module imports only from rows below its own; modules on one row are strangers, so there can be no cycle.
LAYERS = (
    "__main__",
    "cli",
    "cli_annotate cli_check cli_filter cli_labels cli_view integrations.datatrove integrations.scrapy integrations.spark",
    "annotate.app batches",
    "annotate.desk filter",
    "parts",
    "judged site_index",
    "check reviewed suspects train_spans",
    "examine report train",
    "view",
    "why",
    "__init__ changes corpus evaluate explain influence mine whereabouts writers",
    "pipeline rows",
    "model portions",
    "features features.consensus",
    "features.cues features.evidence features.mass features.repeated labeled spans",
    "features.context features.links features.markup features.position features.shape judge",
    "noise runs",
    "windows",
    "weigh",
    "cache ending fix frame interchange journal options reports",
    "talk",
    "agreement align baseline charts heat inject lexicon lines ngrams readers repeats sarif segment sentences settings verdicts",
    "answers decode findings guard integrations limits model_folder mojibake reread topic warc",
    "background screen",
    "annotate arrays augment blocks errors forest labels locate network replace sites",
    "chars",
    "compiled compiled.build",
)
RANK = {name: -row for row, names in enumerate(LAYERS) for name in names.split()}

FENCES = {
    "click": {"cli", "cli_annotate", "cli_check", "cli_filter", "cli_labels", "cli_view", "options", "talk"},
    "selectolax": {"segment"},
    "starlette": {"annotate.app"},
    "uvicorn": {"annotate.app"},
    "pyspark": {"integrations.spark"},
    "scrapy": {"integrations.scrapy"},
    "datatrove": {"integrations.datatrove"},
    "duckdb": {"site_index"},
    "fastwarc": {"warc"},
}  # the only modules that may import it at all
SLOW = {
    "sklearn",
    "skops",
    "scipy",
    "joblib",
    "matplotlib",
    "jieba",
    "pyarrow",
    "pyspark",
    "duckdb",
}  # only imported by the functions that need them


def _name(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


MODULES = {_name(path): ast.parse(path.read_text("utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}


def imports(tree: ast.AST, inside_functions: bool) -> Iterator[tuple[str, list[str]]]:
    """Yield (module, names taken from it) of all imports but those for type checkers alone."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, []) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "", [alias.name for alias in node.names]
        elif inside_functions or not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from imports(node, inside_functions)


def own_imports(module: str) -> set[str]:
    """Return what a module imports of this package; ``from detector import segment`` is an import of `segment`."""
    found = set()
    for origin, names in imports(MODULES[module], inside_functions=True):
        if origin.split(".")[0] == "detector":
            base = origin.removeprefix("detector").lstrip(".")
            full = {f"{base}.{name}".lstrip(".") for name in names}
            found |= {name if name in MODULES else base or "__init__" for name in full or {base}}
    return found


def libraries(module: str, inside_functions: bool) -> set[str]:
    return {origin.split(".")[0] for origin, _ in imports(MODULES[module], inside_functions)}


def test_every_module_has_its_layer() -> None:
    assert set(RANK) == set(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_module_imports_only_from_below(module: str) -> None:
    assert {name for name in own_imports(module) if RANK.get(name, -99) >= RANK.get(module, 0)} == set()


@pytest.mark.parametrize("library", FENCES)
def test_library_stays_behind_its_fence(library: str) -> None:
    assert {module for module in MODULES if library in libraries(module, inside_functions=True)} == FENCES[library]


@pytest.mark.parametrize("module", MODULES)
def test_slow_libraries_are_imported_by_functions_only(module: str) -> None:
    assert libraries(module, inside_functions=False) & SLOW == set()


@pytest.mark.parametrize("module", ["detector", "detector.cli"])
def test_import_is_quick(module: str) -> None:
    """Importing scikit-learn costs more than a second, and a `--help` must not pay it."""
    code = f"import sys, {module}; print(sorted({SLOW!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=PACKAGE.parent, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
