"""What stands around the models of a package that depends on Transformers: the same as in a standalone library."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from add_model.scaffold.out_of_tree.sizes import small_sizes
from tests.scaffold.out_of_tree.installed import add_model, part_of_transformers

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

OF_THE_LIBRARY = (
    ".github/workflows/ci.yml",
    ".gitignore",
    ".pre-commit-config.yaml",
    "README.md",
    "docs/index.md",
    "pyproject.toml",
    "src/my_models/__init__.py",
    "tests/__init__.py",
    "tests/models/__init__.py",
    "tests/small.py",
    "tests/test_modeling_common.py",
    "tests/test_tokenization_common.py",
)
# What a port leaves behind, and what belongs in the repository although it looks like that.
IGNORED = (
    "original/model.safetensors",
    "converted/my_bert/config.json",
    "original.safetensors",
    "my_bert.recording.safetensors",
    "report.html",
)
KEPT = (
    "my_bert.rules.toml",
    "make_original.py",
    ".add-model/models/my_bert/evidence/tests.json",
    "tests/models/my_bert/recorded_numbers.json",
    "tests/models/my_bert/tiny.safetensors",
    "notebooks/my_bert.ipynb",
    "src/my_models/original/__init__.py",
    "docs/index.html",
)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return part_of_transformers(tmp_path_factory.mktemp("installed"), "5.23.0", "llama", "bert", "vit")


@pytest.fixture(scope="module")
def made(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package with a model like BERT; not to be written to."""
    folder = tmp_path_factory.mktemp("made")
    like(folder, installed, "transformers:bert", "--name", "my_bert", "--into", "my_models")
    return folder / "my_models"


@pytest.fixture
def package(made: Path, tmp_path: Path) -> Path:
    """The same, to be written to."""
    return shutil.copytree(made, tmp_path / "my_models")


def like(folder: Path, installed: Path, *arguments: str) -> str:
    run = add_model(folder, "like", *arguments, "--yes", path=installed)
    assert run.returncode == 0, run.stderr
    return run.stdout


def files(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_package_is_laid_down_like_a_standalone_library(made: Path) -> None:
    assert set(OF_THE_LIBRARY) <= files(made).keys()
    for path in ("docs/models/my_bert.md", "docs/model_cards/my_bert.md", "docs/checklists/my_bert.md"):
        text = (made / path).read_text()
        assert "# MyBert" in text and "my_models.models" not in text
    assert "- [MyBert](models/my_bert.md): like BERT\n" in (made / "docs/index.md").read_text()
    tests = (made / "tests/models/my_bert/test_modeling_my_bert.py").read_text()
    assert "    MyBertForMaskedLM,\n" in tests and "class TestMyBert(ModelTests):" in tests
    assert '"MyBertTokenizer"' in (made / "tests/models/my_bert/test_tokenization_my_bert.py").read_text()


def test_what_it_needs_and_how_it_is_checked_is_declared(made: Path) -> None:
    project = tomllib.loads((made / "pyproject.toml").read_text())
    needed = {re.split("[<>=~ ]", line)[0] for line in project["project"]["dependencies"]}
    assert needed == {"numpy", "torch", "transformers"}
    assert {"pytest", "ruff"} <= {
        line.partition(">")[0] for line in project["project"]["optional-dependencies"]["dev"]
    }
    assert project["tool"]["ruff"]["lint"]["select"] == ["E", "F", "I", "W"]


def test_it_is_born_clean(made: Path) -> None:
    for arguments in (["check", "."], ["format", "--check", "."]):
        run = subprocess.run([sys.executable, "-m", "ruff", *arguments, "--no-cache"], cwd=made, capture_output=True, text=True)  # fmt: skip
        assert run.returncode == 0, run.stdout
    # What is no copy is clean whatever the linter selects by itself.
    own = ["tests", "src/my_models/__init__.py", "src/my_models/my_bert/__init__.py"]
    linter = [sys.executable, "-m", "ruff", "check", "--no-cache", "--isolated", "--line-length=119", *own]
    run = subprocess.run(linter, cwd=made, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout


def test_status_finds_its_pages_and_classes(made: Path) -> None:
    run = add_model(made, "status", "my_bert")
    shown = " ".join(run.stdout.split())
    assert run.returncode == 1 and run.stderr == ""
    assert "MyBertModel in src/my_models/my_bert/modeling_my_bert.py" in shown
    assert "docs/models/my_bert.md:" in shown and "placeholder is left" in shown
    findings = add_model(made, "verify", "docs", "my_bert").stdout
    # Only what a person has to fill in, and what the reference itself does not describe, is left to do.
    page = [line for line in findings.splitlines() if "docs/models/" in line]
    assert page and all("placeholder is left" in line for line in page)


def test_removing_undoes_all_of_it_to_the_byte(package: Path, installed: Path) -> None:
    before = files(package)
    like(package, installed, "vit", "--name", "my_vit")
    index = (package / "docs/index.md").read_text()
    assert index.index("MyBert") < index.index("MyVit")
    assert add_model(package, "remove", "my_vit").returncode == 0
    assert files(package) == before


def test_a_package_without_the_common_tests_gets_them(package: Path, installed: Path) -> None:
    shutil.rmtree(package / "tests")
    (package / "tests").mkdir()
    (package / "tests/small.py").write_text("# mine\n")
    like(package, installed, "vit", "--name", "my_vit")
    assert (package / "tests/small.py").read_text() == "# mine\n"
    assert {"tests/test_modeling_common.py", "tests/models/__init__.py"} <= files(package).keys()
    assert "tests/models/my_bert/__init__.py" not in files(package)


@pytest.mark.slow
def test_templates_of_ones_own_win_here_as_well(package: Path, installed: Path) -> None:
    project = package / "pyproject.toml"
    project.write_text(project.read_text().replace('source = "src"\n', 'source = "src"\ntemplates = "mine"\n'))
    for path, text in {
        "docs/models": "Mine: {{ module }}\n",
        "notes": "{{ classes['MODEL_MAPPING_NAMES'] }}\n",
    }.items():
        place = package / "mine/model" / path / "NAME.md.jinja"
        place.parent.mkdir(parents=True)
        place.write_text(text)
    like(package, installed, "vit", "--name", "my_vit")
    assert (package / "docs/models/my_vit.md").read_text() == "Mine: my_models.my_vit\n"
    assert (package / "notes/my_vit.md").read_text() == "MyVitModel\n"
    (package / "mine/model/src/my_models/NAME").mkdir(parents=True)
    (package / "mine/model/src/my_models/NAME/modeling_NAME.py.jinja").write_text("")
    refused = add_model(package, "like", "llama", "--name", "my_llama", "--yes", path=installed)
    assert refused.returncode == 2 and "which is not made from a template" in refused.stderr


def test_a_project_of_ones_own_says_itself_what_it_needs(tmp_path: Path, installed: Path) -> None:
    project = tmp_path / "my_models/pyproject.toml"
    project.parent.mkdir()
    project.write_text('[project]\nname = "mine"\nversion = "1"\ndependencies = ["transformers>=5"]\n')
    shown = like(tmp_path, installed, "llama", "--name", "my_llama", "--into", "my_models")
    assert "left out: dependencies in your pyproject.toml (add numpy, torch, transformers" in shown
    assert "  pip install -e . pytest numpy torch transformers\n" in shown


@pytest.mark.parametrize("kind", ["transformers:bert", "zoo:bert"])
def test_what_a_port_leaves_behind_is_ignored_and_nothing_else(kind: str, made: Path, tmp_path: Path) -> None:
    root = tmp_path / "my_models"
    if kind.startswith("zoo"):
        assert add_model(tmp_path, "like", kind, "--name", "my_bert", "--into", "my_models", "--yes").returncode == 0
    else:
        shutil.copytree(made, root)
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    command = ["git", "-c", "core.excludesFile=", "check-ignore", *IGNORED, *KEPT, *files(root)]
    run = subprocess.run(command, cwd=root, capture_output=True, text=True)
    found = {path for path in run.stdout.splitlines() if not path.startswith(".git/")}
    assert found == set(IGNORED)


CONFIGURATIONS = """
class WrenTextConfig(PreTrainedConfig):
    vocab_size: int = 32000
    hidden_size: int = 4096
    num_hidden_layers: int | None = None
    use_cache: bool = True
    layer_types: list[str] | None = ["full"]

class WrenVisionConfig(WrenTextConfig):
    depths = [2, 2]
    d_model: int = 8

class WrenConfig(PreTrainedConfig):
    sub_configs = {"text_config": WrenTextConfig, "vision_config": WrenVisionConfig, "audio_config": AutoConfig}
    projection_dim: int = 512

class NewWrenConfig(PreTrainedConfig):
    sub_configs_defaults = {"text_config": WrenTextConfig, "vision_config": SubConfigSpec(config_class=AutoConfig)}

class OldWrenConfig(PretrainedConfig):
    def __init__(self, vocab_size=5, n_embd=768, n_layer=12, activation="gelu", **kwargs):
        self.n_embd = n_embd
"""


def test_sizes_are_read_off_fields_constructors_and_configurations_within() -> None:
    text = {"hidden_size": 64, "num_hidden_layers": 2}
    assert small_sizes(CONFIGURATIONS, "WrenTextConfig") == text
    assert small_sizes(CONFIGURATIONS, "OldWrenConfig") == {"n_embd": 64, "n_layer": 2}
    found = small_sizes(CONFIGURATIONS, "WrenConfig")
    assert found["text_config"] == text and found["vision_config"] == {**text, "d_model": 64}
    audio = found["audio_config"]
    assert not isinstance(audio, int) and audio["num_hidden_layers"] == 2
    assert small_sizes(CONFIGURATIONS, "NewWrenConfig") == {
        "text_config": text,
        "vision_config": {name: audio[name] for name in audio if name != "num_key_value_heads"},
    }
    assert small_sizes(CONFIGURATIONS, "HeronConfig") == {}
