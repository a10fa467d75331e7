"""A port from beginning to end in a source tree of Transformers, and in a package on it, as in a library in plain PyTorch.

The original is the installed Transformers' own model, with random weights; the new one is made by `like`. Everything runs
as a user runs it, in processes of their own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from add_model.library import installed_package

pytestmark = pytest.mark.slow
KINDS = ("checkout", "package")
_SOURCES = Path(__file__).parents[1]


class Port(NamedTuple):
    """A model to port: its class, small sizes, a line of its copy that is broken, how, and the cause that is then named."""

    head: str
    sizes: dict[str, object]
    line: str
    broken: str
    cause: str


PORTS = {
    "llama": Port(
        "LlamaForCausalLM",
        {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1, "vocab_size": 50, "max_position_embeddings": 32},
        "self.act_fn(self.gate_proj(x)) * self.up_proj(x)",
        "nn.functional.relu(self.gate_proj(x)) * self.up_proj(x)",
        "activation of another kind",
    ),
    "vit": Port(
        "ViTForImageClassification",
        {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 32, "patch_size": 8, "num_labels": 3},
        "self.activation_fn(hidden_states)",
        "nn.functional.relu(hidden_states)",
        "activation of another kind",
    ),
    "whisper": Port(
        "WhisperForConditionalGeneration",
        {"d_model": 16, "encoder_ffn_dim": 24, "decoder_ffn_dim": 24, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 2, "decoder_attention_heads": 2, "vocab_size": 60, "max_source_positions": 20, "max_target_positions": 30, "num_mel_bins": 8, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 1, "suppress_tokens": None, "begin_suppress_tokens": None},
        "self.activation_fn(self.fc1(hidden_states))",
        "nn.functional.relu(self.fc1(hidden_states))",
        "activation of another kind",
    ),
}  # fmt: skip
# Another ViT is saved under names that start otherwise: how they are renamed is suggested.
_SUGGESTED = {"vit"}


def command(folder: Path, *arguments: str, codes: tuple[int, ...] = (0,)) -> str:
    """Runs add-model as a user in a folder, and returns what it prints."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment |= {"PYTHONPATH": str(_SOURCES), "OMP_NUM_THREADS": "1"}
    result = subprocess.run(
        [sys.executable, "-m", "add_model", *arguments], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert result.returncode in codes, (
        f"{arguments}: {result.returncode}\n{result.stdout[-3000:]}{result.stderr[-3000:]}"
    )
    return result.stdout


@pytest.fixture(scope="module", params=KINDS)
def library(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of the kind that holds a copy of each model; the tree is that of the installed release."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "package":
        for reference in PORTS:
            command(folder, "like", f"transformers:{reference}", "--name", f"my_{reference}", "--into", "my_models", "--yes")  # fmt: skip
        return folder / "my_models"
    installed = installed_package("transformers")
    assert installed is not None
    shutil.copytree(installed, folder / "src" / "transformers", ignore=shutil.ignore_patterns("__pycache__"))
    for reference in PORTS:
        command(folder, "like", reference, "--name", f"my_{reference}", "--into", str(folder), "--yes")
    return folder


def save_original(port: Port, folder: Path) -> None:
    """Saves the installed Transformers' model with random weights, and writes the script that it is recorded by."""
    config = port.head.partition("For")[0] + "Config"
    code = f"import torch, transformers as t; torch.manual_seed(0); t.{port.head}(t.{config}(**{port.sizes!r})).save_pretrained({str(folder / 'checkpoint')!r})"  # fmt: skip
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    (folder / "original.py").write_text(
        "import transformers\nfrom add_model.porting.recording.usual_inputs import usual_inputs\n\n\n"
        f"def make():\n    model = transformers.{port.head}.from_pretrained({str(folder / 'checkpoint')!r}).eval()\n"
        "    return model, usual_inputs(model)\n"
    )


@pytest.mark.parametrize("reference", PORTS)
def test_a_port_ends_equal_and_names_the_cause_of_a_broken_line(
    library: Path, reference: str, tmp_path: Path, figure: Callable[[str], None]
) -> None:
    port, name = PORTS[reference], f"my_{reference}"
    save_original(port, tmp_path)
    checkpoint, original = str(tmp_path / "checkpoint"), str(tmp_path / "original.safetensors")
    if reference in _SUGGESTED:
        command(library, "convert", name, checkpoint, "--suggest", "--force")
    command(library, "convert", name, checkpoint, "--accept-unsure")
    # The original is the installed one: recorded from a folder that is no library.
    command(tmp_path, "record", "original.py:make", "--out", original)
    converted = ("--checkpoint", f"converted/{name}", "--out")
    command(library, "record", name, *converted, f"{reference}.safetensors")
    assert "equal: largest difference" in command(library, "compare", original, f"{reference}.safetensors")

    steps = {
        step["number"]: step for step in json.loads(command(library, "status", name, "--json", codes=(1,)))["steps"]
    }
    assert [number for number in (3, 5, 6, 7) if steps[number]["state"] != "done"] == []
    assert command(library, "verify", "docs", name, codes=(0, 1))
    if reference != "llama":
        # What it takes is no text: images, or sound.
        assert "cells ran from top to bottom" in command(library, "verify", "notebook", name)
    (tmp_path / "card.md").write_text("# A card\n")
    publication = command(library, "publish", name, "--card", str(tmp_path / "card.md"), codes=(0, 1))
    assert "model.safetensors" in publication
    is_published_with_code = (library / "pyproject.toml").is_file()
    assert ("holds no settings of its image processor" in publication) == (
        reference == "vit" and is_published_with_code
    )

    [module] = library.rglob(f"modeling_{name}.py")
    text = module.read_text()
    assert port.line in text
    module.write_text(text.replace(port.line, port.broken))
    try:
        command(library, "record", name, *converted, "broken.safetensors")
        said = command(library, "compare", original, "broken.safetensors", codes=(1,))
        stale = json.loads(command(library, "status", name, "--json", codes=(1,)))["steps"]
    finally:
        module.write_text(text)
    cause = next(line for line in said.splitlines() if line.startswith("cause: "))
    figure(f"{library.name} {reference}: {cause}")
    assert port.cause in cause
    assert stale[6]["state"] == "open"


def test_what_a_package_publishes_loads_where_the_package_is_not(library: Path, tmp_path: Path) -> None:
    port = PORTS["llama"]
    save_original(port, tmp_path)
    command(library, "convert", "my_llama", str(tmp_path / "checkpoint"), "--out", str(tmp_path / "converted"))
    # As `save_pretrained` leaves it there; the library's is what is published.
    (tmp_path / "converted" / "modeling_my_llama.py").write_text("")
    (tmp_path / "card.md").write_text("# A card\n")
    arguments = ("--checkpoint", str(tmp_path / "converted"), "--out", str(tmp_path / "published"), "--card", str(tmp_path / "card.md"))  # fmt: skip
    shown = command(library, "publish", "my_llama", *arguments, codes=(0, 1))
    published = [line.split()[-1] for line in shown.splitlines() if line.endswith(".py")]
    if not (library / "pyproject.toml").is_file():
        # Everybody has the code of a source tree, so none of it is published.
        assert not published and "left out  modeling_my_llama.py" in shown
        return
    assert {"configuration_my_llama.py", "modeling_my_llama.py"} <= {*published}
    assert not [line for line in shown.splitlines() if "left out" in line and ".py " in line]
    code = (
        "import torch, transformers as t\n"
        f"new = t.AutoModelForCausalLM.from_pretrained({str(tmp_path / 'published')!r}, trust_remote_code=True)\n"
        f"old = t.LlamaForCausalLM.from_pretrained({str(tmp_path / 'checkpoint')!r})\n"
        "ids = torch.arange(6)[None]\n"
        "assert type(new).__name__ == 'MyLlamaForCausalLM' and torch.equal(new(ids).logits, old(ids).logits)\n"
    )
    environment = {**os.environ, "HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "1"}
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr[-3000:]
