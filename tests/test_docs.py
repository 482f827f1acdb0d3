import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from detector.cli import main


def commands(group=main, path=()):
    """Every command with the words that call it."""
    for name, command in group.commands.items():
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


COMMANDS = [pytest.param(words, command, id=" ".join(words)) for words, command in commands()]


@pytest.mark.parametrize(("words", "command"), COMMANDS)
def test_every_command_has_help(words, command):
    result = CliRunner().invoke(main, [*words, "--help"])
    assert result.exit_code == 0
    assert result.stdout.startswith("Usage: ")
    assert command.help
    assert command.get_short_help_str(200).endswith(".")


@pytest.mark.parametrize(("words", "command"), COMMANDS)
def test_every_command_also_knows_h(words, command):
    assert CliRunner().invoke(main, [*words, "-h"]).exit_code == 0


def test_the_program_lists_its_commands():
    result = CliRunner().invoke(main, ["--help"])
    listed = {line.split()[0] for line in result.stdout.partition("Commands:")[2].splitlines() if line.strip()}
    assert set(main.commands) <= listed


def test_version():
    result = CliRunner().invoke(main, ["--version"])
    assert result.exit_code == 0
    assert "version 0." in result.stdout


def test_help_does_not_wait_for_scikit_learn():
    """Importing it takes a second that no help page, completion or hook should pay."""
    code = "import sys, detector.cli; sys.exit(sorted({'sklearn', 'scipy', 'jieba', 'matplotlib'} & set(sys.modules)) or 0)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")


def test_prediction_does_not_wait_for_scikit_learn(tiny_folder):
    code = (
        "import sys; from detector import RawPage, detect, load_model;"
        f"list(detect([RawPage.from_text('河湾村通车。')], load_model({str(tiny_folder)!r})));"
        "sys.exit(sorted({'sklearn', 'scipy', 'skops'} & set(sys.modules)) or 0)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
