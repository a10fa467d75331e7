"""Where the configuration of a converted model comes from: a file that was named, or the one beside the checkpoint."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from add_model.errors import AddModelError
from add_model.porting.checkpoints.formats import Weight
from add_model.porting.checkpoints.settings import Settings
from add_model.porting.conversion.configuration_from_shapes import derive
from add_model.porting.documents import read_json
from add_model.porting.model.subject import Subject
from add_model.reading import MOST_BYTES_OF_SETTINGS

CONFIG_FILE_NAME = "config.json"
# Names that different code bases have for one thing; a model's own configuration says which of them it uses.
_SAME_MEANING = (
    ("vocab_size", "n_vocab", "vocabulary_size"),
    ("hidden_size", "n_embd", "d_model", "dim", "embed_dim", "encoder_embed_dim", "model_dim"),
    ("num_hidden_layers", "n_layer", "n_layers", "num_layers", "depth", "encoder_layers"),
    ("num_attention_heads", "n_head", "n_heads", "num_heads", "encoder_attention_heads"),
    ("intermediate_size", "n_inner", "d_ff", "ffn_dim", "encoder_ffn_dim", "encoder_ffn_embed_dim", "mlp_dim"),
    ("max_position_embeddings", "n_positions", "n_ctx", "block_size", "max_seq_len", "max_positions"),
    ("num_key_value_heads", "n_kv_heads", "num_kv_heads", "n_query_groups"),
    ("layer_norm_eps", "layer_norm_epsilon", "norm_eps", "rms_norm_eps"),
    ("hidden_act", "activation_function", "activation_fn", "activation"),
    ("type_vocab_size", "num_token_types"),
)
# What is counted, of which no model has so many.
_COUNTED = re.compile(r"layer|depth|head|expert|stage|block")
_MOST = 1 << 20
# What says whose file it is, and nothing about the model.
_OF_THE_FILE = {"architectures", "auto_map", "dtype", "model_type", "torch_dtype", "transformers_version"}


@dataclass(frozen=True)
class Choice:
    """The configuration of a conversion.

    Attributes:
        config: an object of the model's configuration class.
        class_name: the class that is filled.
        origin: where the values come from.
        notes: what was concluded or left aside, a line each.
        is_by_default: whether neither anybody nor the configuration said which class it is.
    """

    config: Any
    class_name: str
    origin: str
    notes: tuple[str, ...] = ()
    is_by_default: bool = False


def choose_configuration(
    subject: Subject,
    checkpoint: Path,
    weights: Mapping[str, Weight],
    given: Path | None,
    class_name: str | None = None,
    settings: Sequence[tuple[str, Settings]] = (),
) -> Choice:
    """The configuration and the class for a checkpoint.

    Args:
        subject: the new model.
        checkpoint: the file or folder of the original's weights, beside which a `config.json` is looked for.
        weights: the checkpoint's weights; without a file, sizes are read off their shapes where these leave no doubt.
        given: the file that was asked for, the original's or the new model's own.
        class_name: the class that was asked for; by default the one that the configuration names under
            "architectures", else the base model.
        settings: what the original says of its sizes elsewhere, each with where it is from; it counts without a file.

    Raises:
        AddModelError: the file cannot be read, fits another kind of model, or names a class that is not there.
    """
    beside = (checkpoint if checkpoint.is_dir() else checkpoint.parent) / CONFIG_FILE_NAME
    path = given or (beside if os.path.lexists(beside) else None)
    own = _own_keys(subject)
    content = {} if path is None else _read(path)
    values, notes = _translated(content, own)
    if path is None or not own & values.keys():
        if given is not None:
            raise AddModelError(f"{path}: holds none of the values of {subject.configuration_name}; name the original's config.json, or one with {', '.join(sorted(own)[:4])}, ...")  # fmt: skip
        aside = () if path is None else (f"{path} holds none of the values of {subject.configuration_name}, and was left aside",)  # fmt: skip
        said, taken = _from_settings(settings, own)
        return _without_file(subject, weights, own, class_name, (*aside, *taken), said)
    name = class_name or _class_for(subject, content.get("architectures"))
    return Choice(subject.configure(values), subject.model_class(name).__name__, str(path), notes, name is None)


def _from_settings(settings: Sequence[tuple[str, Settings]], own: set[str]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The values of the model's own configuration that the original's settings say, and where each is from."""
    values: dict[str, Any] = {}
    notes = []
    for origin, content in settings:
        translated, renamed = _translated({key: value for key, value in content.items() if not _is_absurd(key, value)}, own)  # fmt: skip
        new = {key: value for key, value in translated.items() if key in own and key not in values}
        values.update(new)
        if new:
            said = [note for note in renamed if any(note.endswith(f" {key}") for key in new)]
            kept = [f"{key} = {value}" for key, value in new.items() if content.get(key) == value]
            notes.append(f"from {origin}: {', '.join([*kept, *said])}")
    return values, tuple(notes)


def _without_file(
    subject: Subject,
    weights: Mapping[str, Weight],
    own: set[str],
    class_name: str | None,
    notes: tuple[str, ...],
    said: Mapping[str, Any],
) -> Choice:
    """What the original says elsewhere, with the sizes that shapes show; else the defaults."""
    words = {subject.name, *subject.name.split("_")}
    derived = derive(subject, class_name, weights, own, words)
    names = subject.configuration_class().attribute_map
    said = {names.get(key, key): value for key, value in said.items()}
    origin = f"the defaults of {subject.configuration_name}"
    read = ", ".join(f"{key} = {value}" for key, value in derived.values.items())
    unseen = ", ".join(f"{key} = {value}" for key, value in derived.unseen.items() if key not in said)
    if derived.values:
        origin = f"the shapes of the weights, and {origin}"
        rest = (
            f"; {unseen} and everything that is no size are defaults: check them, or pass --config" if unseen else ""
        )
        notes = (*notes, f"read off the shapes of the weights: {read}{rest}")
    origin = f"what the original says elsewhere, {origin}" if said else origin
    # Of a size that is seen, no setting says more.
    config = subject.configure({**said, **derived.values})
    try:
        subject.build(config, class_name)
    except AddModelError as error:
        raise AddModelError(f"no config.json: sizes were read off the weights ({read}), but do not go with the defaults of the others ({unseen}); pass --config FILE with all of them") from error  # fmt: skip
    return Choice(config, subject.model_class(class_name).__name__, origin, notes, class_name is None)


def config_text(choice: Choice, dtype: str) -> str:
    """The text of `config.json` for a model that was filled."""
    content = json.loads(choice.config.to_json_string())
    content.update(architectures=[choice.class_name], dtype=dtype)
    return json.dumps(content, indent=2, sort_keys=True) + "\n"


def _read(path: Path) -> dict[str, Any]:
    try:
        content = read_json(path, MOST_BYTES_OF_SETTINGS)
    except OSError as error:
        raise AddModelError(f"{path}: cannot be read: {error.strerror or error}; name a config.json with --config") from error  # fmt: skip
    except ValueError as error:
        raise AddModelError(f"{path}: is not valid JSON: {error}; mend it, or name another with --config") from error
    if not isinstance(content, dict):
        raise AddModelError(f"{path}: must hold a JSON object with the values of the configuration")
    for name, value in content.items():
        # A configuration makes a list with an entry for each, before anybody looks at the weights.
        if _is_absurd(name, value):
            raise AddModelError(f"{path}: {name} = {value if abs(value) < 1e18 else 'a longer number'} is more than any model has; correct it, or name another with --config")  # fmt: skip
    return content


def _is_absurd(name: str, value: Any) -> bool:
    return type(value) is int and abs(value) > _MOST and _COUNTED.search(name) is not None


def _own_keys(subject: Subject) -> set[str]:
    """The keys that are this model's own: those that a configuration has, but for the ones that every one has."""
    configuration_class = subject.configuration_class()
    config = subject.configure({})
    common = set(vars(configuration_class.__mro__[1]())) if configuration_class.__mro__[1] is not object else set()
    return {name for name in vars(config) if not name.startswith("_")} - common | set(
        configuration_class.attribute_map
    )


def _translated(content: Mapping[str, Any], own: set[str]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The values under the names that the model's configuration has for them, and what was renamed."""
    values = {name: value for name, value in content.items() if name not in _OF_THE_FILE}
    notes = []
    for group in _SAME_MEANING:
        foreign = [name for name in group if name in values and name not in own]
        wanted = [name for name in group if name in own]
        if foreign and wanted and not any(name in values for name in wanted):
            values[wanted[0]] = values.pop(foreign[0])
            notes.append(f"{foreign[0]} = {values[wanted[0]]} was taken for {wanted[0]}")
    return values, tuple(notes)


def _class_for(subject: Subject, architectures: Any) -> str | None:
    """The class that ends like one of the original's: they may start with another model's name."""
    prefix = subject.base_model_name.removesuffix("Model")
    for original in architectures if isinstance(architectures, list) else ():
        fitting = [name for name in subject.class_names if str(original).endswith(name.removeprefix(prefix))]
        if fitting:
            return max(fitting, key=len)
    return None
