"""Errors that a user can act on.

DetectorError
├── PageError     one page cannot be read; the run goes on
├── InputError    an input path cannot be used at all
├── LabelError    labelled data is wrong or does not fit its page
├── LexiconError  a cue file is wrong
├── ModelError    a model folder cannot be used
├── SettingsError [tool.detector] or detector.toml is wrong
├── BaselineError a baseline cannot be used
└── OutputError   what is to be written cannot be, or would harm what is there
"""

from __future__ import annotations


class DetectorError(Exception):
    """Base of all errors whose message is written for the user."""

    code = "error"


class PageError(DetectorError):
    """One page cannot be read. `code` is a stable word for programs, the message is for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class InputError(DetectorError):
    """A path given by the user cannot be used."""


class LabelError(DetectorError):
    """Labelled data is wrong or does not fit its page."""


class LexiconError(DetectorError):
    """A cue file is wrong."""


class ModelError(DetectorError):
    """A model folder cannot be used."""


class SettingsError(DetectorError):
    """A settings file is wrong."""


class BaselineError(DetectorError):
    """A baseline cannot be used."""


class OutputError(DetectorError):
    """What is to be written cannot be, or would harm what is there."""
