"""A library made by `add-model like`, held to its own standards: it installs, and every check of its own is green."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

CHECKS = (
    ["-m", "ruff", "check", "."],
    ["-m", "ruff", "format", "--check", "."],
    ["-m", "mypy"],
    ["-m", "pytest", "-q", "-p", "no:cacheprovider"],
    ["-m", "add_model", "check-copies", "--strict"],
)


def run(python: Path, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    environment.pop("PYTEST_ADDOPTS", None)
    result = subprocess.run(
        [str(python), *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert result.returncode == 0, f"{arguments}\n{result.stdout}\n{result.stderr}"
    return result


def environment_beside_this_one(folder: Path) -> Path:
    """A virtual environment of its own that also sees what this one has installed, torch above all."""
    venv.create(folder, with_pip=True)
    packages = next(folder.glob("lib/python*/site-packages"))
    (packages / "beside.pth").write_text(f"{sysconfig.get_path('purelib')}\n{Path(__file__).parents[1]}\n")
    return folder / "bin" / "python"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four models: of each bundled reference, with other heads or tokenizer, and of one just made."""
    folder = tmp_path_factory.mktemp("empty")
    like = ["-m", "add_model", "like", "--yes"]
    run(Path(sys.executable), *like, "bert", "--name", "brand_new_bert", "--into", "my_models", folder=folder)
    root = folder / "my_models"
    run(Path(sys.executable), *like, "gpt2", "--name", "tiny_gpt", "--heads", "causal-lm", "--tokenizer-like", "bert", folder=root)  # fmt: skip
    run(Path(sys.executable), *like, "bart", "--name", "my_bart", "--tokenizer-like", "none", folder=root)
    run(Path(sys.executable), *like, "brand_new_bert", "--name", "newer_bert", folder=root)
    return root


@pytest.fixture(scope="module")
def installed(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that the library is installed in."""
    python = environment_beside_this_one(tmp_path_factory.mktemp("environment"))
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--editable", ".", folder=library)
    return python


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: " ".join(check[1:3]))
def test_every_check_of_the_library_passes_as_it_is(library: Path, installed: Path, check: list[str]) -> None:
    run(installed, *check, folder=library)


def test_the_only_tests_left_out_wait_for_recorded_numbers(library: Path, installed: Path) -> None:
    result = run(installed, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "-k", "Integration or recorded", folder=library)  # fmt: skip
    skipped = [line for line in result.stdout.splitlines() if line.startswith("SKIPPED")]
    assert skipped and all("no recorded numbers yet" in line for line in skipped)


def test_the_auto_classes_find_the_new_models_in_a_fresh_process(
    library: Path, installed: Path, tmp_path: Path
) -> None:
    code = """
from my_models import AutoModel, AutoModelForMaskedLM, AutoModelForCausalLM
from my_models.models.newer_bert import NewerBertConfig, NewerBertForMaskedLM
sizes = dict(vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8)
NewerBertForMaskedLM(NewerBertConfig(**sizes)).save_pretrained("checkpoint")
print(type(AutoModelForMaskedLM.from_pretrained("checkpoint")).__name__, type(AutoModel.from_pretrained("checkpoint")).__name__)
"""
    result = run(installed, "-c", code, folder=tmp_path)
    assert result.stdout.split() == ["NewerBertForMaskedLM", "NewerBertModel"]
    assert {path.name for path in (tmp_path / "checkpoint").iterdir()} >= {"config.json", "model.safetensors"}


PUBLISHED = """
import torch, transformers
from my_models.models.newer_bert import NewerBertForMaskedLM
from my_models.models.tiny_gpt import TinyGptLMHeadModel
from my_models.models.my_bart import MyBartForConditionalGeneration
from my_models.models.newer_bert.convert_newer_bert_checkpoint import convert_checkpoint
from pathlib import Path

ids = torch.tensor([[5, 6, 7, 8]])
bert = transformers.BertForMaskedLM(transformers.BertConfig(vocab_size=20, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=8))
gpt2 = transformers.GPT2LMHeadModel(transformers.GPT2Config(vocab_size=20, n_embd=8, n_layer=2, n_head=2, n_positions=16))
bart = transformers.BartForConditionalGeneration(transformers.BartConfig(vocab_size=20, d_model=8, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=8, decoder_ffn_dim=8, max_position_embeddings=16))
for published, ours in ((bert, NewerBertForMaskedLM), (gpt2, TinyGptLMHeadModel), (bart, MyBartForConditionalGeneration)):
    folder = type(published).__name__
    published.eval().save_pretrained(folder)
    loaded = ours.from_pretrained(folder)
    print(folder, torch.allclose(loaded(ids).logits, published(ids).logits, atol=1e-5))
folder = Path("BertForMaskedLM")
unused = convert_checkpoint(folder / "model.safetensors", folder / "config.json", Path("converted"))
converted = NewerBertForMaskedLM.from_pretrained("converted")
print("converted", unused, torch.allclose(converted(ids).logits, bert(ids).logits, atol=1e-5))
"""


def test_published_weights_load_under_the_new_names(library: Path, installed: Path, tmp_path: Path) -> None:
    result = run(installed, "-W", "error::UserWarning:my_models", "-c", PUBLISHED, folder=tmp_path)
    assert result.stdout.splitlines() == [
        "BertForMaskedLM True",
        "GPT2LMHeadModel True",
        "BartForConditionalGeneration True",
        "converted [] True",
    ]


def test_an_edited_copy_is_reported_at_its_marker(library: Path, installed: Path) -> None:
    path = library / "src/my_models/models/newer_bert/modeling_newer_bert.py"
    text = path.read_text()
    path.write_text(
        text.replace("class NewerBertPooler(nn.Module):\n", "class NewerBertPooler(nn.Module):\n    size = 3\n")
    )
    try:
        result = subprocess.run(
            [str(installed), "-m", "add_model", "check-copies"], cwd=library, capture_output=True, text=True
        )
    finally:
        path.write_text(text)
    marker = next(number for number, line in enumerate(text.splitlines(), 1) if ".BrandNewBertPooler with" in line)
    assert result.returncode == 1
    assert f"modeling_newer_bert.py:{marker}" in result.stdout
    assert "CP001" in result.stdout
