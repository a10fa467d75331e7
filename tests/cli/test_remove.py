"""`add-model remove` undoes exactly what `add-model like` wrote, in a library and in a checkout of Transformers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ..scaffold.checkout.trees import make_checkout
from .commands import add_model_here, add_model_process, check_refusal, contents, done, tree


def removed(root: Path, name: str, *arguments: str) -> str:
    """Removes a model, which must succeed without a word on stderr; returns stdout."""
    result = add_model_here(root, "remove", name, *arguments)
    assert (result.returncode, result.stderr) == (0, ""), result.stderr
    return result.stdout


def refused(root: Path, *arguments: str, naming: tuple[str, ...]) -> None:
    """Asks for a removal that must be refused with one line, and leave everything as it is."""
    before = tree(root)
    check_refusal(add_model_here(root, "remove", *arguments), naming)
    assert tree(root) == before


@pytest.fixture(params=[4, 5], ids=["4.x", "5.x"])
def checkout(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return make_checkout(tmp_path / "checkout", request.param)


# The exact inverse


@pytest.mark.parametrize("name", ["aardvark", "jay", "wren2", "zebra"])
def test_in_a_checkout_nothing_is_left_of_a_model(checkout: Path, name: str) -> None:
    before = contents(checkout)
    done(checkout, "wren", "--name", name, "--yes")
    assert contents(checkout) != before
    removed(checkout, name)
    assert contents(checkout) == before


@pytest.mark.parametrize("order", [("jay", "kite", "ibis"), ("ibis", "kite", "jay"), ("kite", "jay", "ibis")])
def test_in_a_checkout_models_go_in_any_order(checkout: Path, order: tuple[str, ...]) -> None:
    before = contents(checkout)
    done(checkout, "wren", "--name", "jay", "--yes")
    done(checkout, "finch", "--name", "kite", "--yes")
    with_two = contents(checkout)
    done(checkout, "wren", "--name", "ibis", "--yes")
    if order[0] == "ibis":
        removed(checkout, "ibis")
        assert contents(checkout) == with_two
        order = order[1:]
    for name in order:
        removed(checkout, name)
    assert contents(checkout) == before


def test_in_a_checkout_a_model_that_was_replaced_goes_whole(checkout: Path) -> None:
    before = contents(checkout)
    done(checkout, "wren", "--name", "jay", "--yes")
    done(checkout, "finch", "--name", "jay", "--yes", "--force")
    removed(checkout, "jay")
    assert contents(checkout) == before


def test_in_a_checkout_with_windows_line_ends(tmp_path: Path) -> None:
    root = make_checkout(tmp_path / "checkout")
    for path in root.rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    before = contents(root)
    done(root, "wren", "--name", "jay", "--yes")
    removed(root, "jay")
    assert contents(root) == before


@pytest.mark.parametrize("reference", ["bert", "gpt2", "bart"])
def test_in_a_library_nothing_is_left_of_a_second_model(library: Path, reference: str) -> None:
    before = contents(library)
    done(library, f"zoo:{reference}", "--name", "jay", "--yes")
    removed(library, "jay")
    assert contents(library) == before


def test_in_a_library_the_first_model_goes_and_the_second_stays(library: Path) -> None:
    done(library, "zoo:gpt2", "--name", "jay", "--yes")
    before = contents(library)
    removed(library, "brand_new_bert")
    after = contents(library)
    gone = {path for path in before if path not in after}
    assert all("brand_new_bert" in path for path in gone) and "src/my_models/models/brand_new_bert" in gone
    changed = {path for path in after if after[path] != before[path]}
    # The auto classes that only the first one had go as well.
    assert changed == {f"src/my_models/{name}.py" for name in ("__init__", "auto", "registry")} | {"docs/index.md"}
    for path in ("src/my_models/registry.py", "docs/index.md"):
        text = (after[path] or b"").decode()
        assert "brand_new_bert" not in text and "BrandNewBert" not in text and "jay" in text
    assert "brand_new_bert" not in add_model_here(library, "references", "--json").stdout


def test_a_library_without_its_only_model_takes_another(library: Path) -> None:
    removed(library, "brand_new_bert")
    done(library, "zoo:gpt2", "--name", "jay", "--yes")
    assert add_model_here(library, "check-copies").returncode == 0


# What was edited since


def test_a_file_that_was_edited_is_not_deleted_without_force(checkout: Path) -> None:
    before = contents(checkout)
    done(checkout, "wren", "--name", "jay", "--yes")
    path = checkout / "src/transformers/models/jay/modeling_jay.py"
    path.write_text(path.read_text() + "# mine\n")
    refused(checkout, "jay", naming=("modeling_jay.py: was edited since", "--force"))
    removed(checkout, "jay", "--force")
    assert contents(checkout) == before


def test_entries_that_were_edited_are_named_and_left_with_force(checkout: Path) -> None:
    done(checkout, "wren", "--name", "jay", "--yes")
    path = checkout / "src/transformers/models/auto/modeling_auto.py"
    path.write_text(path.read_text().replace('("jay", "JayForCausalLM"),', '("jay", "JayForEverything"),'))
    edited = path.read_bytes()
    refused(checkout, "jay", naming=("modeling_auto.py: was edited since", "--force"))
    assert "left: src/transformers/models/auto/modeling_auto.py (its entries" in removed(checkout, "jay", "--force")
    assert path.read_bytes() == edited
    assert not (checkout / "src/transformers/models/jay").exists()


def test_edits_elsewhere_in_a_file_with_entries_stay(checkout: Path) -> None:
    done(checkout, "wren", "--name", "jay", "--yes")
    path = checkout / "src/transformers/models/auto/modeling_auto.py"
    original = make_checkout(checkout.parent / "clean").joinpath("src/transformers/models/auto/modeling_auto.py")
    path.write_text("# mine\n" + path.read_text() + "# mine, too\n")
    removed(checkout, "jay")
    assert path.read_text() == "# mine\n" + original.read_text() + "# mine, too\n"


def test_files_of_ones_own_in_the_models_folder_stay_and_are_named(checkout: Path) -> None:
    done(checkout, "wren", "--name", "jay", "--yes")
    own = checkout / "src/transformers/models/jay/notes.txt"
    own.write_text("mine\n")
    (own.parent / "__pycache__").mkdir()
    (own.parent / "__pycache__" / "modeling_jay.cpython-311.pyc").write_bytes(b"")
    assert "left: src/transformers/models/jay/notes.txt (not written by add-model)" in removed(checkout, "jay")
    assert own.read_text() == "mine\n"


def test_what_python_left_of_the_modules_goes_with_them(checkout: Path) -> None:
    before = contents(checkout)
    done(checkout, "wren", "--name", "jay", "--yes")
    cache = checkout / "src/transformers/models/jay/__pycache__"
    cache.mkdir()
    (cache / "modeling_jay.cpython-311.pyc").write_bytes(b"")
    removed(checkout, "jay")
    assert contents(checkout) == before


def test_a_file_that_is_gone_already_is_no_hindrance(checkout: Path) -> None:
    before = contents(checkout)
    done(checkout, "wren", "--name", "jay", "--yes")
    (checkout / "src/transformers/models/jay/modeling_jay.py").unlink()
    removed(checkout, "jay")
    assert contents(checkout) == before


def test_a_model_that_was_made_from_it_is_named(library: Path) -> None:
    done(library, "brand_new_bert", "--name", "newer_bert", "--yes")
    assert "left: .add-model/models/newer_bert (was made from brand_new_bert" in removed(library, "brand_new_bert")


# As a command


def test_a_dry_run_touches_nothing_and_says_the_same(checkout: Path) -> None:
    done(checkout, "wren", "--name", "jay", "--yes")
    before = tree(checkout)
    shown = removed(checkout, "jay", "--dry-run")
    assert tree(checkout) == before and "would go; nothing was touched" in shown
    assert "removed" not in shown and "taken out" not in shown
    would_go = [line for line in shown.splitlines() if line.startswith(("would go: ", "entry would go: "))]
    gone = [
        line for line in removed(checkout, "jay").splitlines() if line.startswith(("removed: ", "entry taken out: "))
    ]
    assert [line.partition(": ")[2] for line in would_go] == [line.partition(": ")[2] for line in gone] != []


def test_json_is_one_document(checkout: Path) -> None:
    done(checkout, "wren", "--name", "jay", "--yes")
    document = json.loads(removed(checkout.parent, "jay", "--into", "checkout", "--json"))
    assert document["name"] == "jay" and document["dry_run"] is False and document["left"] == []
    assert "src/transformers/models/jay/modeling_jay.py" in document["removed"]
    assert "src/transformers/models/auto/modeling_auto.py" in document["edited"]


def test_a_model_that_is_not_known_is_refused_and_the_known_are_listed(checkout: Path) -> None:
    refused(checkout, "wren", naming=("no model 'wren' that add-model wrote", "there is none at all"))
    done(checkout, "wren", "--name", "jay", "--yes")
    refused(checkout, "wren", naming=("no model 'wren'", "there are: jay", "--into"))
    refused(checkout, "../jay", naming=("no model '../jay'",))


def test_a_record_that_is_none_is_named(checkout: Path) -> None:
    done(checkout, "wren", "--name", "jay", "--yes")
    (checkout / ".add-model/models/jay/written.json").write_text("{")
    refused(checkout, "jay", naming=("written.json: is no record", "by hand"))


def test_a_record_from_elsewhere_reaches_nothing_outside(checkout: Path) -> None:
    done(checkout, "wren", "--name", "jay", "--yes")
    (checkout.parent / "precious.txt").write_text("mine\n")
    record = checkout / ".add-model/models/jay/written.json"
    record.write_text(json.dumps({"../precious.txt": "0" * 64}))
    refused(checkout, "jay", "--force", naming=("leads out of",))
    assert (checkout.parent / "precious.txt").exists()


def test_help_shows_examples(tmp_path: Path) -> None:
    result = add_model_process(tmp_path, "remove", "--help")
    assert result.returncode == 0 and "add-model remove jay --into path/to/checkout" in result.stdout


def test_a_table_of_contents_that_is_no_utf_8_stops_everything(checkout: Path) -> None:
    path = checkout / "docs/source/en/_toctree.yml"
    path.write_bytes(path.read_bytes() + b"# caf\xe9\n")
    before = tree(checkout)
    result = add_model_here(checkout, "like", "wren", "--name", "jay", "--yes")
    check_refusal(result, ("_toctree.yml: is not UTF-8",))
    assert tree(checkout) == before


def test_a_project_that_became_a_library_stays_one(tmp_path: Path) -> None:
    root = tmp_path / "my_models"
    root.mkdir()
    (root / "pyproject.toml").write_text('[project]\nname = "my-models"\nversion = "0.1"\n')
    done(tmp_path, "zoo:gpt2", "--name", "jay", "--into", "my_models", "--yes")
    configured = (root / "pyproject.toml").read_text()
    removed(root, "jay")
    assert (root / "pyproject.toml").read_text() == configured
    done(root, "zoo:bert", "--name", "kite", "--yes")
