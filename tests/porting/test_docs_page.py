"""What is left to do in a model's documentation, each with the line it stands at."""

from pathlib import Path

import pytest

from add_model.errors import AddModelError
from add_model.porting.model.documented import public_classes, undescribed
from add_model.porting.model.ported_model import PortedModel, find_ported_model
from add_model.porting.steps.docs_page import docs_findings, placeholders
from add_model.scaffold.destination import find_holder
from tests.cli.commands import done

MODELING = '''
class Base:
    """A base.

    Args:
        inherited: from the base.
    """

class TinyConfig:
    """A configuration.

    Attributes:
        size: how large.
    """

    def __init__(self, *, size: int = 3) -> None: ...

class TinyModel(Base):
    """A model."""

    def __init__(self, config: TinyConfig, inherited: bool = True) -> None: ...

    def forward(self, input_ids, attention_mask=None, labels=None):
        """Run it.

        Args:
            input_ids (`torch.Tensor` of shape `(batch, length)`, *optional*): the ids.
            attention_mask,
            labels: the rest.
        """

class TinyForTask(TinyModel):
    """A model with a head."""

    def __init__(self, config: TinyConfig, **kwargs) -> None: ...

    def forward(self, input_ids, scores):
        """Run it; other arguments are those of `TinyModel.forward`."""
'''


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    for reference, name in (("bert", "brand_new_bert"), ("gpt2", "tiny_gpt"), ("bart", "my_bart")):
        done(folder, reference, "--name", name, "--into", "my_models", "--yes")
    return folder / "my_models"


def left_to_do(model: PortedModel) -> list[str]:
    return [f"{model.shown(found.path)}:{found.line} {found.message}" for found in docs_findings(model)]


@pytest.mark.parametrize("name", ["brand_new_bert", "tiny_gpt", "my_bart"])
def test_of_a_new_model_only_the_placeholders_are_left(libraries: Path, name: str) -> None:
    model = find_ported_model(find_holder(libraries), name)
    lines = model.docs_page.read_text().splitlines()
    expected = [number for number, line in enumerate(lines, 1) if "To fill in" in line]
    assert len(expected) == 2
    found = left_to_do(model)
    assert [int(line.split(":")[1].split()[0]) for line in found] == expected
    assert all(line.startswith(f"docs/models/{name}.md:") and "placeholder is left: <!-- To fill in" in line for line in found)  # fmt: skip


def test_the_line_of_a_section_is_the_one_that_an_editor_shows(libraries: Path) -> None:
    model = find_ported_model(find_holder(libraries), "brand_new_bert")
    text = model.docs_page.read_text()
    try:
        odd = text.replace("position_ids: torch.Tensor | None = None", "", 1).replace("\n", " \u2028and\x85so on\n", 1)
        model.docs_page.write_text(odd)
        (found,) = [line for line in left_to_do(model) if "leaves out the argument position_ids" in line]
        assert found.split()[0].endswith(f":{odd.split(chr(10)).index('### BrandNewBertModel') + 1}")
    finally:
        model.docs_page.write_text(text)


def test_a_filled_in_page_is_finished(libraries: Path) -> None:
    model = find_ported_model(find_holder(libraries), "brand_new_bert")
    text = model.docs_page.read_text()
    lines = ["From a paper." if "To fill in" in line else line for line in text.splitlines()]
    try:
        model.docs_page.write_text("\n".join(lines))
        assert left_to_do(model) == []
        model.docs_page.write_text("\n".join(lines).replace("position_ids: torch.Tensor | None = None", "", 1))
        assert [line.partition(" ")[2] for line in left_to_do(model)] == [
            "the section of BrandNewBertModel leaves out the argument position_ids of forward"
        ]
        model.docs_page.write_text("\n".join(lines).replace("### BrandNewBertModel\n", ""))
        assert any("BrandNewBertModel has no section" in line for line in left_to_do(model))
        model.docs_page.unlink()
        assert left_to_do(model) == ["docs/models/brand_new_bert.md:1 is not there; write the model's page"]
    finally:
        model.docs_page.write_text(text)


def test_a_page_that_a_builder_writes_needs_only_its_directives(libraries: Path) -> None:
    model = find_ported_model(find_holder(libraries), "my_bart")
    text = model.docs_page.read_text()
    names = [line.removeprefix("### ") for line in text.splitlines() if line.startswith("### ")]
    try:
        model.docs_page.write_text("# MyBart\n\n" + "\n".join(f"## {name}\n[[autodoc]] {name}\n" for name in names))
        assert left_to_do(model) == []
    finally:
        model.docs_page.write_text(text)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "tiny"
    folder.mkdir()
    return folder


def test_an_argument_that_no_docstring_describes_is_named(package: Path) -> None:
    path = package / "modeling_tiny.py"
    path.write_text(MODELING)
    exports = package / "__init__.py"
    exports.write_text("from .modeling_tiny import TinyConfig, TinyForTask, TinyModel\n")
    (found,) = undescribed([path, exports], [])
    line = next(number for number, line in enumerate(MODELING.splitlines(), 1) if "scores" in line)
    assert (found.path, found.line) == (path, line)
    assert found.message == "argument scores of TinyForTask.forward is not described in a docstring"

    path.write_text(MODELING.replace('    """A model."""\n', "").replace("labels: the rest", "no labels here"))
    messages = [found.message for found in undescribed([path, exports], [])]
    assert "TinyModel has no docstring; say what it is" in messages
    assert "argument labels of TinyModel.forward is not described in a docstring" in messages


LAZY_INIT = """
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .modeling_tiny import TinyForTask
"""


@pytest.mark.parametrize(
    ("init", "all_", "expected"),
    [
        ("from .modeling_tiny import TinyModel\n", "", ["TinyModel"]),
        (LAZY_INIT, "", ["TinyForTask"]),
        ("", '__all__ = ["TinyConfig", "TinyModel"]\n', ["TinyConfig", "TinyModel"]),
        ("", "", ["Base", "TinyConfig", "TinyModel", "TinyForTask"]),
    ],
)
def test_what_is_public_is_what_the_library_exports(package: Path, init: str, all_: str, expected: list[str]) -> None:
    (package / "__init__.py").write_text(init)
    (package / "modeling_tiny.py").write_text(MODELING + "\n\nclass _Private: ...\n\n\n" + all_)
    assert [found.name for found in public_classes(sorted(package.glob("*.py")))] == expected


def test_decorators_that_write_the_description_are_believed(tmp_path: Path) -> None:
    path = tmp_path / "modeling_tiny.py"
    path.write_text("@auto_docstring\nclass TinyModel:\n    def forward(self, input_ids): ...\n")
    assert undescribed([path], []) == ()


def test_a_module_that_does_not_parse_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "modeling_tiny.py"
    path.write_text("x = 1\nclass (\n")
    with pytest.raises(AddModelError, match=r"modeling_tiny\.py:2: does not parse"):
        undescribed([path], [])


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("Nothing left.\n<!-- Copyright 2030 -->\n", []),
        ("one\n<!-- To fill in:\nmore\n-->\nTODO: tips\n", [2, 5]),
        ("<!-- to fill in, never closed\n\nand more", [1]),
        ("see <INSERT PAPER NAME HERE> by [insert authors]\n", [1, 1]),
        ("A todo list is not a TODO\n", [1]),
        ("Lorem ipsum dolor\n\nTo be described: all\n", [1, 3]),
        ("{{ fill in }} <fill me in>", [1, 1]),
        ("insert a token; fill in the mask [MASK]", []),
    ],
)
def test_placeholders_of_several_kinds_are_found(text: str, lines: list[int]) -> None:
    assert [found.line for found in placeholders(Path("page.md"), text)] == lines
