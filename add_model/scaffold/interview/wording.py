"""An error's message in the words of a conversation, in which nobody knows the options of the command line."""

from __future__ import annotations

import re

from add_model.errors import AddModelError

_OPTIONS = {
    "name": "name",
    "class-name": "casing",
    "heads": "heads",
    "tokenizer-like": "tokenizer",
    "novelty": "text",
    "style": "style",
    "into": "folder",
}
# What a conversation offers by itself where it is of use.
_OFFERS = re.compile(
    r",? or replace it with --force, or keep what is there of it and write the rest with --finish"
    r"| \(all: add-model references[^)]*\)"
)
_MEANS = re.compile(r" with --[a-z-]+")
_LEADING = re.compile(r"^--[a-z-]+:? ")
_OPTION = re.compile(r"--([a-z-]+)")


def in_words(error: AddModelError) -> str:
    """What is wrong, and what to do about it, without the names of options."""
    text = _LEADING.sub("", _MEANS.sub("", _OFFERS.sub("", str(error))))
    return _OPTION.sub(lambda option: _OPTIONS.get(option[1], option[1].replace("-", " ")), text)
