"""Edits of a registry's text with libcst: entries added beside the others, and nothing else changed by a byte."""

from __future__ import annotations

from collections.abc import Mapping, Set

import libcst

from add_model.exactly import exactly

_INDENT = "    "


def with_entries(text: str, entries: Mapping[str, Mapping[str, str]]) -> str:
    """Adds entries (mapping name -> model type -> class name), each at its place by the alphabet.

    A mapping that the registry lacks is added at its end; an entry that it already holds is replaced.
    """
    editor = _Editor(entries)
    module = libcst.parse_module(text)
    code = exactly(text, module.code, module.visit(editor).code)
    missing = {name: types for name, types in entries.items() if name not in editor.seen}
    added = "".join(f"\n{name}: dict[str, str] = {_dict_source(types)}\n" for name, types in missing.items())
    return code + added.replace("\n", module.default_newline)


def without_model(text: str, model_type: str, mappings: Set[str]) -> str:
    """Takes a model type out of these mappings; one that holds no other stays, as `{}` where it holds no comment."""
    return _visited(text, _Remover(model_type, mappings))


def without_entries(text: str) -> str:
    """The registry of a library that has no model yet: every mapping emptied."""
    return _visited(text, _Emptier())


def without_mappings(text: str, mappings: Set[str]) -> str:
    """Takes whole mappings out, with the blank lines and the comments above them."""
    return _visited(text, _MappingRemover(mappings))


def _visited(text: str, transformer: libcst.CSTTransformer) -> str:
    module = libcst.parse_module(text)
    return exactly(text, module.code, module.visit(transformer).code)


def _dict_source(types: Mapping[str, str]) -> str:
    if not types:
        return "{}"
    return "{\n" + "".join(f'    "{model_type}": "{name}",\n' for model_type, name in sorted(types.items())) + "}"


def _assigned_name(node: libcst.AnnAssign | libcst.Assign) -> str | None:
    target = node.target if isinstance(node, libcst.AnnAssign) else node.targets[0].target
    return target.value if isinstance(target, libcst.Name) and target.value.endswith("_MAPPING_NAMES") else None


class _Emptier(libcst.CSTTransformer):
    def leave_Dict(self, original_node: libcst.Dict, updated_node: libcst.Dict) -> libcst.BaseExpression:
        return libcst.parse_expression("{}")


class _MappingRemover(libcst.CSTTransformer):
    def __init__(self, mappings: Set[str]) -> None:
        super().__init__()
        self.mappings = mappings

    def leave_SimpleStatementLine(
        self, original_node: libcst.SimpleStatementLine, updated_node: libcst.SimpleStatementLine
    ) -> libcst.SimpleStatementLine | libcst.RemovalSentinel:
        assigned = {_assigned_name(part) for part in updated_node.body if isinstance(part, (libcst.AnnAssign, libcst.Assign))}  # fmt: skip
        return libcst.RemoveFromParent() if assigned & self.mappings else updated_node


class _MappingEditor(libcst.CSTTransformer):
    """Puts what `edited` makes of a mapping in its place; `None` leaves it as it is."""

    def edited(self, name: str, mapping: libcst.Dict) -> libcst.Dict | None:
        raise NotImplementedError

    def leave_AnnAssign(self, original_node: libcst.AnnAssign, updated_node: libcst.AnnAssign) -> libcst.AnnAssign:
        value = self._edited(_assigned_name(updated_node), updated_node.value)
        return updated_node if value is None else updated_node.with_changes(value=value)

    def leave_Assign(self, original_node: libcst.Assign, updated_node: libcst.Assign) -> libcst.Assign:
        value = self._edited(_assigned_name(updated_node), updated_node.value)
        return updated_node if value is None else updated_node.with_changes(value=value)

    def _edited(self, name: str | None, value: libcst.BaseExpression | None) -> libcst.BaseExpression | None:
        if name is None or not isinstance(value, libcst.Dict):
            return None
        return self.edited(name, value)


class _Editor(_MappingEditor):
    def __init__(self, entries: Mapping[str, Mapping[str, str]]) -> None:
        super().__init__()
        self.entries = entries
        self.seen: set[str] = set()

    def edited(self, name: str, mapping: libcst.Dict) -> libcst.Dict | None:
        if name not in self.entries:
            return None
        self.seen.add(name)
        return _with_types(mapping, self.entries[name])


class _Remover(_MappingEditor):
    def __init__(self, model_type: str, mappings: Set[str]) -> None:
        super().__init__()
        self.model_type = model_type
        self.mappings = mappings

    def edited(self, name: str, mapping: libcst.Dict) -> libcst.Dict | None:
        return _closed(_without_type(mapping, self.model_type)) if name in self.mappings else None


def _closed(mapping: libcst.Dict) -> libcst.Dict:
    """An empty mapping on one line, as it was before its first entry came."""
    if mapping.elements or _has_comments(mapping.lbrace.whitespace_after) or _has_comments(mapping.rbrace.whitespace_before):  # fmt: skip
        return mapping
    nothing = libcst.SimpleWhitespace("")
    return mapping.with_changes(
        lbrace=mapping.lbrace.with_changes(whitespace_after=nothing),
        rbrace=mapping.rbrace.with_changes(whitespace_before=nothing),
    )


def _without_type(mapping: libcst.Dict, model_type: str) -> libcst.Dict:
    keys, elements = [_key(element) for element in mapping.elements], list(mapping.elements)
    if model_type not in keys:
        return mapping
    place, lbrace, rbrace = keys.index(model_type), mapping.lbrace, mapping.rbrace
    is_last = place == len(keys) - 1
    before = elements[place - 1].comma if place else lbrace
    after = rbrace.whitespace_before if is_last else _whitespace_after(elements[place].comma)
    joined = _joined(_whitespace_after(before), after)
    removed = elements.pop(place)
    if not elements:
        lbrace = lbrace.with_changes(whitespace_after=joined)
        rbrace = rbrace.with_changes(whitespace_before=libcst.SimpleWhitespace(""))
    elif is_last:
        elements[-1] = elements[-1].with_changes(comma=removed.comma)
        rbrace = rbrace.with_changes(whitespace_before=joined)
    elif place:
        elements[place - 1] = elements[place - 1].with_changes(comma=libcst.Comma(whitespace_after=joined))
    else:
        lbrace = lbrace.with_changes(whitespace_after=joined)
    return mapping.with_changes(elements=elements, lbrace=lbrace, rbrace=rbrace)


def _whitespace_after(
    mark: libcst.Comma | libcst.MaybeSentinel | libcst.LeftCurlyBrace,
) -> libcst.BaseParenthesizableWhitespace:
    return libcst.SimpleWhitespace("") if isinstance(mark, libcst.MaybeSentinel) else mark.whitespace_after


def _joined(
    before: libcst.BaseParenthesizableWhitespace, after: libcst.BaseParenthesizableWhitespace
) -> libcst.BaseParenthesizableWhitespace:
    """What is left of the space on both sides of an entry that goes: all of it but the comment behind the entry."""
    if isinstance(before, libcst.SimpleWhitespace) and isinstance(after, libcst.SimpleWhitespace):
        # Beside a brace there is none, between two entries some.
        return min(before, after, key=lambda space: len(space.value))
    if not isinstance(after, libcst.ParenthesizedWhitespace):
        return before
    if not isinstance(before, libcst.ParenthesizedWhitespace):
        return after
    return after.with_changes(first_line=before.first_line, empty_lines=[*before.empty_lines, *after.empty_lines])


def _has_comments(space: libcst.BaseParenthesizableWhitespace) -> bool:
    if not isinstance(space, libcst.ParenthesizedWhitespace):
        return False
    return space.first_line.comment is not None or any(line.comment is not None for line in space.empty_lines)


def _with_types(mapping: libcst.Dict, types: Mapping[str, str]) -> libcst.Dict:
    for model_type, class_name in types.items():
        key, value = libcst.SimpleString(f'"{model_type}"'), libcst.SimpleString(f'"{class_name}"')
        mapping = _with_element(mapping, model_type, libcst.DictElement(key, value))
    return mapping


def _with_element(mapping: libcst.Dict, model_type: str, element: libcst.DictElement) -> libcst.Dict:
    elements, keys = list(mapping.elements), [_key(existing) for existing in mapping.elements]
    if not elements:
        return _with_first(mapping, element)
    if model_type in keys:
        place = keys.index(model_type)
        elements[place] = elements[place].with_changes(value=element.value)
        return mapping.with_changes(elements=elements)
    place = next((index for index, key in enumerate(keys) if key is not None and key > model_type), len(keys))
    if place < len(keys):
        elements.insert(place, element.with_changes(comma=libcst.Comma(whitespace_after=_between(mapping))))
        return mapping.with_changes(elements=elements)
    last, between, closing = elements[-1], _between(mapping), mapping.rbrace.whitespace_before
    if isinstance(closing, libcst.ParenthesizedWhitespace) and isinstance(between, libcst.ParenthesizedWhitespace):
        # A comment behind the last entry stays with it, and does not move behind the new one.
        between = between.with_changes(first_line=closing.first_line)
        closing = closing.with_changes(first_line=libcst.TrailingWhitespace())
    elements[-1] = last.with_changes(comma=libcst.Comma(whitespace_after=between))
    elements.append(element.with_changes(comma=last.comma))
    return mapping.with_changes(elements=elements, rbrace=mapping.rbrace.with_changes(whitespace_before=closing))


def _with_first(mapping: libcst.Dict, element: libcst.DictElement) -> libcst.Dict:
    """An empty dict with one entry, on a line of its own below the comments that the dict may hold."""
    opening = mapping.lbrace.whitespace_after
    if not isinstance(opening, libcst.ParenthesizedWhitespace):
        opening = libcst.ParenthesizedWhitespace()
    closing = opening.with_changes(first_line=libcst.TrailingWhitespace(), empty_lines=())
    return mapping.with_changes(
        elements=[element.with_changes(comma=libcst.Comma())],
        lbrace=mapping.lbrace.with_changes(
            whitespace_after=opening.with_changes(last_line=libcst.SimpleWhitespace(_INDENT))
        ),
        rbrace=mapping.rbrace.with_changes(whitespace_before=closing),
    )


def _between(mapping: libcst.Dict) -> libcst.BaseParenthesizableWhitespace:
    """What stands between two entries of a dict laid out as this one is: on lines of their own, or on one line."""
    opening = mapping.lbrace.whitespace_after
    if isinstance(opening, libcst.ParenthesizedWhitespace):
        return opening.with_changes(first_line=libcst.TrailingWhitespace(), empty_lines=())
    if isinstance(mapping.rbrace.whitespace_before, libcst.ParenthesizedWhitespace):
        return libcst.ParenthesizedWhitespace(last_line=libcst.SimpleWhitespace(_INDENT))
    return libcst.SimpleWhitespace(" ")


def _key(element: libcst.BaseDictElement) -> str | None:
    if isinstance(element, libcst.DictElement) and isinstance(element.key, libcst.SimpleString):
        value = element.key.evaluated_value
        return value if isinstance(value, str) else None
    return None
