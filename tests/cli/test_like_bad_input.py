"""Bad input to `add-model like`: one line that says what is wrong and what to do, exit code 2, nothing written."""

import os
import shutil
from pathlib import Path

import pytest

from .commands import add_model_here, add_model_process, check_refusal, contents, done, refused, tree

NEW = ("bert", "--name", "brand_new_bert", "--into", "my_models")
SECOND = ("gpt2", "--name", "tiny_gpt")


@pytest.mark.parametrize(
    ("name", "naming"),
    [
        ("Brand-New BERT", ("snake_case", "brand_new_bert")),
        ("BrandNewBert", ("snake_case", "brand_new_bert")),
        ("2fast", ("snake_case", "try fast")),
        ("a__b", ("snake_case", "a_b")),
        ("_private", ("snake_case", "private")),
        ("modèle", ("snake_case",)),
        ("../escape", ("snake_case", "escape")),
        ("a/b", ("snake_case", "a_b")),
        ("a.b", ("snake_case", "a_b")),
        ("a\nb", ("snake_case", "a_b")),
        ("", ("snake_case",)),
        ("class", ("keyword", "class_model")),
        ("list", ("builtin", "list_model")),
        ("brand_new_bert", ("exists", "--name", "--force")),
        ("brandnew_bert", ("brand_new_bert", "casing")),
        ("brandnewbert", ("brand_new_bert", "casing")),
        ("brandnew_bert", ("brand_new_bert", "underscores")),
        ("a" * 300, ("too long", "300 letters", "at most 100")),
        ("pre_trained", ("PreTrained", "another")),
        ("auto", ("Auto", "another")),
        ("config", ("config", "another")),
        ("training", ("training", "another")),
        ("my_models", ("my_models", "another")),
        ("models", ("models", "another")),
        ("encoder", ("encoder", "another")),
    ],
)
def test_a_name_that_cannot_be(library: Path, name: str, naming: tuple[str, ...]) -> None:
    refused(library, "bert", "--name", name, naming=naming)


def test_a_name_that_clashes_only_with_another_references_code_is_fine(library: Path) -> None:
    done(library, "gpt2", "--name", "pooler", "--heads", "none", "--dry-run")


@pytest.mark.parametrize(
    ("reference", "naming"),
    [
        ("bret", ("unknown reference 'bret'", "bert", "add-model references")),
        ("brand_new_brt", ("library:brand_new_bert",)),
        ("zoo:gpt3", ("zoo:gpt2",)),
        ("transformers:llama", ("transformers", "zoo:bart")),
        ("transformers:bret", ("transformers:bret", "zoo:bert")),
        ("no_such_package:bert", ("no_such_package", "zoo", "library")),
        ("../bert", ("unknown reference", "zoo:bert")),
        (":", ("''", "zoo")),
        ("", ("unknown reference",)),
    ],
)
def test_an_unknown_reference(library: Path, reference: str, naming: tuple[str, ...]) -> None:
    refused(library, reference, "--name", "new", naming=naming)


@pytest.mark.parametrize(
    ("option", "naming"),
    [
        ("--heads=masked-ml", ("masked-ml", "did you mean masked-lm", "none")),
        ("--heads=BertForCausalLM", ("BertForCausalLM", "masked-lm")),
        ("--tokenizer-like=brt", ("brt", "zoo:bert")),
        ("--tokenizer-like=transformers:bert", ("transformers:bert", "zoo:bert")),
    ],
)
def test_an_unknown_head_or_tokenizer(library: Path, option: str, naming: tuple[str, ...]) -> None:
    refused(library, "bert", "--name", "new", option, naming=naming)


def test_a_tokenizer_like_a_model_that_has_none(library: Path) -> None:
    done(library, "gpt2", "--name", "bare", "--heads", "none", "--tokenizer-like", "none")
    refused(library, "bert", "--name", "new", "--tokenizer-like", "bare", naming=("bare", "no tokenizer", "none"))


def test_a_novelty_of_bytes_that_are_no_text(library: Path) -> None:
    refused(library, "bert", "--name", "new", "--novelty", "a\udcff", naming=("--novelty", "character 2", "UTF-8"))


def test_a_missing_answer_without_a_terminal(tmp_path: Path) -> None:
    naming = ("add-model like bert", "add-model references")
    refused(tmp_path, "--into", "my_models", naming=naming, command=add_model_process)
    refused(tmp_path, "bert", "--into", "my_models", naming=("--name",))
    refused(tmp_path, "bert", "--into", "my_models", "--yes", "--json", naming=("--name",))


def test_a_working_folder_that_is_neither_empty_nor_a_library(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    refused(tmp_path, "bert", "--name", "new", naming=("not empty", "--into my_models"))


@pytest.mark.parametrize("into", ["occupied", "occupied/deeper", "occupied/deeper/still"])
def test_into_a_file(tmp_path: Path, into: str) -> None:
    (tmp_path / "occupied").write_text("mine")
    refused(tmp_path, *NEW[:-1], into, naming=("occupied", "is a file", "pass"))


@pytest.mark.parametrize("into", ["class", "torch", "json", "1", "---"])
def test_into_a_folder_that_makes_no_package_name(tmp_path: Path, into: str) -> None:
    refused(tmp_path, *NEW[:-2], f"--into={into}", naming=("my_models",))


@pytest.mark.parametrize("into", ["link", "link/my_models", "dangling"])
def test_into_a_link_that_leaves_the_tree(tmp_path: Path, into: str) -> None:
    working, elsewhere = tmp_path / "working", tmp_path / "elsewhere"
    working.mkdir()
    elsewhere.mkdir()
    (working / "link").symlink_to(elsewhere)
    (working / "dangling").symlink_to(tmp_path / "nothing_yet")
    before = tree(tmp_path)
    check_refusal(add_model_here(working, "like", *NEW[:-1], into), ("symbolic link", str(tmp_path), "pass that path"))
    assert tree(tmp_path) == before


@pytest.mark.parametrize("folder", ["docs", "src/my_models/models", "tests", ".add-model"])
def test_a_library_with_a_link_that_leaves_the_tree(library: Path, tmp_path: Path, folder: str) -> None:
    shutil.move(library / folder, tmp_path / "elsewhere")
    (library / folder).symlink_to(tmp_path / "elsewhere")
    before = tree(tmp_path)
    check_refusal(add_model_here(library, "like", *SECOND), ("elsewhere", "outside", "symbolic link"))
    assert tree(tmp_path) == before


def test_into_a_checkout_of_transformers(tmp_path: Path) -> None:
    (tmp_path / "checkout/src/transformers/models").mkdir(parents=True)
    refused(tmp_path, *NEW[:-1], "checkout", naming=("Transformers", "--into"))


@pytest.mark.parametrize(
    ("configuration", "naming"),
    [
        ("[tool.add-model\n", ("pyproject.toml", "TOML", "line 1", "mend")),
        ("[tool.add-model]\npakage = 'my_models'\n", ("pakage", "did you mean `package`")),
        ("[tool.add-model]\npackage = 'my_models'\nnonsense_of_mine = 1\n", ("nonsense_of_mine", "known keys")),
        ("[tool.add-model]\npackage = 3\n", ("package", "string")),
        ("[tool.add-model]\npackage = '../x'\n", ("package", "module name")),
        ("[tool.add-model]\npackage = 'other'\nsource = 'src'\n", ("other", "check `package`")),
        ("[tool.add-model]\nsource = '../..'\n", ("source", "below")),
        ("[tool.add-model]\ntemplates = '/etc'\n", ("templates", "below")),
        ("[tool]\nadd-model = 1\n", ("table",)),
    ],
)
@pytest.mark.parametrize("option", [(), ("--dry-run",)])
def test_a_configuration_that_is_wrong(
    library: Path, configuration: str, naming: tuple[str, ...], option: tuple[str, ...]
) -> None:
    (library / "pyproject.toml").write_text(configuration)
    if not option:
        refused(library, *SECOND, naming=naming)
    else:
        refused(library.parent, *SECOND, "--into", "my_models", *option, naming=naming)


def test_a_configuration_that_is_no_text(library: Path) -> None:
    (library / "pyproject.toml").write_bytes(b"[tool.add-model]\npackage = '\xff'\n")
    refused(library, *SECOND, naming=("pyproject.toml", "cannot be read"))


@pytest.mark.parametrize(("text", "naming"), [("[project\n", ("TOML", "mend")), ("tool = 1\n", ("`tool`", "table"))])
def test_a_projects_own_broken_configuration(tmp_path: Path, text: str, naming: tuple[str, ...]) -> None:
    (tmp_path / "my_models").mkdir()
    (tmp_path / "my_models/pyproject.toml").write_text(text)
    refused(tmp_path, *NEW, naming=("pyproject.toml", *naming))


@pytest.mark.parametrize(
    ("path", "text", "naming"),
    [
        ("src/my_models/registry.py", "A = {\n", ("registry.py:1", "parse")),
        ("src/my_models/registry.py", "CONFIG_MAPPING_NAMES = dict(a=1)\n", ("registry.py", "CONFIG_MAPPING_NAMES")),
        ("src/my_models/models/brand_new_bert/modeling_brand_new_bert.py", "x = 1\nclass A(:\n", ("modeling_brand_new_bert.py:2", "parse", "mend")),
        ("tests/models/brand_new_bert/test_modeling_brand_new_bert.py", b"\xff\xfe", ("test_modeling_brand_new_bert.py", "cannot be read")),
    ],
)  # fmt: skip
def test_a_file_of_the_library_that_does_not_parse(
    library: Path, path: str, text: str | bytes, naming: tuple[str, ...]
) -> None:
    (library / path).write_bytes(text.encode() if isinstance(text, str) else text)
    refused(library, "brand_new_bert", "--name", "new", naming=naming)


def test_a_folder_where_a_file_is_to_go(library: Path) -> None:
    (library / "docs/models/tiny_gpt.md").mkdir()
    refused(library, *SECOND, naming=("docs/models/tiny_gpt.md", "make room"))


def test_a_file_where_a_folder_is_to_go(library: Path) -> None:
    (library / "src/my_models/models/tiny_gpt").write_text("mine")
    refused(library, *SECOND, naming=("src/my_models/models/tiny_gpt",))


STORED = """version = 1
reference = "zoo:bert"
name = "new"
package = "my_models"
heads = ["masked-lm"]
"""


@pytest.mark.parametrize(
    ("text", "naming"),
    [
        (STORED.replace("version = 1", "version = 2"), ("version 2", "version 1")),
        (STORED.replace("version = 1", ""), ("version None", "version 1")),
        (STORED + "nme = 'x'\n", ("nme", "did you mean `name`")),
        (STORED.replace('name = "new"\n', ""), ("lacks `name`",)),
        (STORED.replace('"new"', "3"), ("`name`", "string")),
        (STORED.replace('["masked-lm"]', '"masked-lm"'), ("`heads`", "list")),
        (STORED.replace("masked-lm", "causal-lm"), ("causal-lm", "masked-lm")),
        (STORED.replace("zoo:bert", "library:gone"), ("library",)),
        (STORED.replace('"new"', '"../../new"'), ("snake_case",)),
        (STORED.replace('"my_models"', '"../../my_models"'), ("package", "my_models")),
        (STORED.replace('"my_models"', '"torch"'), ("package", "torch")),
        (STORED + "tokenizer_like = 'nothing'\n", ("nothing", "zoo:bert")),
        ("version = \n", ("cannot be read", "line 1")),
        ("\x00", ("cannot be read",)),
    ],
)
def test_stored_answers_that_are_wrong(tmp_path: Path, text: str, naming: tuple[str, ...]) -> None:
    (tmp_path / "answers.toml").write_text(text)
    refused(tmp_path, "--answers", "answers.toml", "--into", "my_models", naming=naming)


def test_stored_answers_that_are_not_there(tmp_path: Path) -> None:
    refused(tmp_path, "--answers", "answers.toml", "--into", "my_models", naming=("answers.toml", "cannot be read"))
    refused(tmp_path, "--answers", ".", "--into", "my_models", naming=("--answers .", "cannot be read"))


def own_template(library: Path, text: str, path: str = "docs/models/NAME.md.jinja") -> Path:
    configuration = library / "pyproject.toml"
    settings = configuration.read_text()
    if "templates" not in settings:
        configuration.write_text(settings.replace('source = "src"\n', 'source = "src"\ntemplates = "mine"\n'))
    template = library / "mine/model" / path
    template.parent.mkdir(parents=True, exist_ok=True)
    template.write_text(text)
    return template


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "naming"),
    [
        ("fine\n{% if %}\n", (":2:", "mend")),
        ("{{ nmae }}", ("nmae", "mend")),
        ("{{ name.snake.nothing }}", ("nothing", "mend")),
        ("{{ 1 / 0 }}", ("ZeroDivisionError", "mend")),
        ("{% include 'not_there.jinja' %}", ("not_there.jinja",)),
        ("{{ ''.__class__.__mro__ }}", ("sandbox",)),
        ("{{ name.__init__.__globals__ }}", ("sandbox",)),
        ("{{ ''['__cl' + 'ass__']['__mro__'] }}", ("sandbox",)),
        ("{{ ''|attr('__class__')|attr('__mro__') }}", ("__mro__",)),
        ("{{ '{0.__class__.__mro__}'.format(1) }}", ("sandbox",)),
        ("{{ heads.update({'a': 'b'}) }}", ("sandbox",)),
        ("{% include '../../pyproject.toml' %}", ("../../pyproject.toml", "outside")),
        ("{% include '/etc/hostname' %}", ("etc/hostname",)),
        ("{% import 'os' as os %}{{ os.system('x') }}", ("os",)),
        ("{{ reference.folder.joinpath('x').write_text('reached') }}", ("folder", "mend")),
        ("{{ reference.library.root.joinpath('pyproject.toml').read_text() }}", ("library", "mend")),
        ("{% for i in range(99999999) %}x{% endfor %}", ("OverflowError",)),
    ],
)
def test_a_template_of_the_users_own_that_fails_or_reaches_outside(
    library: Path, text: str, naming: tuple[str, ...]
) -> None:
    template = own_template(library, text)
    refused(library, *SECOND, naming=(str(template), *naming))


def test_a_template_that_is_no_text(library: Path) -> None:
    template = own_template(library, "")
    template.write_bytes(b"\xff\xfe")
    refused(library, *SECOND, naming=(str(template), "mend"))


@pytest.mark.slow
@pytest.mark.parametrize("what", ["template", "folder", "included"])
def test_templates_that_are_links_out_of_their_folder(library: Path, tmp_path: Path, what: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.md.jinja").write_text("secret")
    template = own_template(library, "{% include 'inner/secret.md.jinja' %}")
    if what == "template":
        template.unlink()
        template.symlink_to(outside / "secret.md.jinja")
    elif what == "folder":
        shutil.rmtree(library / "mine")
        (library / "mine").symlink_to(outside)
    else:
        (library / "mine/model/inner").symlink_to(outside)
    line = refused(library, *SECOND, naming=("symbolic link", "outside"))
    assert str(library / "mine") in line


def test_a_folder_of_templates_that_is_not_there(library: Path) -> None:
    own_template(library, "")
    shutil.rmtree(library / "mine")
    refused(library, *SECOND, naming=("templates", "mine"))


def test_a_template_whose_file_would_land_on_a_file_of_the_model(library: Path) -> None:
    own_template(library, "x = 1\n", "src/my_models/registry.py.jinja")
    refused(library, *SECOND, naming=("registry.py", "template"))


@pytest.mark.parametrize(
    "arguments", [NEW, (*NEW, "--json"), ("bert", "--name", "new", "--into", "deep/er/my_models")]
)
def test_a_folder_without_permission_to_write(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    if os.geteuid() == 0:
        pytest.skip("nothing is forbidden to root; see the tests on a read-only file system")
    tmp_path.chmod(0o500)
    refused(tmp_path, *arguments, naming=("cannot be written", "--into"))
    tmp_path.chmod(0o700)


def test_every_error_is_one_line_even_of_a_path_with_a_line_break(tmp_path: Path) -> None:
    (tmp_path / "a\nb").write_text("")
    refused(tmp_path, *NEW[:-1], "a\nb", naming=("is a file",))


def test_json_keeps_stdout_empty_on_error(library: Path) -> None:
    refused(library, "bert", "--name", "class", "--json", naming=("keyword",), command=add_model_process)


def test_an_empty_list_of_heads(library: Path) -> None:
    result = add_model_here(library, "like", "bert", "--name", "other_bert", "--heads", "")
    assert result.returncode == 2 and result.stdout == ""
    assert result.stderr == "error: --heads is empty; name heads, or pass all or none\n"


def test_a_reference_that_lacks_a_file(library: Path) -> None:
    done(library, "bert", "--name", "other_bert")
    (library / "src/my_models/models/other_bert/configuration_other_bert.py").unlink()
    before = contents(library)
    result = add_model_here(library, "like", "other_bert", "--name", "newer_bert")
    assert result.returncode == 2 and "OtherBertConfig, which the registry names, is not there" in result.stderr
    assert contents(library) == before
