from pathlib import Path

import pytest

from add_model.errors import AddModelError
from add_model.scaffold.checkout.layout import find_checkout
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


@pytest.mark.parametrize(("version", "generation"), [("4.0.0", 4), ("5.1.0.dev0", 5)])
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
