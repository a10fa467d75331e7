"""A tokenizer that a model has and its reference has not is exported like what both have."""

import ast

import pytest

from add_model.scaffold.standalone.exports import with_export

PACKAGE = '''"""Jay."""

from .configuration_jay import JayConfig
from .modeling_jay import (
    JayModel,
    JayPreTrainedModel,
)

__all__ = [
    "JayConfig",
    "JayModel",
    "JayPreTrainedModel",
]
'''


@pytest.mark.parametrize(
    ("module", "name", "place"),
    [
        ("tokenization_jay", "JayTokenizer", (2, 3)),
        ("image_processing_jay", "JayImageProcessor", (1, 1)),
        ("a", "A", (0, 0)),
    ],
)
def test_a_class_is_exported_at_its_sorted_place(module: str, name: str, place: tuple[int, int]) -> None:
    *imports, exported = ast.parse(with_export(PACKAGE, module, name)).body[1:]
    assert ast.unparse(imports[place[0]]) == f"from .{module} import {name}"
    assert isinstance(exported, ast.Assign)
    names = ast.literal_eval(exported.value)
    assert names[place[1]] == name and names == sorted(names)


def test_what_is_exported_is_not_exported_twice() -> None:
    assert with_export(PACKAGE, "modeling_jay", "JayModel") == PACKAGE
