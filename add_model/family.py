"""The model family: the architectures a new model can start from, as data (`family.toml`)."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FAMILY_FILE = Path(__file__).with_name("family.toml")


@dataclass(frozen=True)
class FamilyMember:
    """An architecture that is known by name, wherever it can be had.

    Attributes:
        model_type: what is typed at the prompt, and its folder's name in Transformers (`gpt2`).
        title: its name in prose (`GPT-2`).
        modality: what it reads: vision, text, audio, multimodal or reinforcement learning.
        kind: how it is built: convolutional, encoder, decoder or encoder-decoder.
        description: what sets it apart, in at most 80 characters.
    """

    model_type: str
    title: str
    modality: str
    kind: str
    description: str


@cache
def family() -> tuple[FamilyMember, ...]:
    """Every member, in the order in which they are shown: by modality, then by kind."""
    table = tomllib.loads(FAMILY_FILE.read_text(encoding="utf-8"))
    return tuple(
        FamilyMember(entry["type"], entry["title"], entry["modality"], entry["kind"], entry["description"])
        for entry in table["model"]
    )


def family_member(model_type: str) -> FamilyMember | None:
    """The member of that type; `None` for a model that is outside the family."""
    return next((member for member in family() if member.model_type == model_type), None)
