from collections.abc import Iterable
from pathlib import Path

import pytest

from add_model.errors import AddModelError
from add_model.library import Configuration, Library, find_library, installed_package, library_at, read_configuration


def lay(root: Path, files: Iterable[str]) -> Path:
    for name in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def configured(root: Path, table: str) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    (root / "pyproject.toml").write_text(f"[tool.add-model]\n{table}")
    return root


@pytest.fixture
def standalone(tmp_path: Path) -> Path:
    root = configured(tmp_path / "repository", 'package = "my_models"\n')
    return lay(root, ["src/my_models/__init__.py", "src/my_models/models/bert/modeling_bert.py", "tests/__init__.py", "docs/index.md"])  # fmt: skip


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A source tree of a released library: its own configuration says nothing of ours."""
    root = lay(tmp_path / "checkout", [".git/HEAD", "src/transformers/__init__.py", "src/transformers/models/__init__.py",
        "src/transformers/models/bert/__init__.py", "src/transformers/models/bert/modeling_bert.py", "tests/models/bert/test_modeling_bert.py", "utils/check_copies.py"])  # fmt: skip
    (root / "pyproject.toml").write_text("[tool.ruff]\nline-length = 119\n")
    return root


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """An unpacked wheel: packages beside one another, and nothing else."""
    return lay(tmp_path / "site", ["diffusers/__init__.py", "diffusers/models/__init__.py", "diffusers/models/attention.py", "diffusers-0.42.1.dist-info/METADATA"])  # fmt: skip


@pytest.mark.parametrize("start", [".", "src", "src/my_models/models/bert", "src/my_models/models/bert/modeling_bert.py", "tests", "docs/index.md"])  # fmt: skip
def test_a_configured_library_is_found_from_anywhere_in_it(standalone: Path, start: str) -> None:
    library = find_library(standalone / start)
    assert library.root == standalone
    assert library.package == "my_models"
    assert library.packages == {"my_models": standalone / "src/my_models", "tests": standalone / "tests"}
    assert library.package_folder == standalone / "src/my_models"
    assert library.models_folder == standalone / "src/my_models/models"
    assert library.registry == standalone / "src/my_models/registry.py"
    assert library.tests_folder == standalone / "tests"
    assert library.docs_folder == standalone / "docs"


@pytest.mark.parametrize("start", [".", "src", "src/transformers", "src/transformers/models/bert", "src/transformers/models/bert/modeling_bert.py", "tests/models/bert", "utils"])  # fmt: skip
def test_a_checkout_is_found_by_its_layout(checkout: Path, start: str) -> None:
    library = find_library(checkout / start)
    assert library.root == checkout
    assert library.package == "transformers"
    assert library.packages == {"transformers": checkout / "src/transformers", "tests": checkout / "tests"}


@pytest.mark.parametrize("start", [".", "diffusers", "diffusers/models", "diffusers/models/attention.py"])
def test_an_unpacked_wheel_is_found_by_its_layout(wheel: Path, start: str) -> None:
    library = find_library(wheel / start)
    assert library.root == wheel
    assert library.packages == {"diffusers": wheel / "diffusers"}
    assert library.package == "diffusers"


def test_a_package_is_a_library_of_its_own_beside_others(wheel: Path) -> None:
    lay(wheel, ["torch/__init__.py"])
    assert find_library(wheel / "diffusers/models").packages == {"diffusers": wheel / "diffusers"}
    assert library_at(wheel / "diffusers").packages == {"diffusers": wheel / "diffusers"}
    assert set(find_library(wheel).packages) == {"diffusers", "torch"}


def test_a_source_tree_without_a_repository_is_found_by_its_layout(tmp_path: Path) -> None:
    root = lay(tmp_path / "unpacked", ["src/my_models/__init__.py", "src/my_models/models/a.py", "tests/test_a.py"])
    for start in (root, root / "src", root / "src/my_models/models", root / "src/my_models/models/a.py"):
        library = find_library(start)
        assert (library.root, library.package) == (root, "my_models")
        assert "tests" in library.packages


def test_a_package_at_the_root_is_found_with_the_tests_beside_it(tmp_path: Path) -> None:
    root = lay(tmp_path, [".git/HEAD", "my_models/__init__.py", "my_models/models/a.py", "tests/test_a.py"])
    library = find_library(root / "my_models/models")
    assert library.packages == {"my_models": root / "my_models", "tests": root / "tests"}
    assert library.package == "my_models"


def test_the_nearest_configuration_wins(standalone: Path) -> None:
    inner = configured(standalone / "examples/inner", 'package = "inner"\nsource = "."\n')
    lay(inner, ["inner/__init__.py"])
    assert find_library(inner / "inner").package == "inner"
    assert find_library(standalone / "examples").package == "my_models"


def test_a_configuration_further_up_wins_over_the_layout_below(standalone: Path) -> None:
    lay(standalone, ["vendored/other/__init__.py"])
    assert find_library(standalone / "vendored/other").root == standalone


def test_a_folder_with_nothing_in_it_is_a_library_without_packages(tmp_path: Path) -> None:
    library = find_library(tmp_path)
    assert library.packages == {}
    with pytest.raises(AddModelError, match='package = "..."'):
        _ = library.package


def test_several_packages_call_for_a_configuration(wheel: Path) -> None:
    lay(wheel, ["torch/__init__.py"])
    with pytest.raises(AddModelError, match=r'package = "\.\.\.".*found diffusers, torch'):
        _ = find_library(wheel).package


def test_folders_that_cannot_be_imported_are_no_packages(tmp_path: Path) -> None:
    root = lay(tmp_path, ["src/my_models/__init__.py", "src/my-other/__init__.py", "src/.hidden/__init__.py", "src/2/__init__.py", "src/plain/module.py"])  # fmt: skip
    assert set(find_library(root).packages) == {"my_models"}


def test_the_tests_of_a_package_that_brings_them_along_are_its_own(tmp_path: Path) -> None:
    root = lay(tmp_path, ["src/my_models/__init__.py", "src/my_models/tests/__init__.py", "tests/test_a.py"])
    assert library_at(root).tests_folder == root / "src/my_models/tests"


def test_every_key_of_the_configuration_is_read(tmp_path: Path) -> None:
    configured(
        tmp_path,
        'package = "top.inner"\nsource = "lib"\ntests = "checks"\ndocs = "documentation"\ntemplates = "mine"\n'
        'exclude = ["a/**", "b.py"]\nfull-copies = { "copy.py" = "original.py" }\n'
        'per-file-ignores = { "old/*" = ["CP001", "CP003"] }\n',
    )
    lay(tmp_path, ["lib/top/__init__.py", "lib/top/inner/__init__.py", "checks/test_a.py"])
    library = find_library(tmp_path / "lib")
    assert library.configuration == Configuration(
        "top.inner",
        "lib",
        "checks",
        "documentation",
        "mine",
        ("a/**", "b.py"),
        {"copy.py": "original.py"},
        {"old/*": ("CP001", "CP003")},
    )
    assert library.package_folder == tmp_path / "lib/top/inner"
    assert library.tests_folder == tmp_path / "checks"
    assert library.packages["tests"] == tmp_path / "checks"
    assert library.docs_folder == tmp_path / "documentation"


def test_an_empty_table_means_the_defaults(tmp_path: Path) -> None:
    assert read_configuration(configured(tmp_path, "")) == Configuration()


@pytest.mark.parametrize("text", ["", "[project]\nname = 'a'\n", "tool = 3\n", "[tool]\nruff = 1\n", "[project\n"])
def test_a_project_file_without_the_table_is_none_of_ours(tmp_path: Path, text: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    assert read_configuration(tmp_path) is None


@pytest.mark.parametrize("name", ["missing", "file"])
def test_where_there_is_no_folder_there_is_no_configuration(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    assert read_configuration(tmp_path / name) is None


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('packge = "a"', r"unknown key `packge`; did you mean `package`\?"),
        ("full_copies = {}", r"unknown key `full_copies`; did you mean `full-copies`\?"),
        ("xyz = 1", r"unknown key `xyz`; known keys: package, source, tests"),
        ("package = 3", "`package` .* must be a string"),
        ("package = true", "`package` .* must be a string"),
        ('exclude = "a"', "`exclude` .* must be a list of strings"),
        ("exclude = [1]", "`exclude` .* must be a list of strings"),
        ("full-copies = []", "`full-copies` .* must be a table of strings"),
        ("full-copies = { a = 1 }", "`full-copies` .* must be a table of strings"),
        ('per-file-ignores = { a = "CP003" }', "`per-file-ignores` .* must be a table of lists of strings"),
        ('per-file-ignores = ["CP003"]', "`per-file-ignores` .* must be a table of lists of strings"),
        ('source = "../elsewhere"', "`source` .* must be a folder below"),
        ('tests = "/tests"', "`tests` .* must be a folder below"),
        ('docs = "a/../../b"', "`docs` .* must be a folder below"),
        ('package = "my-models"', "`package` .* not a dotted module name"),
        ('package = "../models"', "`package` .* not a dotted module name"),
        ('package = ""', "`package` .* not a dotted module name"),
        ('package = "a', "is not valid TOML: .*line 2.*mend it and run again"),
    ],
)
def test_a_wrong_configuration_is_named_with_the_remedy(tmp_path: Path, table: str, said: str) -> None:
    configured(tmp_path, f"{table}\n")
    with pytest.raises(AddModelError, match=said) as error:
        find_library(tmp_path)
    assert str(tmp_path / "pyproject.toml") in str(error.value) and "\n" not in str(error.value)


def test_the_table_must_be_a_table(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool]\nadd-model = 3\n")
    with pytest.raises(AddModelError, match="must be a table"):
        read_configuration(tmp_path)


@pytest.mark.parametrize("content", [b"[tool.add-model]\npackage = '\xff'\n", None])
def test_a_project_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "pyproject.toml"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(AddModelError, match="pyproject.toml: cannot be read"):
        read_configuration(tmp_path)


def test_a_configured_package_that_is_not_there_is_named(tmp_path: Path) -> None:
    library = library_at(configured(tmp_path, 'package = "my_models"\n'))
    with pytest.raises(AddModelError, match="package my_models not found"):
        _ = library.registry


def test_an_installed_package_is_found_and_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay(tmp_path, ["never_imported/__init__.py"])
    (tmp_path / "never_imported/__init__.py").write_text("raise RuntimeError('imported')\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert installed_package("never_imported") == tmp_path / "never_imported"


@pytest.mark.parametrize("name", ["there_is_no_such_package", "json.tool", "../evil", "", "__main__", "this"])
def test_what_is_no_installed_package_is_not_found(name: str) -> None:
    assert installed_package(name) is None


def test_a_library_is_a_value(tmp_path: Path) -> None:
    assert Library(tmp_path, {}) == Library(tmp_path, {})
