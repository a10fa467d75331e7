"""Rules as the text of a rules file, which `rules.py` reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tomlkit

from add_model.porting.rules.pattern import Pattern
from add_model.porting.rules.rule import Drop, Fill, Rule, Rules, Share
from add_model.visible import visible


def dump_rules(rules: Rules, header: Sequence[str] = ()) -> str:
    """The text of a rules file.

    Args:
        rules: the rules, which are written in their order.
        header: lines of a comment above them.
    """
    parts = ["".join(f"# {visible(line)}".rstrip() + "\n" for line in header)] if header else []
    parts += [f"read = {_value(list(rules.read))}\n"] if rules.read else []
    parts += [_text(rule) for rule in rules.rules]
    return "\n".join(parts)


def _text(rule: Rule) -> str:
    if isinstance(rule, Fill):
        values: dict[str, Any] = {"from": _names(rule.sources), "do": [step.table() for step in rule.operations], "to": _names(rule.targets), "except": [pattern.text for pattern in rule.excluded]}  # fmt: skip
        kind = "fill"
    elif isinstance(rule, Drop):
        kind, values = "drop", {"from": rule.source.text, "reason": rule.reason}
    elif isinstance(rule, Share):
        given = {"from": rule.source.text} if rule.source is not None else {}
        given |= {"to": rule.target.text} if rule.target is not None else {}
        kind, values = "share", {**given, "with": rule.original.text}
    else:
        constant = {} if rule.constant is None else {"constant": rule.constant}
        kind, values = "keep", {"to": rule.target.text, **constant, "reason": rule.reason}
    lines = [f"{key} = {_value(value)}" for key, value in values.items() if value != []]
    if rule.unsure:
        lines.append("unsure = true")
    if rule.note:
        lines.append(f"note = {_value(rule.note)}")
    return "\n".join([f"[[{kind}]]", *lines]) + "\n"


def _names(patterns: Sequence[Pattern]) -> str | list[str]:
    return patterns[0].text if len(patterns) == 1 else [pattern.text for pattern in patterns]


def _value(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_value(entry) for entry in value)}]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_value(entry)}" for key, entry in value.items()) + " }"
    text: str = tomlkit.item(value).as_string()
    return text
