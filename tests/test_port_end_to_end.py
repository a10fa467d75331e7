"""A port from beginning to end: a skeleton, the original's weights under foreign names, and the same numbers; then a
line of the new model is broken, and found."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.commands import Result, add_model_process
from tests.porting.foreign_checkpoints import FOREIGN

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Break:
    """A line of a modeling file, what becomes of it, and what must be said about it."""

    old: str
    new: str
    place: str
    cause: str


BREAKS = {
    "bert": Break(
        "self.LayerNorm(hidden_states + residual)",
        "self.LayerNorm(hidden_states)",
        "brand_new_bert.encoder.layer.0.attention.output",
        "residual missing",
    ),
    "gpt2": Break(
        "        hidden_states = self.activation(hidden_states)\n",
        "",
        "transformer.h.0.mlp",
        "activation missing",
    ),
    "bart": Break(
        "self.scaling = self.attention_head_size**-0.5",
        "self.scaling = 1.0",
        "model.encoder.layers.0.self_attn",
        "scale missing",
    ),
}


def run(folder: Path, *arguments: str, code: int = 0) -> Result:
    result = add_model_process(folder, *arguments)
    assert result.returncode == code, (arguments, result.stdout, result.stderr)
    return result


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_port_of_an_original_with_foreign_names(kind: str, tmp_path: Path) -> None:
    original, write = FOREIGN[kind]
    name = f"brand_new_{original.name}"
    library = tmp_path / "my_models"
    write(tmp_path / "foreign").save_pretrained(tmp_path / "published")  # type: ignore[operator]

    run(tmp_path, "like", original.name, "--name", name, "--into", "my_models", "--yes")
    run(library, "convert", name, "../foreign", "--class", own_class(library, name, original.class_name), "--suggest")
    run(library, "convert", name, "../foreign", "--class", own_class(library, name, original.class_name))
    ids = ["--input-ids", "5,6,7,8,9,10;11,12,13,14,15,16"]
    source = f"transformers:{original.name}"
    run(library, "record", source, "--checkpoint", "../published", *ids, "--out", "original.safetensors")
    run(library, "record", name, "--checkpoint", f"converted/{name}", *ids, "--out", "new.safetensors")
    compared = run(library, "compare", "original.safetensors", "new.safetensors", "--atol", "1e-5", "--json")
    assert json.loads(compared.stdout)["largest"] <= 1e-5
    checkpoint = ["--checkpoint", f"converted/{name}"]
    run(library, "verify", "end-to-end", name, "--from", "original.safetensors", *checkpoint)
    run(library, "verify", "tests", name)
    # The numbers agree; that they came from ids, and not from a text, leaves step 10 open.
    done = done_steps(library, name)
    assert {5, 6, 7, 8} <= done and 10 not in done

    broken = BREAKS[original.name]
    modeling = library / f"src/my_models/models/{name}/modeling_{name}.py"
    text = modeling.read_text()
    assert broken.old in text
    modeling.write_text(text.replace(broken.old, broken.new, 1))
    run(library, "record", name, "--checkpoint", f"converted/{name}", *ids, "--out", "new.safetensors")
    found = json.loads(run(library, "compare", "original.safetensors", "new.safetensors", "--json", code=1).stdout)
    assert found["first"]["path"] == broken.place
    assert found["cause"]["name"] == broken.cause
    assert done_steps(library, name).isdisjoint({7, 8})


def own_class(library: Path, name: str, class_name: str) -> str:
    """The class of the new model with the same head."""
    text = (library / f"src/my_models/models/{name}/modeling_{name}.py").read_text()
    head = next(
        head for head in ("ForMaskedLM", "LMHeadModel", "ForConditionalGeneration") if class_name.endswith(head)
    )
    return next(line.split()[1].split("(")[0] for line in text.splitlines() if line.startswith("class ") and f"{head}(" in line)  # fmt: skip


def done_steps(library: Path, name: str) -> set[int]:
    """The numbers of the steps that are done."""
    document = json.loads(add_model_process(library, "status", name, "--json").stdout)
    return {step["number"] for step in document["steps"] if step["state"] == "done"}
