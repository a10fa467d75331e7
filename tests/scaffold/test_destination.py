import os
from pathlib import Path

import pytest

from add_model.errors import AddModelError
from add_model.scaffold.destination import find_destination, package_name
from add_model.scaffold.library_kinds import STANDALONE
from add_model.scaffold.standalone.target import Standalone
from add_model.scaffold.target import Target
from tests.scaffold.libraries import make_library


def refused(into: str | None, working_folder: Path, said: str) -> None:
    """Asserts that the folder is refused in one line, and that nothing is written."""
    start = sorted(working_folder.parent.rglob("*"))
    with pytest.raises(AddModelError, match=said) as error:
        find_destination(None if into is None else Path(into), working_folder)
    assert "\n" not in str(error.value)
    assert sorted(working_folder.parent.rglob("*")) == start


def to_be(root: Path) -> Target:
    """The library that is to be made in a folder."""
    return STANDALONE.new(root, root.name)


@pytest.fixture
def here(tmp_path: Path) -> Path:
    folder = tmp_path / "here"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("below", [".", "src/my_models", "src/my_models/models", "docs"])
def test_the_library_around_the_working_folder_is_found(here: Path, below: str) -> None:
    library = make_library(here, {})
    (here / "docs").mkdir()
    assert find_destination(None, here / below) == Standalone(library)


@pytest.mark.parametrize("hidden", [[], [".git"], [".git", ".venv", ".gitignore"]])
def test_an_empty_working_folder_is_where_a_new_library_goes(here: Path, hidden: list[str]) -> None:
    for name in hidden:
        (here / name).mkdir()
    assert find_destination(None, here) == to_be(here)


def test_a_working_folder_with_something_else_in_it_is_refused(here: Path) -> None:
    (here / "notes.txt").touch()
    refused(None, here, "is no library and not empty; pass a folder for a new one, for example --into my_models")


@pytest.mark.parametrize("into", ["my_models", "./my_models", "a/b/my_models", "../elsewhere/my_models"])
def test_a_folder_that_is_not_there_yet_is_made_later(here: Path, into: str) -> None:
    destination = find_destination(Path(into), here)
    assert destination == to_be(Path(os.path.normpath(here / into)))
    assert not destination.root.exists()


def test_an_absolute_folder_is_taken_as_it_is(here: Path, tmp_path: Path) -> None:
    assert find_destination(tmp_path / "other", here) == to_be(tmp_path / "other")


def test_a_folder_that_holds_a_library_is_written_into(here: Path) -> None:
    library = make_library(here / "mine", {"bert": "Bert"})
    assert find_destination(Path("mine"), here) == Standalone(library)


def test_the_folder_asked_for_wins_over_the_library_around(here: Path) -> None:
    make_library(here, {})
    assert find_destination(Path("new"), here) == to_be(here / "new")


def test_a_project_of_ones_own_may_become_a_library(here: Path) -> None:
    (here / "pyproject.toml").write_text('[project]\nname = "mine"\n')
    (here / "notes.txt").touch()
    assert find_destination(Path("."), here) == to_be(here)


@pytest.mark.parametrize(("into", "said"), [("file", "--into file is a file; pass a folder"), ("file/below", "file is a file, so that .* cannot be made")])  # fmt: skip
def test_a_file_is_refused(here: Path, into: str, said: str) -> None:
    (here / "file").touch()
    refused(into, here, said)


@pytest.mark.parametrize("into", ["link", "link/below", "through/link"])
def test_a_link_out_of_the_tree_is_refused(here: Path, tmp_path: Path, into: str) -> None:
    (tmp_path / "outside").mkdir()
    (here / "link").symlink_to(tmp_path / "outside")
    (here / "through").symlink_to(here)
    refused(into, here, f"--into {into} is a symbolic link to {tmp_path}/outside.*; pass that path itself if you mean it")  # fmt: skip


def test_a_dangling_link_out_of_the_tree_is_refused(here: Path) -> None:
    (here / "link").symlink_to("../outside")
    refused("link", here, "is a symbolic link to .*outside")


def test_a_link_within_the_tree_is_followed(here: Path) -> None:
    library = make_library(here / "real", {})
    (here / "link").symlink_to("real")
    destination = find_destination(Path("link"), here)
    assert not destination.is_new and destination.package == library.package


def test_a_working_folder_behind_a_link_is_no_way_out(tmp_path: Path, here: Path) -> None:
    (tmp_path / "alias").symlink_to(here)
    assert find_destination(Path("new"), tmp_path / "alias") == to_be(tmp_path / "alias/new")
    assert find_destination(Path("."), tmp_path / "alias").root == tmp_path / "alias"


@pytest.mark.parametrize("into", [None, "."])
@pytest.mark.parametrize(("table", "said"), [("packge = 'a'", "did you mean `package`"), ("package = 'a", "not valid TOML")])  # fmt: skip
def test_a_broken_configuration_is_refused(here: Path, into: str | None, table: str, said: str) -> None:
    (here / "pyproject.toml").write_text(f"[tool.add-model]\n{table}\n")
    refused(into, here, said)


@pytest.mark.parametrize("into", [None, "."])
def test_a_library_without_a_registry_is_refused(here: Path, into: str | None) -> None:
    library = make_library(here, {})
    library.registry.unlink()
    refused(into, here, "registry.py: the library has no registry; check `package` and `source`")


def test_a_checkout_of_transformers_that_is_laid_out_as_none_is_refused(here: Path) -> None:
    (here / "src/transformers/models").mkdir(parents=True)
    refused(".", here, "as neither 4.x nor 5.x of Transformers: looked for .*; pass .* with --into")


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="nothing is forbidden to root")
@pytest.mark.parametrize("into", ["locked", "locked/new"])
def test_a_folder_that_cannot_be_written_is_refused(here: Path, into: str) -> None:
    (here / "locked").mkdir(mode=0o555)
    refused(into, here, "locked cannot be written; make it writable, or pass another folder with --into")


@pytest.mark.parametrize(("folder", "package"), [("my_models", "my_models"), ("My Models", "my_models"), ("my-models", "my_models"), ("MyModels2", "my_models2"), ("2024_models", "models")])  # fmt: skip
def test_the_package_is_called_after_the_folder(folder: str, package: str) -> None:
    assert package_name(Path("/somewhere") / folder) == package


@pytest.mark.parametrize("folder", ["", "123", "模型", "class", "print", "json", "Random", "torch", "transformers", "add-model", "tests"])  # fmt: skip
def test_a_folder_that_makes_no_package_is_refused(folder: str) -> None:
    with pytest.raises(AddModelError, match="choose one named like my_models"):
        package_name(Path("/") / folder)
