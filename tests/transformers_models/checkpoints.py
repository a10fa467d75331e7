"""Whether a checkpoint that the reference saved loads into the copy as it does into the reference: key by key, bit by bit.

What the new model calls otherwise, such as `bert.` of `brand_new_bert.`, is called so in the checkpoint before it is loaded;
everything else is up to the library: what it renames, fuses and splits for the reference, it has to for the copy.
"""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.transformers_models.facts import describe, time_limit
from tests.transformers_models.forward import configured, made, same_bits
from tests.transformers_models.tiny import small_settings

SECONDS_A_CLASS = 60
_WEIGHTS = "*.safetensors"
# What `from_pretrained` says of names; the rest of its answer is about shapes.
_NAMES = ("missing_keys", "unexpected_keys")


@dataclass(frozen=True)
class Loaded:
    """A model that came out of a checkpoint, and what was said of its names."""

    model: Any
    said: Mapping[str, frozenset[str]]

    @property
    def drawn(self) -> frozenset[str]:
        """The weights that are random, as the checkpoint had none for them."""
        return self.said["missing_keys"]


@dataclass(frozen=True)
class Words:
    """What the new model's weights are called: name by name, and word by word where only a checkpoint has them."""

    names: Mapping[str, str]
    words: Mapping[str, str]

    def __call__(self, name: str) -> str:
        return self.names.get(name) or ".".join(self.words.get(word, word) for word in name.split("."))


def checkpoint_problem(old_class: Any, new_class: Any) -> str | None:
    """What differs between loading a checkpoint of the reference into itself and into the copy; empty where nothing does.

    `None` where the reference has no small model, or cannot load what it saved itself.
    """
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")
        try:
            with time_limit(SECONDS_A_CLASS):
                found = _saved(old_class, Path(folder, "reference"))
        except TimeoutError:
            return None
        if found is None:
            return None
        settings, model, before = found
        try:
            with time_limit(SECONDS_A_CLASS):
                return next(_differences(settings, model, before, new_class, Path(folder)), "")
        except Exception as error:  # noqa: BLE001 -- the reference passed
            return f"a checkpoint of the reference raises {describe(error)}"


def _saved(old_class: Any, folder: Path) -> tuple[Mapping[str, Any], Any, Loaded] | None:
    """The settings and the first small model that its own class saves and loads again, and what that one said."""
    try:
        configuration = old_class.config_class()
    except Exception:  # noqa: BLE001 -- some cannot be made without arguments
        return None
    for settings in small_settings(configuration):
        model = made(old_class, settings)
        if model is None:
            continue
        try:
            model.save_pretrained(folder)
            return settings, model, _loaded(old_class, folder, settings)
        except TimeoutError:
            raise
        except Exception:  # noqa: BLE001 -- the settings are guesses
            shutil.rmtree(folder, ignore_errors=True)
    return None


def _differences(
    settings: Mapping[str, Any], model: Any, before: Loaded, new_class: Any, folder: Path
) -> Iterator[str]:
    fresh = made(new_class, settings)
    words = None if fresh is None else _words(model, fresh)
    if words is None:
        yield "has other weights with a small configuration than the reference"
        return
    _renamed_copy(folder / "reference", folder / "renamed", words)
    after = _loaded(new_class, folder / "renamed", settings)
    yield from _names_that_differ(before, after, words, "a checkpoint of the reference")
    yield from _weights_that_differ(before, after, words)
    # What it saves itself is no other checkpoint than the reference's.
    after.model.save_pretrained(folder / "own")
    again = _loaded(new_class, folder / "own", settings)
    yield from _names_that_differ(before, again, words, "its own checkpoint")


def _words(old: Any, new: Any) -> Words | None:
    """What weights are called, told by their position."""
    old_names, new_names = list(old.state_dict()), list(new.state_dict())
    if len(old_names) != len(new_names):
        return None
    words: dict[str, str] = {}
    for old_name, new_name in zip(old_names, new_names, strict=True):
        pairs = zip(old_name.split("."), new_name.split("."), strict=False)
        words |= {before: after for before, after in pairs if before != after}
    prefix, fresh = getattr(old, "base_model_prefix", ""), getattr(new, "base_model_prefix", "")
    # The base model has no weight that is called so, and yet reads the checkpoints of those that do.
    if prefix and prefix != fresh:
        words.setdefault(prefix, fresh)
    return Words(dict(zip(old_names, new_names, strict=True)), words)


def _renamed_copy(saved: Path, target: Path, words: Words) -> None:
    from safetensors.torch import load_file, save_file

    shutil.copytree(saved, target)
    for path in target.glob(_WEIGHTS):
        tensors = load_file(path)
        save_file({Words({}, words.words)(name): tensor for name, tensor in tensors.items()}, path, {"format": "pt"})


def _loaded(model_class: Any, folder: Path, settings: Mapping[str, Any]) -> Loaded:
    import torch

    torch.manual_seed(3)
    model, said = model_class.from_pretrained(
        folder, config=configured(model_class, settings), output_loading_info=True
    )
    return Loaded(model, {kind: frozenset(said[kind]) for kind in _NAMES})


def _names_that_differ(before: Loaded, after: Loaded, words: Words, what: str) -> Iterator[str]:
    for kind in _NAMES:
        expected, found = {words(name) for name in before.said[kind]}, after.said[kind]
        if expected != found:
            shown = ", ".join(sorted(found ^ expected)[:3])
            yield f"{what}: {len(found)} {kind.replace('_', ' ')}, the reference has {len(expected)} (such as {shown})"


def _weights_that_differ(before: Loaded, after: Loaded, words: Words) -> Iterator[str]:
    state = after.model.state_dict()
    for name, expected in before.model.state_dict().items():
        if name not in before.drawn and not same_bits(expected, state[words(name)]):
            yield f"a checkpoint of the reference: {words(name)} is not what the reference reads"
            return
