"""What `like`, `references` and `remove` read from a tree: templates that never end, pipes, texts without bottom."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from .bounded import add_model

pytestmark = pytest.mark.slow

LOOPS = "{% for a in range(99999) %}{% for b in range(99999) %}{% set x = a %}{% endfor %}{% endfor %}"
TWICE = "{% set ns = namespace(x='a') %}{% for a in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x }}"
MACROS = (
    "".join(
        f"{{% macro m{n}() %}}{f'{{{{ m{n - 1}() }}}}{{{{ m{n - 1}() }}}}' if n else 'a'}{{% endmacro %}}"
        for n in range(40)
    )
    + "{{ m39() }}"
)
REGISTRY = "src/lib/registry.py"
MODULE = "src/lib/models/first_bert/modeling_first_bert.py"
RECORD = ".add-model/models/first_bert/written.json"


@pytest.fixture(scope="module")
def laid_down(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("laid_down")
    assert add_model(folder, "like", "bert", "--name", "first_bert", "--into", "lib", "--yes").returncode == 0
    return folder / "lib"


@pytest.fixture
def tree(laid_down: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(laid_down, tmp_path / "tree"))


def like(tree: Path, reference: str = "bert") -> str:
    """The one line that says why nothing is written; and nothing is."""
    before = sorted(path for path in tree.rglob("*"))
    answer = add_model(tree, "like", reference, "--name", "new_bert", "--yes")
    assert answer.returncode == 2 and len(answer.stderr.splitlines()) == 1, answer
    assert sorted(path for path in tree.rglob("*")) == before
    return answer.stderr


def with_template(tree: Path, text: str) -> Path:
    project = tree / "pyproject.toml"
    project.write_text(project.read_text().replace("[tool.add-model]\n", '[tool.add-model]\ntemplates = "own"\n', 1))
    template = tree / "own/model/docs/NAME_page.md.jinja"
    template.parent.mkdir(parents=True)
    template.write_text(text)
    return template


@pytest.mark.parametrize(
    "text",
    [LOOPS, TWICE, MACROS, "{{ 'a' * 10 ** 9 }}", "{{ '%0999999999d' % 1 }}", "{{ 9 ** (9 ** (9 ** 9)) }}"],
    ids=["loops", "twice", "macros", "times", "format", "power"],
)
def test_a_template_that_never_ends(text: str, tree: Path) -> None:
    with_template(tree, text)
    assert "own: takes more than 5 seconds, or more memory than there is" in like(tree) or "MemoryError" in like(tree)


@pytest.mark.parametrize(
    "text", ["{% if 1 %}" * 20_000, "{{ " + "(" * 50_000 + " }}", "{{ 'a' * 5000000 }}", "a" * 600_000]
)
def test_a_template_without_bottom(text: str, tree: Path) -> None:
    with_template(tree, text)
    assert "template" in like(tree)


def test_a_pipe_as_a_template(tree: Path) -> None:
    template = with_template(tree, "")
    template.unlink()
    os.mkfifo(template)
    assert "is not a regular file" in like(tree)


def test_a_template_that_ends_is_rendered(tree: Path) -> None:
    with_template(tree, "{% for head in heads %}{{ head }} {% endfor %}{{ 'ab' * 3 }}\n")
    assert add_model(tree, "like", "bert", "--name", "new_bert", "--yes").returncode == 0
    assert (tree / "docs/new_bert_page.md").read_text().endswith("ababab\n")


@pytest.mark.parametrize(
    "line",
    [
        f"x = {'(' * 100_000}",
        f"x = {'1 + ' * 100_000}1",
        f"X_MAPPING_NAMES = {'-' * 2_000}1",
        f"x = [{'a,' * 400_000}]",
    ],
    ids=["brackets", "sum", "signs", "names"],
)
@pytest.mark.parametrize(
    "command", [("references",), ("like", "bert", "--name", "new_bert", "--yes"), ("remove", "first_bert")]
)
def test_a_registry_without_bottom(line: str, command: tuple[str, ...], tree: Path) -> None:
    with open(tree / REGISTRY, "a") as file:
        file.write(f"{line}\n")
    answer = add_model(tree, *command)
    assert answer.returncode == 2 and len(answer.stderr.splitlines()) == 1 and "registry.py" in answer.stderr


@pytest.mark.parametrize(
    "line",
    [f"x = {'(' * 90}1{')' * 90}{'.a' * 3_000}", f"x = {'1 + ' * 700}1", f"x = {'-' * 100_000}1"],
    ids=["attributes", "sum", "signs"],
)
def test_a_reference_without_bottom(line: str, tree: Path) -> None:
    with open(tree / MODULE, "a") as file:
        file.write(f"{line}\n")
    add_model(tree, "like", "library:first_bert", "--name", "new_bert", "--yes")


@pytest.mark.parametrize("name", ["pyproject.toml", REGISTRY, MODULE])
def test_a_pipe_is_not_waited_for(name: str, tree: Path) -> None:
    (tree / name).unlink()
    os.mkfifo(tree / name)
    for command in (
        ("references",),
        ("like", "library:first_bert", "--name", "new_bert", "--yes"),
        ("remove", "first_bert"),
    ):
        add_model(tree, *command)


@pytest.mark.parametrize("content", ["[" * 100_000, '{"a":' * 100_000, "9" * 100_000, ""])
def test_a_record_without_bottom_is_none(content: str, tree: Path) -> None:
    (tree / RECORD).write_text(content)
    add_model(tree, "remove", "first_bert")
    add_model(tree, "check-copies", "--no-cache")


def test_answers_without_bottom(tree: Path) -> None:
    (tree / "answers.toml").write_text(f"x = {'[' * 50_000}\n")
    answer = add_model(tree, "like", "--answers", "answers.toml", "--yes")
    assert answer.returncode == 2 and "answers.toml: is nested too deeply" in answer.stderr
    (tree / "answers.toml").unlink()
    os.mkfifo(tree / "answers.toml")
    assert "is not a regular file" in add_model(tree, "like", "--answers", "answers.toml", "--yes").stderr
