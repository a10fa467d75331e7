"""A checkpoint that the reference saves loads into the copy, whatever its weights are renamed and fused to on the way."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scaffold.out_of_tree.installed import add_model
from tests.scaffold.rendered import in_a_package, modules

MIXTRAL = """
import sys
import my_models
from transformers import AutoConfig, AutoModelForCausalLM, MixtralForCausalLM

sizes = dict(vocab_size=50, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, num_local_experts=4)
reference = MixtralForCausalLM(AutoConfig.for_model("mixtral", **sizes)).eval()
reference.save_pretrained(sys.argv[1])
own = type(AutoModelForCausalLM.from_config(AutoConfig.for_model("my_mixtral", **sizes)))
model, said = own.from_pretrained(sys.argv[1], config=AutoConfig.for_model("my_mixtral", **sizes), output_loading_info=True)
assert not said["missing_keys"] and not said["unexpected_keys"], said
for (_, one), (_, other) in zip(reference.state_dict().items(), model.state_dict().items(), strict=True):
    assert (one == other).all()
model.save_pretrained(sys.argv[2])
"""
ELSEWHERE = """
import sys
from transformers import AutoModelForCausalLM

model, said = AutoModelForCausalLM.from_pretrained(sys.argv[2], trust_remote_code=True, output_loading_info=True)
assert type(model).__name__ == "MyMixtralForCausalLM" and not said["missing_keys"] and not said["unexpected_keys"], said
"""


def registered(text: str) -> list[str]:
    """The rules that a module registers when it is imported."""
    calls = [
        node.value for node in ast.parse(text).body if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    ]
    return [ast.unparse(call) for call in calls if ast.unparse(call.func) == "register_checkpoint_conversion_mapping"]


def test_rules_are_registered_where_the_models_stand(tmp_path: Path) -> None:
    found = modules(in_a_package("mixtral", "my_mixtral", tmp_path))
    assert registered(found["transformers.models.my_mixtral.modeling_my_mixtral"]) == [
        "register_checkpoint_conversion_mapping('my_mixtral', get_checkpoint_conversion_mapping('mixtral'), overwrite=True)"
    ]


def test_rules_that_lead_to_a_renamed_part_lead_to_its_new_name(tmp_path: Path) -> None:
    found = modules(in_a_package("swin", "my_swin", tmp_path))
    (text,) = [
        text for text in registered(found["transformers.models.my_swin.modeling_my_swin"]) if "Backbone" in text
    ]
    assert "[*get_checkpoint_conversion_mapping('SwinBackbone'), WeightRenaming('^swin\\\\.', 'my_swin.')]" in text


def test_a_model_without_rules_registers_none(tmp_path: Path) -> None:
    found = modules(in_a_package("llama", "my_llama", tmp_path))
    assert all("conversion" not in text for text in found.values())


@pytest.mark.slow
def test_experts_that_the_reference_saved_are_those_of_the_copy(tmp_path: Path) -> None:
    made = add_model(tmp_path, "like", "transformers:mixtral", "--name", "my_mixtral", "--into", "my_models", "--yes")
    assert made.returncode == 0, made.stderr
    folders = [str(tmp_path / name) for name in ("of_reference", "of_copy")]
    for code, path in ((MIXTRAL, str(tmp_path / "my_models" / "src")), (ELSEWHERE, "")):
        environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "home"), "PYTHONPATH": path}
        run = subprocess.run([sys.executable, "-c", code, *folders], cwd=tmp_path, env=environment, capture_output=True, text=True)  # fmt: skip
        assert run.returncode == 0, run.stderr
