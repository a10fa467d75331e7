import json
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from add_model import installed as packages
from add_model.errors import AddModelError
from add_model.scaffold.checkout.layout import find_checkout
from tests.cli.commands import add_model_here
from tests.scaffold.checkout.installed import installed
from tests.scaffold.checkout.trees import make_checkout


@pytest.mark.parametrize("generation", [4, 5])
@pytest.mark.parametrize("inside", [".", "src", "src/transformers"])
def test_a_checkout_is_recognised_from_its_root_and_from_its_sources(
    tmp_path: Path, generation: int, inside: str
) -> None:
    root = make_checkout(tmp_path / "checkout", generation)
    checkout = find_checkout((root / inside).resolve())
    assert checkout is not None
    assert (checkout.root, checkout.generation) == (root, generation)
    assert checkout.tests_folder == root / "tests/models" and checkout.docs_folder == root / "docs/source/en"


def test_an_unpacked_wheel_has_the_folder_above_it_as_its_root() -> None:
    checkout = installed()
    assert checkout.root == checkout.package_folder.parent and checkout.generation == 5


def test_a_library_that_only_uses_transformers_is_none(tmp_path: Path) -> None:
    (tmp_path / "src/my_models/models").mkdir(parents=True)
    assert find_checkout(tmp_path) is None


@pytest.mark.parametrize(("version", "generation"), [("4.10.0", 4), ("5.1.0.dev0", 5)])
def test_the_version_decides_where_there_is_one(tmp_path: Path, version: str, generation: int) -> None:
    root = make_checkout(tmp_path, 4)
    (root / "src/transformers/__init__.py").write_text(f'__version__ = "{version}"\n')
    checkout = find_checkout(root)
    assert checkout is not None and checkout.generation == generation


@pytest.mark.parametrize("version", ["3.5.1", "6.0.0"])
def test_other_generations_are_refused_by_their_version(tmp_path: Path, version: str) -> None:
    root = make_checkout(tmp_path)
    (root / "src/transformers/__init__.py").write_text(f'__version__ = "{version}"\n')
    with pytest.raises(AddModelError, match=rf"{version}, and this add-model knows 4\.x and 5\.x"):
        find_checkout(root)


OLD_AUTO = "CONFIG_MAPPING = OrderedDict([('bert', BertConfig)])\n"


@pytest.mark.parametrize(
    ("package", "auto", "said"),
    [
        ('__version__ = "4.9.0"\n', OLD_AUTO, "is Transformers 4.9.0, which is older than what add-model knows"),
        ('__version__ = "4.0.1"\n', OLD_AUTO, "is Transformers 4.0.1, which is older than what add-model knows"),
        ("", OLD_AUTO, "is laid out as no release of Transformers that add-model knows"),
    ],
)
def test_an_older_release_is_told_the_oldest_layout_that_is_known(
    tmp_path: Path, package: str, auto: str, said: str
) -> None:
    root = make_checkout(tmp_path, 4)
    (root / "src/transformers/__init__.py").write_text(package)
    (root / "src/transformers/models/auto/configuration_auto.py").write_text(auto)
    with pytest.raises(AddModelError, match=said) as error:
        find_checkout(root)
    assert "the oldest layout is that of 4.10.0" in str(error.value) and "restore" not in str(error.value)


@pytest.mark.parametrize("command", [("like", "bert", "--name", "jay", "--yes"), ("references",), ("references", "--json")])  # fmt: skip
def test_no_model_of_an_older_release_is_offered(tmp_path: Path, command: tuple[str, ...]) -> None:
    root = make_checkout(tmp_path, 4)
    (root / "src/transformers/__init__.py").write_text('__version__ = "4.9.0"\n')
    result = add_model_here(root, *command)
    assert (result.returncode, result.stdout) == (2, "")
    assert "the oldest layout is that of 4.10.0" in result.stderr and "restore" not in result.stderr


def test_an_older_release_that_is_installed_offers_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = make_checkout(tmp_path / "checkout", 4)
    (root / "src/transformers/__init__.py").write_text('__version__ = "4.9.0"\n')
    old = ModuleSpec("transformers", None, is_package=True)
    old.submodule_search_locations = [str(root / "src/transformers")]
    real = packages._specification
    monkeypatch.setattr(packages, "_specification", lambda name: old if name == "transformers" else real(name))
    (tmp_path / "empty").mkdir()
    shown = json.loads(add_model_here(tmp_path / "empty", "references", "--json").stdout)
    assert {place for row in shown for place in row["available"]} == {"zoo"}
    result = add_model_here(tmp_path / "empty", "like", "whisper", "--name", "jay", "--into", "my_models")
    assert "pip install --upgrade transformers, and type: add-model like transformers:whisper" in result.stderr
