"""A library's registry: which class stands for which model type, one mapping a task, read as text.

The registry is a module of annotated dict literals, `MODEL_FOR_MASKED_LM_MAPPING_NAMES: dict[str, str] = {"bert":
"BertForMaskedLM"}`. It is never imported.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass

from add_model.errors import AddModelError
from add_model.lexical import holds_more_tokens
from add_model.syntax_tree import syntax_tree

CONFIGURATION_MAPPING = "CONFIG_MAPPING_NAMES"
TOKENIZER_MAPPING = "TOKENIZER_MAPPING_NAMES"
IMAGE_PROCESSOR_MAPPING = "IMAGE_PROCESSOR_MAPPING_NAMES"
MODEL_MAPPING = "MODEL_MAPPING_NAMES"
# A registry of Transformers' size takes a tenth.
_MOST_TOKENS = 100_000
_TASK_MAPPING = re.compile(r"MODEL_FOR_(\w+)_MAPPING_NAMES")


@dataclass(frozen=True)
class Registry:
    """What a registry says: mapping name -> model type -> class name."""

    mappings: Mapping[str, Mapping[str, str]]

    @property
    def model_types(self) -> list[str]:
        """Every model type that has a configuration, sorted."""
        return sorted(self.mappings.get(CONFIGURATION_MAPPING, {}))

    def classes(self, model_type: str) -> dict[str, str]:
        """Mapping name -> class name, of one model type."""
        return {mapping: types[model_type] for mapping, types in self.mappings.items() if model_type in types}

    def heads(self, model_type: str) -> dict[str, str]:
        """Task (`masked-lm`) -> class name (`BertForMaskedLM`), of one model type, in the registry's order."""
        tasks = ((_TASK_MAPPING.fullmatch(mapping), name) for mapping, name in self.classes(model_type).items())
        return {task[1].lower().replace("_", "-"): name for task, name in tasks if task}


def parse_registry(text: str, path: str) -> Registry:
    """Reads a registry.

    Raises:
        AddModelError: the module does not parse, or a mapping is not a dict of plain strings.
    """
    too_much = AddModelError(f"{path}: is nested too deeply, or too large, to be read; mend it and run again")
    if holds_more_tokens(text, _MOST_TOKENS):
        raise too_much
    try:
        module = syntax_tree(text)
    except (RecursionError, MemoryError) as error:
        raise too_much from error
    except SyntaxError as error:
        place = f"{path}:{error.lineno}:{error.offset}" if error.lineno else path
        raise AddModelError(f"{place}: does not parse: {error.msg}; mend it and run again") from error
    except ValueError as error:
        # A null byte is one or the other, depending on the version of Python.
        raise AddModelError(f"{path}: does not parse: {error}; mend it and run again") from error
    mappings: dict[str, Mapping[str, str]] = {}
    for statement in module.body:
        name = _mapping_name(statement)
        if name is None:
            continue
        assert isinstance(statement, (ast.Assign, ast.AnnAssign)) and statement.value is not None
        try:
            value = ast.literal_eval(statement.value)
        except (ValueError, TypeError, RecursionError, MemoryError):
            value = None
        if not isinstance(value, dict) or not all(isinstance(text, str) for pair in value.items() for text in pair):
            raise AddModelError(f"{path}:{statement.lineno}: {name} must be a dict of strings; write it as one and run again")  # fmt: skip
        mappings[name] = value
    return Registry(mappings)


def _mapping_name(statement: ast.stmt) -> str | None:
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    for target in targets:
        if isinstance(target, ast.Name) and target.id.endswith("_MAPPING_NAMES") and getattr(statement, "value", None):
            return target.id
    return None
