import sys

import pytest

from add_model.errors import AddModelError
from add_model.scaffold.surroundings.project_file import with_configuration

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROJECT = """# My project.
[project]
name    = "mine"    # odd spacing
dependencies = [
  "torch",
]

[tool.ruff]
line-length = 100
"""


@pytest.mark.parametrize(
    "text",
    [
        PROJECT,
        "",
        "\n",
        PROJECT.rstrip("\n"),
        "[tool]\n",
        "tool.ruff.line-length = 100\n",
        "[tool.black]\n[project]\n",
    ],
)
def test_the_table_is_added_and_everything_else_stays(text: str) -> None:
    after = with_configuration(text, "my_models")
    assert after.startswith(text)
    found = tomllib.loads(after)
    assert found["tool"].pop("add-model") == {"package": "my_models", "source": "src"}
    expected = tomllib.loads(text)
    assert found == {**expected, "tool": expected.get("tool", {})}


def test_line_endings_are_kept() -> None:
    after = with_configuration(PROJECT.replace("\n", "\r\n"), "my_models")
    assert after.endswith('[tool.add-model]\r\npackage = "my_models"\r\nsource = "src"\r\n')
    assert "\n" not in after.replace("\r\n", "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[project\n", "is not valid TOML: .*; mend it and run again"),
        ("a = 1\na = 2\n", "is not valid TOML: .*; mend it and run again"),
        ("tool = 3\n", "`tool` must be a table"),
        ("tool = []\n", "`tool` must be a table"),
        ("[[tool]]\n", "`tool` must be a table"),
        ("tool = { ruff = {} }\n", "`tool` must be a table of its own"),
    ],
)
def test_a_file_that_cannot_take_it_is_refused(text: str, said: str) -> None:
    with pytest.raises(AddModelError, match=f"pyproject.toml: {said}") as error:
        with_configuration(text, "my_models")
    assert "\n" not in str(error.value)
