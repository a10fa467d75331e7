"""Sizes with which a model is small enough for a page to make one, read off its configuration's text."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from add_model.syntax_tree import syntax_tree

# As models of Transformers call them. What a width is divided by, of whatever kind, divides it.
_SIZES: tuple[tuple[re.Pattern[str], int], ...] = (
    (re.compile(r"(?:num_hidden|num|encoder|decoder|n)_layers?"), 2),
    (re.compile(r"hidden_size|d_model|n_embd|embed_dim|encoder_embed_dim"), 64),
    (re.compile(r"intermediate_size|ffn_dim|(?:encoder|decoder)_ffn_dim|d_ff|moe_intermediate_size"), 128),
    (re.compile(r"(?:num|n|encoder|decoder)_(?:attention_)?heads?|num_key_value_heads"), 4),
    (re.compile(r"head_dim|d_kv"), 16),
    (re.compile(r"num_(?:local_|routed_)?experts|n_routed_experts"), 4),
)
# What a configuration within another is made small by that can be any model's.
_OF_ANY_MODEL = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
_OF_TEXT = {**_OF_ANY_MODEL, "num_key_value_heads": 4}
_ANY_CONFIGURATION = "AutoConfig"
# Where a configuration says which others are a part of it, in one release or another.
_CONFIGURATIONS_WITHIN = ("sub_configs", "sub_configs_defaults")

Sizes = Mapping[str, "int | Mapping[str, int]"]


def small_sizes(text: str, configuration: str) -> Sizes:
    """What to pass to a configuration for a small model: by name the size, or those of a configuration within.

    Args:
        text: the source of its module.
        configuration: the name of its class; of what no class in the module is called nothing is known.
    """
    classes = {node.name: node for node in syntax_tree(text).body if isinstance(node, ast.ClassDef)}
    if configuration not in classes:
        return {}
    sizes: dict[str, int | Mapping[str, int]] = dict(_own(classes, configuration))
    for name, inner in _inner(classes[configuration]):
        found = (
            dict(_own(classes, inner)) if inner in classes else _of_any(name) if inner == _ANY_CONFIGURATION else {}
        )
        if found:
            sizes[name] = found
    return sizes


def _of_any(name: str) -> Mapping[str, int]:
    return _OF_TEXT if "text" in name or "decoder" in name else _OF_ANY_MODEL


def _own(classes: Mapping[str, ast.ClassDef], name: str) -> Iterator[tuple[str, int]]:
    for parameter in dict.fromkeys(_parameters(classes, name)):
        size = next((size for pattern, size in _SIZES if pattern.fullmatch(parameter)), None)
        if size is not None:
            yield parameter, size


def _parameters(classes: Mapping[str, ast.ClassDef], name: str, seen: frozenset[str] = frozenset()) -> Iterator[str]:
    """What a configuration takes whose default is a number, or none: its fields, or its constructor's arguments."""
    node = classes[name]
    for line in node.body:
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and _is_size(line.value):
            yield line.target.id
        elif isinstance(line, ast.FunctionDef) and line.name == "__init__":
            arguments = [*line.args.posonlyargs, *line.args.args]
            given = zip(arguments[len(arguments) - len(line.args.defaults) :], line.args.defaults, strict=True)
            yield from (argument.arg for argument, default in given if _is_size(default))
    for base in node.bases:
        if isinstance(base, ast.Name) and base.id in classes and base.id not in seen:
            yield from _parameters(classes, base.id, seen | {name})


def _is_size(default: ast.expr | None) -> bool:
    """Whether a default is a whole number, or nothing: a list of sizes has a length that says something."""
    if not isinstance(default, ast.Constant):
        return False
    return default.value is None or (isinstance(default.value, int) and not isinstance(default.value, bool))


def _inner(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    """The configurations within one: by name, the class."""
    for line in node.body:
        if not isinstance(line, ast.Assign) or not isinstance(line.value, ast.Dict):
            continue
        if ast.unparse(line.targets[0]) in _CONFIGURATIONS_WITHIN:
            for key, value in zip(line.value.keys, line.value.values, strict=True):
                name = _class_of(value)
                if isinstance(key, ast.Constant) and isinstance(key.value, str) and name is not None:
                    yield key.value, name


def _class_of(value: ast.expr) -> str | None:
    """The class that is named as it is, or as the `config_class` of a call that says more of it."""
    if isinstance(value, ast.Call):
        return next((_class_of(found.value) for found in value.keywords if found.arg == "config_class"), None)
    return value.id if isinstance(value, ast.Name) else None
