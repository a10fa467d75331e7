"""`add-model like` as scripts and CI run it, without a terminal: what it says, and the trees that it leaves."""

import json
import os
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from add_model.scaffold.answers import Answers, load_answers

from .commands import add_model_here, add_model_process, contents, done, run, tree

MODEL = ("src/my_models/models/{name}/modeling_{name}.py", "src/my_models/models/{name}/configuration_{name}.py")
EVERY_FILE = (
    ".add-model/models/{name}/answers.toml",
    ".add-model/models/{name}/written.json",
    "docs/checklists/{name}.md",
    "docs/model_cards/{name}.md",
    "docs/models/{name}.md",
    "src/my_models/models/{name}/__init__.py",
    "src/my_models/models/{name}/configuration_{name}.py",
    "src/my_models/models/{name}/convert_{name}_checkpoint.py",
    "src/my_models/models/{name}/modeling_{name}.py",
    "src/my_models/models/{name}/tokenization_{name}.py",
    "tests/models/{name}/__init__.py",
    "tests/models/{name}/test_convert_{name}_checkpoint.py",
    "tests/models/{name}/test_modeling_{name}.py",
    "tests/models/{name}/test_tokenization_{name}.py",
)
OF_THE_LIBRARY = (
    ".github/workflows/ci.yml",
    ".gitignore",
    ".pre-commit-config.yaml",
    "README.md",
    "docs/index.md",
    "pyproject.toml",
    "src/my_models/__init__.py",
    "src/my_models/auto.py",
    "src/my_models/configuration_utils.py",
    "src/my_models/modeling_utils.py",
    "src/my_models/models/__init__.py",
    "src/my_models/registry.py",
    "src/my_models/tokenization_utils.py",
    "tests/__init__.py",
    "tests/models/__init__.py",
    "tests/test_modeling_common.py",
    "tests/test_tokenization_common.py",
)


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def of(name: str) -> set[str]:
    return {path.format(name=name) for path in EVERY_FILE}


def registry(library: Path) -> dict[str, Any]:
    """What the registry says, as Python reads it: mapping -> model type -> class name."""
    return {name: value for name, value in runpy.run_path(str(library / "src/my_models/registry.py")).items() if name.isupper()}  # fmt: skip


def check_copies_is_clean(library: Path) -> None:
    result = add_model_here(library, "check-copies", "--strict")
    assert result.returncode == 0, result.stdout + result.stderr


def modeling(library: Path, name: str) -> str:
    return (library / MODEL[0].format(name=name)).read_text(encoding="utf-8")


def test_an_empty_folder_gets_a_library_with_the_model(tmp_path: Path) -> None:
    shown = done(
        tmp_path, "bert", "--name", "brand_new_bert", "--into", "my_models", "--yes", command=add_model_process
    )
    assert [path.name for path in tmp_path.iterdir()] == ["my_models"]
    library = tmp_path / "my_models"
    assert of("brand_new_bert") | set(OF_THE_LIBRARY) <= files(library)
    assert "class BrandNewBertForMaskedLM(BrandNewBertPreTrainedModel)" in modeling(library, "brand_new_bert")
    assert "# Copied from add_model.zoo.models.bert.modeling_bert." in modeling(library, "brand_new_bert")
    assert registry(library)["CONFIG_MAPPING_NAMES"] == {"brand_new_bert": "BrandNewBertConfig"}
    assert "[BrandNewBert](models/brand_new_bert.md)" in (library / "docs/index.md").read_text()
    for said in ("modeling_brand_new_bert.py", "cd my_models", 'pip install -e ".[dev]"', "add-model check-copies"):
        assert said in shown
    assert "pytest tests/models/brand_new_bert" in shown
    check_copies_is_clean(library)


def test_no_trace_of_the_reference_or_of_the_tool_is_left_in_the_code(made_library: Path) -> None:
    for path in made_library.rglob("*.py"):
        code = "".join(line for line in path.read_text().splitlines(True) if "# Copied from" not in line)
        assert "add_model.zoo" not in code, path
        if "brand_new_bert" in path.name:
            assert "class Bert" not in code and " BertModel" not in code, path


def test_an_empty_working_folder_becomes_the_library_itself(tmp_path: Path) -> None:
    folder = tmp_path / "my_models"
    folder.mkdir()
    shown = done(folder, "gpt2", "--name", "tiny_gpt", command=add_model_process)
    assert of("tiny_gpt") <= files(folder)
    assert "cd " not in shown
    assert "class TinyGptLMHeadModel" in modeling(folder, "tiny_gpt")


def test_json_is_one_document_that_says_what_is_there(tmp_path: Path) -> None:
    document = json.loads(done(tmp_path, "bart", "--name", "new_bart", "--into", "my_models", "--heads", "none", "--json", command=add_model_process))  # fmt: skip
    library = tmp_path / "my_models"
    assert document["root"] == str(library)
    assert (document["package"], document["name"]) == ("my_models", "new_bart")
    assert (document["reference"], document["dry_run"]) == ("zoo:bart", False)
    assert set(document["written"]) == files(library)
    assert document["edited"] == document["kept"] == document["unchanged"] == []
    # Whoever said that there are to be no heads needs not be told that there are none.
    assert document["left_out"] == []
    assert "cd my_models" in document["next"]


def test_a_dry_run_says_the_same_and_touches_nothing(library: Path, tmp_path: Path) -> None:
    request = ("gpt2", "--name", "tiny_gpt", "--into", "my_models", "--json")
    before = tree(tmp_path)
    planned = json.loads(done(tmp_path, *request, "--dry-run", command=add_model_process))
    shown = done(tmp_path, *request[:-1], "--dry-run")
    assert tree(tmp_path) == before
    assert "nothing was touched" in shown and "modeling_tiny_gpt.py" in shown
    assert planned.pop("dry_run") is True
    written = json.loads(done(tmp_path, *request))
    assert written.pop("dry_run") is False
    assert planned == written


def test_a_dry_run_of_a_new_library_makes_no_folder(tmp_path: Path) -> None:
    before = tree(tmp_path)
    shown = done(
        tmp_path,
        "bert",
        "--name",
        "brand_new_bert",
        "--into",
        "deep/my_models",
        "--dry-run",
        command=add_model_process,
    )
    assert tree(tmp_path) == before
    assert "pyproject.toml" in shown


@pytest.mark.parametrize(
    ("reference", "heads", "kept", "dropped"),
    [
        (
            "bert",
            "BertForTokenClassification, formultiplechoice",
            ("NewForTokenClassification", "NewForMultipleChoice"),
            ("NewForMaskedLM", "NewForQuestionAnswering", "NewForNextSentencePrediction"),
        ),
        ("gpt2", "GPT2LMHeadModel", ("NewLMHeadModel",), ("NewForTokenClassification", "NewForQuestionAnswering")),
        (
            "bart",
            "ConditionalGeneration,question_answering",
            ("NewForConditionalGeneration", "NewForQuestionAnswering"),
            ("NewForCausalLM", "NewForSequenceClassification"),
        ),
        ("bart", "NONE", (), ("NewForConditionalGeneration", "NewForCausalLM")),
    ],
)
def test_heads_by_task_or_by_class(
    library: Path, reference: str, heads: str, kept: tuple[str, ...], dropped: tuple[str, ...]
) -> None:
    document = json.loads(done(library, reference, "--name", "new", "--heads", heads, "--json"))
    text = modeling(library, "new")
    exported = (library / "src/my_models/models/new/__init__.py").read_text()
    registered = [types.get("new") for types in registry(library).values()]
    for name in kept:
        assert f"class {name}(" in text and name in exported and name in registered
    everything = "".join((library / path).read_text() for path in document["written"] + document["edited"])
    for name in dropped:
        assert name not in everything and name not in registered
    assert "class NewModel(" in text and "NewModel" in registered
    check_copies_is_clean(library)


def test_a_tokenizer_like_another_reference(library: Path) -> None:
    done(library, "bert", "--name", "new", "--tokenizer-like", "gpt2")
    text = (library / "src/my_models/models/new/tokenization_new.py").read_text()
    assert "class NewTokenizer" in text
    assert "# Copied from add_model.zoo.models.gpt2.tokenization_gpt2" in text
    assert registry(library)["TOKENIZER_MAPPING_NAMES"]["new"] == "NewTokenizer"
    check_copies_is_clean(library)


@pytest.mark.parametrize("reference", ["bert", "gpt2", "bart"])
def test_no_tokenizer(library: Path, reference: str) -> None:
    shown = json.loads(done(library, reference, "--name", "new", "--tokenizer-like", "none", "--json"))  # fmt: skip
    assert not [path for path in files(library) if "tokenization_new" in path]
    assert "new" not in registry(library)["TOKENIZER_MAPPING_NAMES"]
    assert shown["left_out"] == []
    for path in shown["written"]:
        assert "NewTokenizer" not in (library / path).read_text(), path


def test_stored_answers_replay_byte_for_byte_in_a_folder_of_any_name(tmp_path: Path) -> None:
    request = ("gpt2", "--name", "tiny_gpt", "--heads", "causal-lm,question-answering", "--tokenizer-like", "bert")
    done(tmp_path, *request, "--into", "my_models")
    stored = tmp_path / "my_models/.add-model/models/tiny_gpt/answers.toml"
    heads = ("causal-lm", "question-answering")
    assert load_answers(stored) == Answers("zoo:gpt2", "tiny_gpt", "my_models", heads, "zoo:bert", "")
    for place, command in (("elsewhere/my_models", add_model_process), ("another_name", add_model_here)):
        done(tmp_path, "--answers", str(stored), "--into", place, command=command)
        assert contents(tmp_path / place) == contents(tmp_path / "my_models")


def test_other_options_win_over_stored_answers(library: Path) -> None:
    stored = library / ".add-model/models/brand_new_bert/answers.toml"
    done(library, "--answers", str(stored), "--name", "second", "--heads", "masked-lm")
    assert load_answers(library / ".add-model/models/second/answers.toml").heads == ("masked-lm",)
    assert "SecondForMaskedLM" in modeling(library, "second")
    assert "SecondForQuestionAnswering" not in modeling(library, "second")


def test_a_second_model_and_a_third_from_the_second(library: Path) -> None:
    before = contents(library)
    done(library, "gpt2", "--name", "tiny_gpt")
    document = json.loads(done(library, "tiny_gpt", "--name", "newer_gpt", "--json", command=add_model_process))
    assert document["reference"] == "library:tiny_gpt"
    assert document["edited"] == ["src/my_models/registry.py", "docs/index.md"]
    after = contents(library)
    # What a model that generates needs more than BERT: auto classes, common tests, and modules of its own.
    more = {"src/my_models/__init__.py", "src/my_models/auto.py", "tests/test_modeling_common.py"}
    assert {path for path in before if after[path] != before[path]} == {"src/my_models/registry.py", "docs/index.md"} | more  # fmt: skip
    generation = {f"src/my_models/generation_{name}.py" for name in ("beams", "scores", "utils")}
    assert files(library) == {path for path, content in before.items() if content is not None} | generation | of("tiny_gpt") | of("newer_gpt")  # fmt: skip
    assert set(registry(library)["MODEL_MAPPING_NAMES"]) == {"brand_new_bert", "newer_gpt", "tiny_gpt"}
    text = modeling(library, "newer_gpt")
    assert "class NewerGptLMHeadModel" in text and "TinyGpt" not in text.replace("TinyGpt->NewerGpt", "").replace(".TinyGpt", "")  # fmt: skip
    assert "# Copied from my_models.models.tiny_gpt.modeling_tiny_gpt." in text
    index = (library / "docs/index.md").read_text()
    assert index.index("BrandNewBert") < index.index("NewerGpt") < index.index("TinyGpt")
    check_copies_is_clean(library)


@pytest.mark.parametrize("name", ["brand_new_bert_large", "bert", "new_bert"])
def test_names_that_contain_each_other(library: Path, name: str) -> None:
    done(library, "brand_new_bert", "--name", name)
    camel = "".join(word.capitalize() for word in name.split("_"))
    text = modeling(library, name)
    assert f"class {camel}ForMaskedLM({camel}PreTrainedModel)" in text
    registered = registry(library)["MODEL_FOR_MASKED_LM_MAPPING_NAMES"]
    assert registered == {"brand_new_bert": "BrandNewBertForMaskedLM", name: f"{camel}ForMaskedLM"}
    original = (library / MODEL[0].format(name="brand_new_bert")).read_text()
    done(library, name, "--name", "third")
    assert "class ThirdForMaskedLM(ThirdPreTrainedModel)" in modeling(library, "third")
    assert original == (library / MODEL[0].format(name="brand_new_bert")).read_text()
    check_copies_is_clean(library)


def test_the_same_name_as_the_bundled_reference(tmp_path: Path) -> None:
    done(tmp_path, "gpt2", "--name", "gpt2", "--into", "my_models", "--heads", "causal-lm")
    library = tmp_path / "my_models"
    assert of("gpt2") <= files(library)
    done(library, "gpt2", "--name", "gpt3")
    assert "# Copied from my_models.models.gpt2." in modeling(library, "gpt3")
    check_copies_is_clean(library)


@pytest.mark.parametrize("folder", ["src/my_models/models/brand_new_bert", "docs"])
def test_the_library_is_found_from_a_folder_below(library: Path, folder: str) -> None:
    document = json.loads(done(library / folder, "gpt2", "--name", "tiny_gpt", "--json"))
    assert document["root"] == str(library)
    assert of("tiny_gpt") <= files(library)
    assert document["next"][0] == f"cd {library}"


def test_force_replaces_a_model_with_what_it_has_now(library: Path) -> None:
    page = library / "docs/models/brand_new_bert.md"
    page.write_text("mine\n")
    document = json.loads(done(library, "bert", "--name", "brand_new_bert", "--heads", "masked-lm", "--force", "--json"))  # fmt: skip
    assert "docs/models/brand_new_bert.md" in document["written"] and document["kept"] == []
    assert page.read_text() != "mine\n"
    assert "BrandNewBertForTokenClassification" not in modeling(library, "brand_new_bert")
    registered = registry(library)
    assert registered["MODEL_FOR_MASKED_LM_MAPPING_NAMES"] == {"brand_new_bert": "BrandNewBertForMaskedLM"}
    assert not registered["MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING_NAMES"]
    check_copies_is_clean(library)


def test_force_gives_what_a_fresh_run_gives(library: Path) -> None:
    before = contents(library)
    for path in library.rglob("*brand_new_bert*"):
        if path.is_file():
            path.write_text("mine\n")
    done(library, "bert", "--name", "brand_new_bert", "--force")
    assert contents(library) == before


def test_what_the_user_wrote_is_kept_and_named_and_force_replaces_it(library: Path) -> None:
    page, card = library / "docs/models/tiny_gpt.md", library / "docs/model_cards/tiny_gpt.md"
    page.write_text("mine, from before\n")
    document = json.loads(done(library, "gpt2", "--name", "tiny_gpt", "--json"))
    assert document["kept"] == ["docs/models/tiny_gpt.md"]
    assert page.read_text() == "mine, from before\n"
    assert "docs/model_cards/tiny_gpt.md" in document["written"] and card.is_file()
    shown = add_model_here(library, "like", "gpt2", "--name", "tiny_gpt", "--force", "--dry-run")
    assert shown.returncode == 0 and "kept" not in shown.stdout
    done(library, "gpt2", "--name", "tiny_gpt", "--force")
    assert "TinyGpt" in page.read_text()


def test_a_kept_file_is_marked_in_the_summary(library: Path) -> None:
    (library / "docs/models/tiny_gpt.md").write_text("mine\n")
    shown = done(library, "gpt2", "--name", "tiny_gpt")
    (line,) = [line for line in shown.splitlines() if "kept" in line]
    assert "tiny_gpt.md" in line and "--force" in line


def test_a_project_that_is_there_already_keeps_what_is_its_own(tmp_path: Path) -> None:
    project = tmp_path / "my_models"
    (project / "src/my_models").mkdir(parents=True)
    own = {
        "pyproject.toml": '[project]\nname = "mine"   # a comment\nversion = "7"\n\n[tool.ruff]\nline-length = 100\n',
        "README.md": "# Mine\n",
        ".gitignore": "*.secret\n",
        "src/my_models/mine.py": "x = 1\n",
    }
    for path, text in own.items():
        (project / path).write_text(text)
    document = json.loads(done(tmp_path, "bert", "--name", "brand_new_bert", "--into", "my_models", "--json"))
    assert sorted(document["kept"]) == [".gitignore", "README.md"]
    assert document["edited"] == ["pyproject.toml"]
    for path in ("README.md", ".gitignore", "src/my_models/mine.py"):
        assert (project / path).read_text() == own[path]
    configuration = (project / "pyproject.toml").read_text()
    assert configuration.startswith(own["pyproject.toml"])
    assert "[tool.add-model]" in configuration.removeprefix(own["pyproject.toml"])
    done(project, "gpt2", "--name", "tiny_gpt")
    check_copies_is_clean(project)
    for command in (["format", "--check"], ["check", "--select", "I"]):
        result = run([sys.executable, "-m", "ruff", *command, "--no-cache", "src", "tests"], project)
        assert result.returncode == 0, result.stdout


def test_the_users_own_templates_win_and_further_ones_are_written(library: Path) -> None:
    configuration = library / "pyproject.toml"
    configuration.write_text(configuration.read_text().replace('source = "src"\n', 'source = "src"\ntemplates = "mine"\n'))  # fmt: skip
    for path, text in {
        "docs/models/NAME.md.jinja": "Our page of {{ name.title }}\n",
        "notes/NAME.txt.jinja": "{% for task, head in heads.items() %}{{ task }}: {{ head }}\n{% endfor %}",
    }.items():
        template = library / "mine/model" / path
        template.parent.mkdir(parents=True)
        template.write_text(text)
    done(library, "gpt2", "--name", "tiny_gpt", "--heads", "causal-lm")
    assert (library / "docs/models/tiny_gpt.md").read_text() == "Our page of TinyGpt\n"
    assert (library / "notes/tiny_gpt.txt").read_text() == "causal-lm: TinyGptLMHeadModel\n"
    assert (library / "docs/checklists/tiny_gpt.md").is_file()


@pytest.mark.parametrize("change", [lambda text: text.replace("\n", "\r\n"), lambda text: f"\ufeff{text}"])
def test_line_endings_and_byte_order_marks_of_edited_files_survive(
    library: Path, change: Callable[[str], str]
) -> None:
    index = library / "docs/index.md"
    index.write_bytes(change(index.read_text()).encode())
    os.chmod(index, 0o640)
    before = index.read_bytes()
    done(library, "gpt2", "--name", "tiny_gpt")
    after = index.read_bytes()
    (added,) = set(after.splitlines(keepends=True)) - set(before.splitlines(keepends=True))
    assert after.replace(added, b"") == before
    assert added.endswith(b"\r\n") == (b"\r\n" in before)
    assert index.stat().st_mode & 0o777 == 0o640


def test_nothing_is_left_in_the_library_but_what_was_written(library: Path) -> None:
    document = json.loads(done(library, "bert", "--name", "other", "--json"))
    known = set(document["written"]) | {path for path, content in contents(library).items() if "other" not in path}
    assert files(library) <= known
    assert not any((library / ".add-model").glob("transaction*"))


def test_what_an_earlier_run_wrote_and_the_model_has_no_longer_is_named(library: Path) -> None:
    done(library, "bert", "--name", "other_bert")
    again = json.loads(done(library, "bert", "--name", "other_bert", "--tokenizer-like", "none", "--force", "--json"))
    assert again["stale"] == [
        "src/my_models/models/other_bert/tokenization_other_bert.py",
        "tests/models/other_bert/test_tokenization_other_bert.py",
    ]


def test_the_summary_shows_what_is_no_longer_a_part(library: Path) -> None:
    done(library, "bert", "--name", "other_bert")
    shown = done(library, "bert", "--name", "other_bert", "--tokenizer-like", "none", "--force")
    assert shown.count("no longer part of the model") == 2


def test_another_tokenizer_leaves_work_that_is_named(library: Path) -> None:
    written = json.loads(done(library, "gpt2", "--name", "tiny_gpt", "--tokenizer-like", "bert", "--json"))
    assert any("vocab_size" in item["why"] for item in written["left_out"])
    assert "`vocab_size`" in (library / "docs/checklists/tiny_gpt.md").read_text()


def test_the_docs_page_leads_to_the_reference_where_it_is(library: Path) -> None:
    done(library, "bert", "--name", "first_bert", "--novelty", "It is small.")
    done(library, "first_bert", "--name", "second_bert")
    first, second = (library / f"docs/models/{name}_bert.md" for name in ("first", "second"))
    assert "[BERT](https://" in first.read_text() and "What is new in it: It is small." in first.read_text()
    assert "[FirstBert](first_bert.md)" in second.read_text()


def test_python_files_that_begin_with_a_byte_order_mark_keep_it_and_work(library: Path) -> None:
    mark = b"\xef\xbb\xbf"
    model = library / "src/my_models/models/brand_new_bert"
    marked = [library / "src/my_models/registry.py", *model.glob("*.py"), library / "pyproject.toml"]
    marked += [library / "docs/index.md", *(library / "tests/models/brand_new_bert").glob("*.py")]
    for path in marked:
        path.write_bytes(mark + path.read_bytes())
    before = contents(library)
    done(library, "brand_new_bert", "--name", "wren")
    assert all(path.read_bytes().startswith(mark) and path.read_bytes().count(mark) == 1 for path in marked)
    assert b'"wren": "WrenModel"' in marked[0].read_bytes()
    assert not any(mark in path.read_bytes() for path in (library / "src/my_models/models/wren").iterdir())
    for command in (("references",), ("status", "wren", "--json"), ("check-copies", "--no-cache")):
        run = add_model_here(library, *command)
        assert run.returncode in (0, 1) and "error:" not in run.stderr, run.stderr
    assert add_model_here(library, "remove", "wren").returncode == 0
    assert contents(library) == before
    edited = library / "src/my_models/registry.py"
    edited.write_bytes(edited.read_bytes().replace(b'"brand_new_bert": ', b'"brand_new_bert":  '))
    assert add_model_here(library, "remove", "brand_new_bert", "--force").returncode == 0
    assert edited.read_bytes().startswith(mark) and b"brand_new_bert" not in edited.read_bytes()


def test_git_sees_a_model_that_is_called_as_the_folder_of_a_build(library: Path) -> None:
    done(library, "bert", "--name", "dist", "--heads", "none")
    subprocess.run(["git", "init", "--quiet"], cwd=library, check=True)
    command = ["git", "ls-files", "--others", "--exclude-standard", "src/my_models/models/dist"]
    seen = subprocess.run(command, cwd=library, check=True, capture_output=True, text=True)
    assert "modeling_dist.py" in seen.stdout
    for folder in ("build", "dist", "src/my_models.egg-info"):
        (library / folder).mkdir()
        (library / folder / "made").write_text("by a build")
    status = subprocess.run(["git", "status", "--porcelain", "-uall"], cwd=library, capture_output=True, text=True)
    assert "made" not in status.stdout.replace(".add-model", "")
