"""`--style modular`: the modular file, the single files beside it, and where it is offered."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from add_model.copies.language.marker import without_markers
from tests.scaffold.out_of_tree.installed import add_model, part_of_transformers


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The models folder of a tree with a model like BERT in either style; the tree has a modular file."""
    tree = part_of_transformers(tmp_path_factory.mktemp("tree"), "5.23.0", "bert", "gemma")
    for style in ("single", "modular"):
        run = add_model(tree, "like", "bert", "--name", f"quokka_{style}", "--into", ".", "--yes", "--style", style)
        assert run.returncode == 0, run.stderr
    return tree / "transformers" / "models"


def classes(path: Path) -> dict[str, list[str]]:
    tree = ast.parse(path.read_text())
    return {node.name: [ast.unparse(base) for base in node.bases] for node in tree.body if isinstance(node, ast.ClassDef)}  # fmt: skip


def test_each_class_derives_from_the_references(made: Path) -> None:
    derived = classes(made / "quokka_modular" / "modular_quokka_modular.py")
    assert derived["QuokkaModularModel"] == ["BertModel"]
    assert derived["QuokkaModularConfig"] == ["BertConfig"]
    references = {name for path in (made / "bert").glob("*_bert.py") for name in classes(path)}
    assert all(len(bases) == 1 and bases[0] in references for bases in derived.values())


def test_it_imports_what_it_derives_from_where_that_is_defined(made: Path) -> None:
    tree = ast.parse((made / "quokka_modular" / "modular_quokka_modular.py").read_text())
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    assert imports
    for node in imports:
        assert node.level == 2 and node.module is not None
        defined = classes(made / f"{node.module.replace('.', '/')}.py")
        assert {alias.name for alias in node.names} <= set(defined)


def test_the_single_files_are_those_of_the_other_style_without_markers(made: Path) -> None:
    for kind in ("configuration", "modeling", "tokenization"):
        single = (made / "quokka_single" / f"{kind}_quokka_single.py").read_text()
        follows = (made / "quokka_modular" / f"{kind}_quokka_modular.py").read_text()
        lines = follows.splitlines(keepends=True)
        assert "generated from src/transformers/models/quokka_modular/modular_quokka_modular.py." in lines[1]
        assert "# Copied from" not in follows
        renamed = (
            without_markers(single).replace("QuokkaSingle", "QuokkaModular").replace("quokka_single", "quokka_modular")
        )
        assert ast.dump(ast.parse(follows)) == ast.dump(ast.parse(renamed))


def test_files_that_no_converter_writes_keep_their_markers(made: Path) -> None:
    legacy = (made / "quokka_modular" / "tokenization_quokka_modular_legacy.py").read_text()
    assert "# Copied from transformers.models.bert.tokenization_bert_legacy." in legacy
    assert "generated from" not in legacy


def test_the_style_is_stored_and_replayed(made: Path, tmp_path: Path) -> None:
    root = made.parents[1]
    answers = root / ".add-model" / "models" / "quokka_modular" / "answers.toml"
    assert 'style = "modular"' in answers.read_text()
    assert "style" not in (root / ".add-model" / "models" / "quokka_single" / "answers.toml").read_text()
    before = (made / "quokka_modular" / "modular_quokka_modular.py").read_bytes()
    run = add_model(root, "like", "--answers", str(answers), "--into", ".", "--force")
    assert run.returncode == 0, run.stderr
    assert (made / "quokka_modular" / "modular_quokka_modular.py").read_bytes() == before


@pytest.mark.parametrize(
    ("models", "arguments", "said"),
    [
        (("bert",), ["bert", "--name", "quokka", "--style", "modular"], "modular_*.py files"),
        (("bert", "gemma"), ["bert", "--name", "quokka", "--style", "moduler"], "choose from: single, modular"),
        (("data2vec",), ["data2vec", "--name", "quokka", "--style", "modular"], "has no modeling_data2vec.py"),
    ],
)
def test_where_it_is_not_offered_the_error_says_why(
    tmp_path: Path, models: tuple[str, ...], arguments: list[str], said: str
) -> None:
    tree = part_of_transformers(tmp_path, "5.23.0", *models)
    before = {path: path.read_bytes() for path in tree.rglob("*") if path.is_file()}
    run = add_model(tree, "like", *arguments, "--into", ".", "--yes")
    assert run.returncode == 2
    assert said in run.stderr and len(run.stderr.splitlines()) == 1
    assert before == {path: path.read_bytes() for path in tree.rglob("*") if path.is_file()}


def test_a_standalone_library_knows_one_style(tmp_path: Path) -> None:
    run = add_model(tmp_path, "like", "zoo:bert", "--name", "quokka", "--into", "mine", "--yes", "--style", "modular")
    assert run.returncode == 2 and "only checkouts" in run.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_casing_of_its_classes_can_be_given(made: Path) -> None:
    asked = ("--name", "quokka_big", "--class-name", "QuokkaBIG", "--style", "modular")
    run = add_model(made.parents[1], "like", "bert", *asked, "--into", ".", "--yes")
    assert run.returncode == 0, run.stderr
    derived = classes(made / "quokka_big" / "modular_quokka_big.py")
    assert derived["QuokkaBIGModel"] == ["BertModel"] and all(name.startswith("QuokkaBIG") for name in derived)
    assert derived.keys() <= {name for path in (made / "quokka_big").glob("*.py") for name in classes(path)}


def test_the_top_of_what_follows_is_that_of_the_trees_own_such_files(made: Path) -> None:
    theirs = (made / "gemma" / "modeling_gemma.py").read_text().partition("# Copyright")[0]
    ours = (made / "quokka_modular" / "modeling_quokka_modular.py").read_text().partition("# Copyright")[0]
    assert "modular_gemma.py" in theirs
    assert ours == theirs.replace("gemma", "quokka_modular")


def test_the_trees_converter_is_named_and_not_started(made: Path) -> None:
    root = made.parents[1]
    script = root / "utils" / "modular_model_converter.py"
    script.parent.mkdir()
    script.write_text("open('started', 'w')\n")
    command = "python utils/modular_model_converter.py --files_to_parse transformers/models/{name}/modular_{name}.py"
    for style in ("single", "modular"):
        name = f"quokka_next_{style}"
        run = add_model(root, "like", "bert", "--name", name, "--into", ".", "--yes", "--style", style)
        assert run.returncode == 0, run.stderr
        assert (command.format(name=name) in run.stdout) == (style == "modular")
    assert not (root / "started").exists()
