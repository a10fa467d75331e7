"""A package of one's own that depends on Transformers: what is written, what is refused, and that it loads anywhere."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from add_model.scaffold.out_of_tree.imports import with_absolute_imports
from tests.scaffold.out_of_tree.installed import add_model, part_of_transformers

# A model's folder of such a name would stand for what the markers and the imports of the models mean.
TAKEN = ("transformers", "torch", "tests", "models", "add_model", "tokenizers", "safetensors", "huggingface_hub")
SAVE = """
import sys, torch
import my_models
from transformers import AutoConfig, AutoModelForCausalLM

configuration = AutoConfig.for_model("my_llama", vocab_size=50, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2)
torch.manual_seed(0)
model = AutoModelForCausalLM.from_config(configuration).eval()
assert type(model).__name__ == "MyLlamaForCausalLM", type(model)
model.save_pretrained(sys.argv[1])
print(model(torch.arange(6)[None]).logits.sum().item())
"""
LOAD = """
import sys, torch
from transformers import AutoModel, AutoModelForCausalLM

base = AutoModel.from_pretrained(sys.argv[1], trust_remote_code=True)
model = AutoModelForCausalLM.from_pretrained(sys.argv[1], trust_remote_code=True)
assert type(base).__name__ == "MyLlamaModel", type(base)
assert not any(name.startswith("my_models") for name in sys.modules)
print(model(torch.arange(6)[None]).logits.sum().item())
"""


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    return part_of_transformers(tmp_path / "installed", "5.23.0", "llama", "bert", "encoder_decoder")


def like(folder: Path, installed: Path | None, *arguments: str) -> subprocess.CompletedProcess[str]:
    return add_model(folder, "like", *arguments, "--yes", path=installed)


def test_an_empty_folder_becomes_a_package_that_depends_on_transformers(tmp_path: Path, installed: Path) -> None:
    made = like(tmp_path, installed, "transformers:llama", "--name", "my_llama", "--into", "my_models")
    assert made.returncode == 0, made.stderr
    root = tmp_path / "my_models"
    project = (root / "pyproject.toml").read_text()
    assert "transformers>=5.23.0" in project and 'follows = ["transformers"]' in project
    folder = root / "src" / "my_models" / "my_llama"
    names = {"__init__.py", "configuration_my_llama.py", "modeling_my_llama.py", "tokenization_my_llama.py"}
    assert {path.name for path in folder.iterdir()} == names
    text = (folder / "modeling_my_llama.py").read_text()
    assert "from ..." not in text and "from transformers.modeling_utils import" in text
    assert "from .configuration_my_llama import MyLlamaConfig" in text
    assert text.count("# Copied from transformers.models.llama.modeling_llama.") > 10
    registered = (folder / "__init__.py").read_text()
    assert 'AutoConfig.register("my_llama", MyLlamaConfig)' in registered
    assert "AutoModelForCausalLM.register(MyLlamaConfig, MyLlamaForCausalLM)" in registered


def test_a_second_model_goes_into_the_same_package(tmp_path: Path, installed: Path) -> None:
    assert like(tmp_path, installed, "transformers:llama", "--name", "my_llama", "--into", "my_models").returncode == 0
    first = (tmp_path / "my_models" / "pyproject.toml").read_bytes()
    # From inside, and without an origin: the package follows Transformers, so that is where models come from.
    made = like(tmp_path / "my_models", installed, "bert", "--name", "my_bert")
    assert made.returncode == 0, made.stderr
    assert (tmp_path / "my_models" / "pyproject.toml").read_bytes() == first
    check = add_model(tmp_path / "my_models", "check-copies", "--strict", path=installed)
    assert check.returncode == 0, check.stdout


def test_the_stored_answers_make_the_same_bytes_again(tmp_path: Path, installed: Path) -> None:
    like(tmp_path, installed, "transformers:llama", "--name", "my_llama", "--into", "my_models")
    root = tmp_path / "my_models"
    answers = (root / ".add-model" / "models" / "my_llama" / "answers.toml").read_bytes()
    (tmp_path / "answers.toml").write_bytes(answers)
    again = add_model(tmp_path, "like", "--answers", "answers.toml", "--into", "again/my_models", path=installed)
    assert again.returncode == 0, again.stderr
    files = {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    root = tmp_path / "again" / "my_models"
    assert files == {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_project_that_depends_on_transformers_is_taught(tmp_path: Path, installed: Path) -> None:
    project = tmp_path / "my_models" / "pyproject.toml"
    project.parent.mkdir()
    project.write_text('[project]\nname = "mine"\nversion = "1"\ndependencies = ["transformers>=5"]\n')
    before = project.read_text()
    made = like(tmp_path, installed, "llama", "--name", "my_llama", "--into", "my_models")
    assert made.returncode == 0, made.stderr
    assert project.read_text().startswith(before)
    assert 'follows = ["transformers"]' in project.read_text()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["transformers:lama", "--name", "my_llama", "--into", "my_models"],
            "nearest: transformers:llama (all: add-model references)",
        ),
        (["transformers:llama", "--name", "bert", "--into", "my_models"], "is a model of the installed transformers"),
        (["transformers:llama", "--name", "my_llama", "--into", "transformers"], "cannot be called"),
        (["transformers:llama", "--name", "my_models", "--into", "my_models"], "the library's own package"),
        *(
            (["transformers:llama", "--name", name, "--into", "my_models"], "lead to; choose another")
            for name in TAKEN
        ),
    ],
)
def test_bad_requests_say_why_and_write_nothing(
    tmp_path: Path, installed: Path, arguments: list[str], said: str
) -> None:
    made = like(tmp_path, installed, *arguments)
    assert made.returncode == 2
    assert said in made.stderr and len(made.stderr.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["installed"]


@pytest.mark.slow
def test_a_standalone_library_stays_one(tmp_path: Path, installed: Path) -> None:
    assert like(tmp_path, installed, "zoo:bert", "--name", "my_bert", "--into", "my_models").returncode == 0
    made = like(tmp_path, installed, "transformers:llama", "--name", "my_llama", "--into", "my_models")
    assert made.returncode == 2
    assert "standalone" in made.stderr


def test_imports_are_made_absolute_and_markers_say_so() -> None:
    text = (
        "from ...utils import logging\n"
        "from ..auto import AutoModel\n"
        "from .configuration_my import MyConfig\n"
        "from ... import initialization as init\n"
        "\n\n"
        "# Copied from transformers.models.bert.modeling_bert.BertLoader with Bert->My\n"
        "class MyLoader:\n"
        "    def load(self):\n"
        "        from ..auto.modeling_auto import AutoModelForCausalLM\n"
        "\n"
        "        return AutoModelForCausalLM\n"
    )
    assert with_absolute_imports(text, "transformers.models.my") == (
        "from transformers.utils import logging\n"
        "from transformers.models.auto import AutoModel\n"
        "from .configuration_my import MyConfig\n"
        "from transformers import initialization as init\n"
        "\n\n"
        "# Copied from transformers.models.bert.modeling_bert.BertLoader with Bert->My, "
        "..auto.modeling_auto->transformers.models.auto.modeling_auto\n"
        "class MyLoader:\n"
        "    def load(self):\n"
        "        from transformers.models.auto.modeling_auto import AutoModelForCausalLM\n"
        "\n"
        "        return AutoModelForCausalLM\n"
    )


@pytest.mark.slow
@pytest.mark.parametrize("odd", ["\u2028", "\x85", "\x0c", "\x1d"])
def test_what_ends_a_line_of_text_may_stand_in_a_string(tmp_path: Path, installed: Path, odd: str) -> None:
    text = f'ODD = "a{odd}b"\nfrom ..auto import AutoModel\n'
    assert with_absolute_imports(text, "transformers.models.my") == text.replace("..auto", "transformers.models.auto")
    configuration = installed / "transformers/models/llama/configuration_llama.py"
    before, decorator, rest = configuration.read_text(encoding="utf-8").partition("@auto_docstring")
    configuration.write_text(f'{before}ODD = """{odd}\n{odd}{odd}"""\n\n\n{decorator}{rest}', encoding="utf-8")
    made = like(tmp_path, installed, "transformers:llama", "--name", "my_llama", "--into", "my_models")
    assert made.returncode == 0, made.stderr
    written = (tmp_path / "my_models/src/my_models/my_llama/configuration_my_llama.py").read_text(encoding="utf-8")
    # Behind the class to the line, however many ends of lines stand in the strings before it.
    body = ast.parse(written).body
    (number,) = [number for number, node in enumerate(body) if isinstance(node, ast.ClassDef)]
    assert ast.unparse(body[number + 2]) == "MyLlamaConfig.to_dict = _my_llama_config_to_dict"


@pytest.mark.slow
def test_blocks_that_import_in_their_bodies_are_copies_as_well(tmp_path: Path, installed: Path) -> None:
    made = like(tmp_path, installed, "transformers:encoder_decoder", "--name", "my_pair", "--into", "my_models")
    assert made.returncode == 0, made.stderr
    run = add_model(tmp_path / "my_models", "check-copies", "--strict", "--output-format", "json", path=installed)
    assert json.loads(run.stdout) == []


@pytest.mark.slow
def test_what_is_saved_loads_in_a_process_that_knows_nothing_of_the_package(tmp_path: Path) -> None:
    made = like(tmp_path, None, "transformers:llama", "--name", "my_llama", "--into", "my_models")
    assert made.returncode == 0, made.stderr
    offline = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "home")}
    saved = str(tmp_path / "saved")

    def run(code: str, path: str) -> str:
        environment = os.environ | offline | {"PYTHONPATH": path}
        done = subprocess.run([sys.executable, "-c", code, saved], cwd=tmp_path, env=environment, capture_output=True, text=True)  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    assert run(SAVE, str(tmp_path / "my_models" / "src")) == run(LOAD, "")


@pytest.mark.slow
def test_a_model_is_removed_again_and_the_others_stay(tmp_path: Path, installed: Path) -> None:
    like(tmp_path, installed, "transformers:llama", "--name", "my_llama", "--into", "my_models")
    root = tmp_path / "my_models"
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    like(root, installed, "bert", "--name", "my_bert")
    assert (root / "src" / "my_models" / "my_bert").is_dir()
    assert add_model(root, "remove", "my_bert").returncode == 0
    assert before == {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_an_earlier_model_is_replaced_only_when_asked_to(tmp_path: Path, installed: Path) -> None:
    arguments = ("transformers:llama", "--name", "my_llama", "--into", "my_models")
    like(tmp_path, installed, *arguments)
    edited = tmp_path / "my_models" / "src" / "my_models" / "my_llama" / "configuration_my_llama.py"
    edited.write_text(edited.read_text() + "# mine\n")
    again = like(tmp_path, installed, *arguments)
    assert again.returncode == 2 and "exists" in again.stderr
    assert edited.read_text().endswith("# mine\n")
    assert like(tmp_path, installed, *arguments, "--force").returncode == 0
    assert not edited.read_text().endswith("# mine\n")
