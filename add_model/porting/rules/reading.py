"""The rules that lead from the weights of a checkpoint to those of a new model: a TOML file that a person can review.

    [[fill]]                                        # a name, with places for numbers (see pattern.py)
    from = "h.{layer}.ln_1.weight"
    to = "layers.{layer}.input_norm.weight"

    [[fill]]                                        # one weight becomes several, or several become one (operations.py)
    from = "h.{layer}.attn.c_attn.weight"
    do = [{ transpose = [0, 1] }, { split = 0, parts = 3 }]
    to = ["layers.{layer}.q.weight", "layers.{layer}.k.weight", "layers.{layer}.v.weight"]
    unsure = true                                   # nothing is converted before somebody has looked at it

    [[drop]]                                        # not needed, and why
    from = "h.{layer}.attn.bias"
    reason = "the causal mask, which the new model makes itself"

    [[share]]                                       # tied: two weights of the checkpoint that must hold the same
    from = "lm_head.weight"
    with = "wte.weight"

    [[share]]                                       # a weight of the new model that gets the same as another one
    to = "lm_head.weight"
    with = "embeddings.weight"

    [[keep]]                                        # a buffer that the new model makes itself, and why
    to = "position_ids"
    reason = "counts from zero"

    [[keep]]                                        # a parameter that only training asks for, and what it holds
    to = "masked_spec_embed"
    constant = 0.0
    reason = "training puts it in the place of what it hides"

    read = ["model", "head"]                        # above the rules: which parts of what training saved are read

A weight that no rule mentions keeps its name. Of several parts that are read, each name begins with that of its part
(`head.weight`); of one, with nothing. A place that only `from` has (`experts.{expert}.weight`) collects, in
order of its number, for `stack` or `concatenate`; one that only `to` has numbers the pieces of `split` or `unstack`.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from add_model.errors import AddModelError
from add_model.porting.documents import parse_toml
from add_model.porting.rules.expansion import expand
from add_model.porting.rules.operations import MOST_STEPS
from add_model.porting.rules.parsing import number_of, parse_operation
from add_model.porting.rules.pattern import Pattern
from add_model.porting.rules.rule import Drop, Fill, Keep, Rule, Rules, Share
from add_model.reading import read_settings

_MOST_RULES = 10_000


def load_rules(path: Path) -> Rules:
    """Reads a rules file.

    Raises:
        AddModelError: it cannot be read, is no TOML, or holds something that is no rule; file and line are named.
    """
    try:
        text = _content(path).decode("utf-8")
    except FileNotFoundError as error:
        raise AddModelError(f"{path}: no such rules file; write one with --suggest, or leave --rules out where the names are equal") from error  # fmt: skip
    except OSError as error:
        raise AddModelError(
            f"{path}: cannot be read: {error.strerror or error}; name a rules file with --rules"
        ) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise AddModelError(f"{path}:{line}: is not UTF-8; save it as UTF-8 and run again") from error
    return parse_rules(text, path)


def _content(path: Path) -> bytes:
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    return read_settings(path)


def parse_rules(text: str, path: Path) -> Rules:
    """Reads the text of a rules file; for the arguments and errors see `load_rules`."""
    try:
        content = parse_toml(text)
    except ValueError as error:
        raise AddModelError(f"{path}: is not valid TOML: {error}; mend it and run again") from error
    read = _parts(content.pop("read", ()), path)
    lines = _lines_of_rules(text)
    numbered: list[tuple[int, Rule]] = []
    for kind, tables in content.items():
        if kind not in _READERS:
            raise AddModelError(f"{path}: unknown rule [[{kind}]]; known are: {', '.join(f'[[{known}]]' for known in _READERS)}")  # fmt: skip
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            raise AddModelError(f"{path}: {kind} must be written as [[{kind}]]")
        for number, table in enumerate(tables):
            line = next(iter(lines[kind][number : number + 1]), 0)
            numbered.append((line, _read(kind, table, f"{path}:{line}" if line else str(path))))
    if len(numbered) > _MOST_RULES:
        raise AddModelError(f"{path}: holds {len(numbered)} rules, more than the {_MOST_RULES} that are read; write patterns such as layers.{{layer}}.weight, one for all layers")  # fmt: skip
    numbered.sort(key=lambda pair: pair[0])
    return Rules(tuple(rule for _, rule in numbered), path, read)


def weight_pairs(
    rules: Rules, old_names: Sequence[str], new_names: Sequence[str] | None = None
) -> list[tuple[str, str]]:
    """Which weight of the checkpoint becomes which of the new model, as (old name, new name), in the rules' order.

    A weight that becomes several, or several that become one, are in several pairs. What no rule mentions is paired
    with itself; with `new_names`, only where the new model has a weight of that name. Rules that number pieces by a
    place that only `to` has are resolved with the help of `new_names`, and left out without them.
    """
    expansion = expand(rules, old_names)
    pairs: list[tuple[str, str]] = []
    for move in expansion.moves:
        targets = move.targets_among(new_names or ())
        pairs += [(source, target) for source in move.sources for target in targets]
    known = None if new_names is None else set(new_names)
    pairs += [(name, name) for name in expansion.unmentioned if known is None or name in known]
    return list(dict.fromkeys(pairs))


def _parts(value: Any, path: Path) -> tuple[str, ...]:
    """The parts of the checkpoint that a rules file names."""
    names = [value] if isinstance(value, str) else value
    if value != () and not (
        names and isinstance(names, list) and all(isinstance(name, str) and name for name in names)
    ):
        raise AddModelError(f'{path}: read must name parts of the checkpoint, such as read = ["model", "head"]')
    return tuple(names)


def _lines_of_rules(text: str) -> Mapping[str, list[int]]:
    """The lines on which the rules of each kind start."""
    lines: dict[str, list[int]] = {kind: [] for kind in _READERS}
    for number, line in enumerate(text.split("\n"), start=1):
        header = re.match(r"\s*\[\[\s*(\w+)\s*\]\]", line)
        if header is not None and header[1] in lines:
            lines[header[1]].append(number)
    return lines


def _read(kind: str, table: Mapping[str, Any], place: str) -> Rule:
    read, required, optional = _READERS[kind]
    try:
        missing = [key for key in required if key not in table]
        unknown = [key for key in table if key not in (*required, *optional, "unsure", "note")]
        if missing:
            raise ValueError(f"lacks `{missing[0]}`")
        if unknown:
            known = ", ".join((*required, *optional, "unsure", "note"))
            raise ValueError(f"has an unknown key `{unknown[0]}`; known are: {known}")
        unsure, note = table.get("unsure", False), table.get("note", "")
        if not isinstance(unsure, bool) or not isinstance(note, str):
            raise ValueError("takes true or false for `unsure`, and a text for `note`")
        return read(table, {"unsure": unsure, "note": note, "place": place})
    except (AddModelError, ValueError) as error:
        raise AddModelError(f"{place}: [[{kind}]] {error}; mend it and run again") from error


def _fill(table: Mapping[str, Any], common: dict[str, Any]) -> Fill:
    steps = table.get("do", [])
    if not isinstance(steps, list) or not all(isinstance(step, dict) for step in steps):
        raise ValueError("takes a list of steps for `do`, such as [{ transpose = [0, 1] }]")
    if len(steps) > MOST_STEPS:
        raise ValueError(f"takes {MOST_STEPS} steps at the most for `do`, not {len(steps)}")
    rule = Fill(
        _patterns(table, "from"),
        _patterns(table, "to"),
        tuple(parse_operation(step) for step in steps),
        _patterns(table, "except") if "except" in table else (),
        **common,
    )
    joins = any(operation.name in ("concatenate", "stack", "merge") for operation in rule.operations)
    cuts = any(operation.name in ("split", "unstack") for operation in rule.operations)
    if rule.collected and not joins:
        raise ValueError(f"would fill one weight several times: {{{rule.collected[0]}}} is in `from` only, and nothing joins what it collects")  # fmt: skip
    if rule.spread and not cuts:
        raise ValueError(f"cannot number {{{rule.spread[0]}}}: it is in `to` only, and nothing makes several pieces")
    if len(rule.spread) > 1 or any(place.is_text for target in rule.targets for place in target.places if place.name in rule.spread):  # fmt: skip
        raise ValueError("can have one number that is in `to` only")
    if len(rule.sources) != len(rule.targets) and not (joins or cuts):
        raise ValueError(f"has {len(rule.sources)} names in `from` and {len(rule.targets)} in `to`, and nothing that joins or cuts")  # fmt: skip
    return rule


def _drop(table: Mapping[str, Any], common: dict[str, Any]) -> Drop:
    return Drop(_pattern(table, "from"), _reason(table), **common)


def _share(table: Mapping[str, Any], common: dict[str, Any]) -> Share:
    if ("from" in table) == ("to" in table):
        raise ValueError("takes either `from` (a weight of the checkpoint) or `to` (one of the new model)")
    source = _pattern(table, "from") if "from" in table else None
    target = _pattern(table, "to") if "to" in table else None
    return Share(source, target, _pattern(table, "with"), **common)


def _keep(table: Mapping[str, Any], common: dict[str, Any]) -> Keep:
    constant = number_of(table, "constant") if "constant" in table else None
    return Keep(_pattern(table, "to"), _reason(table), constant, **common)


_READERS: dict[str, tuple[Callable[[Mapping[str, Any], dict[str, Any]], Rule], tuple[str, ...], tuple[str, ...]]] = {
    "fill": (_fill, ("from", "to"), ("do", "except")),
    "drop": (_drop, ("from", "reason"), ()),
    "share": (_share, ("with",), ("from", "to")),
    "keep": (_keep, ("to", "reason"), ("constant",)),
}


def _pattern(table: Mapping[str, Any], key: str) -> Pattern:
    if not isinstance(table[key], str):
        raise ValueError(f"takes one name for `{key}`, not {table[key]!r}")
    return Pattern(table[key])


def _patterns(table: Mapping[str, Any], key: str) -> tuple[Pattern, ...]:
    texts = table[key] if isinstance(table[key], list) else [table[key]]
    if not texts or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"takes a name, or a list of names, for `{key}`, not {table[key]!r}")
    return tuple(Pattern(text) for text in texts)


def _reason(table: Mapping[str, Any]) -> str:
    reason = table["reason"]
    if not isinstance(reason, str) or not reason.strip():
        raise ValueError("takes a text for `reason`: why is the weight not needed?")
    return " ".join(reason.split())
