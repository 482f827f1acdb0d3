"""Compile the inner loops while the package is installed; where that fails, it is installed without them.

A hook of hatchling (see ``[tool.hatch.build]`` in pyproject.toml), not imported by the package.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HERE = Path(__file__).resolve().parent
# Sums must come out as in numpy, to the last bit: no multiplication and addition may be drawn together.
FLAGS = ["-O3", "-ffp-contract=off"]


class CompileHook(BuildHookInterface[Any]):
    """Build an extension module beside each ``.pyx`` file, and put it into the wheel."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, or say why not."""
        try:
            built = compile_all()
        except (Exception, SystemExit) as error:  # whatever a compiler or its absence throws
            self.app.display_warning(f"detector is installed without its compiled parts: {error}")
            return
        build_data["artifacts"] += [f"detector/compiled/{path.name}" for path in built]
        build_data |= {"pure_python": False, "infer_tag": True}


def compile_all() -> list[Path]:
    """Compile every ``.pyx`` file of this folder in place; the extension modules."""
    from Cython.Build import cythonize
    from setuptools import Distribution, Extension
    from setuptools.command.build_ext import build_ext

    with tempfile.TemporaryDirectory() as scratch:
        sources = [
            Extension(f"detector.compiled.{path.stem}", [str(path)], extra_compile_args=FLAGS)
            for path in HERE.glob("*.pyx")
        ]
        command = build_ext(Distribution({"ext_modules": cythonize(sources, build_dir=scratch, quiet=True)}))
        command.build_lib, command.build_temp = str(HERE.parents[1]), scratch
        command.ensure_finalized()
        command.run()
        return [Path(path) for path in command.get_outputs()]
