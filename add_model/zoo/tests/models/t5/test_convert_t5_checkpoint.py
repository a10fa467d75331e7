"""Tests of the conversion of original T5 checkpoints."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from add_model.zoo.models.t5 import T5Config, T5EncoderModel, T5ForConditionalGeneration, T5Model
from add_model.zoo.models.t5.convert_t5_checkpoint import convert_checkpoint, convert_state_dict, main

INPUT_IDS = torch.tensor([[9, 4, 7, 8, 1], [5, 6, 1, 0, 0]])
ATTENTION_MASK = (INPUT_IDS != 0).long()
SELF_NORM = {"encoder": "pre_attention_layer_norm", "decoder": "pre_self_attention_layer_norm"}
SELF_ATTENTION = {"encoder": "attention", "decoder": "self_attention"}
PROJECTIONS = {"q": "query", "k": "key", "v": "value", "o": "out"}


def make_config(**options: Any) -> T5Config:
    sizes: dict[str, Any] = {"vocab_size": 11, "d_model": 8, "d_kv": 3, "d_ff": 12, "num_layers": 2, "num_heads": 2}
    return T5Config(**{**sizes, **options})


def randomize(model: torch.nn.Module) -> None:
    """Give every weight random values, those included that start as ones and zeros."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_()
    model.eval()


def weights_to_convert(model: torch.nn.Module) -> dict[str, Tensor]:
    """Return the weights of a model that the originals hold: the token embeddings stand in it once."""
    state = model.state_dict()
    return {name: weight.clone() for name, weight in state.items() if "embed_tokens" not in name}


def in_the_layout_of_mesh(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return weights as the original release names them, with what its optimizer keeps beside them."""
    original = {"global_step": torch.tensor(1000)}
    for name, weight in weights.items():
        name = re.sub(r"\.(block|layer)\.(\d+)", lambda match: f".{match[1]}_{int(match[2]):03}", name)
        name = name.removesuffix(".weight").replace(".", "/").replace("lm_head", "decoder/logits")
        if name.endswith("layer_norm"):
            original[f"{name}/scale"] = weight
        elif name == "shared":
            original[f"{name}/embedding"] = weight
        else:
            is_dense = "DenseReluDense" in name or "logits" in name
            original[f"{name}/kernel" if is_dense else name] = weight.T
        original[f"{name}_slot_vr"] = original[f"{name}_slot_vc"] = torch.zeros(3)
    return original


def in_the_layout_of_t5x(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return weights as the later releases name them, with the heads apart and what the optimizer keeps."""
    original = {"state/step": torch.tensor(1000), "state/param_states/decoder/decoder_norm/scale/v": torch.zeros(8)}
    for name, weight in weights.items():
        match = re.fullmatch(r"(encoder|decoder)\.block\.(\d)\.layer\.(\d)\.(\w+)(?:\.(\w+))?\.weight", name)
        if match is None:
            part = name.partition(".")[0]
            if part == "shared":
                original["target/token_embedder/embedding"] = weight
            elif part == "lm_head":
                original["target/decoder/logits_dense/kernel"] = weight.T
            else:
                original[f"target/{part}/{part}_norm/scale"] = weight
            continue
        part, block, layer, module, inner = match.groups()
        path = f"target/{part}/layers_{block}"
        if inner == "relative_attention_bias":
            original[f"target/{part}/relpos_bias/rel_embedding"] = weight.T
        elif module == "DenseReluDense":
            original[f"{path}/mlp/{inner}/kernel"] = weight.T
        elif module == "layer_norm":
            norms = [SELF_NORM[part], "pre_cross_attention_layer_norm", "pre_mlp_layer_norm"]
            original[f"{path}/{norms[-1 if (part, layer) == ('encoder', '1') else int(layer)]}/scale"] = weight
        else:
            attention = SELF_ATTENTION[part] if module == "SelfAttention" else "encoder_decoder_attention"
            shape = (2, 3, 8) if inner == "o" else (8, 2, 3)
            original[f"{path}/{attention}/{PROJECTIONS[inner]}/kernel"] = weight.T.reshape(shape)
    return original


LAYOUTS: dict[str, Callable[[dict[str, Tensor]], dict[str, Tensor]]] = {
    "mesh": in_the_layout_of_mesh,
    "t5x": in_the_layout_of_t5x,
}


def write_config(config: T5Config, path: Path) -> Path:
    path.write_text(config.to_json_string(), encoding="utf-8")
    return path


def write_arrays(weights: dict[str, Tensor], path: Path) -> Path:
    numpy.savez(path, **{name: weight.numpy() for name, weight in weights.items()})  # type: ignore[arg-type]
    return path


class TestConvertT5Checkpoint:
    @pytest.mark.parametrize("layout", LAYOUTS)
    def test_original_names(self, layout: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        # Of more than ten blocks the numbers have two digits.
        model = T5Model(make_config(num_layers=12, num_decoder_layers=1) if layout == "mesh" else make_config())
        randomize(model)
        checkpoint = write_arrays(LAYOUTS[layout](weights_to_convert(model)), tmp_path / "original.npz")
        config_file = write_config(model.config, tmp_path / "config.json")
        main([str(checkpoint), "--config", str(config_file), "--output", str(tmp_path / "converted")])
        assert "not used" not in capsys.readouterr().out
        converted = T5Model.from_pretrained(tmp_path / "converted")
        expected = model(INPUT_IDS, attention_mask=ATTENTION_MASK).last_hidden_state
        assert torch.equal(converted(INPUT_IDS, attention_mask=ATTENTION_MASK).last_hidden_state, expected)

    @pytest.mark.parametrize("tie_word_embeddings", [True, False])
    @pytest.mark.parametrize("layout", LAYOUTS)
    def test_conditional_generation(self, layout: str, tie_word_embeddings: bool, tmp_path: Path) -> None:
        config = make_config(
            tie_word_embeddings=tie_word_embeddings,
            feed_forward_proj="relu" if tie_word_embeddings else "gated-gelu",
            architectures=["T5ForConditionalGeneration"],
        )
        model = T5ForConditionalGeneration(config)
        randomize(model)
        weights = weights_to_convert(model)
        if tie_word_embeddings:
            del weights["lm_head.weight"]
        checkpoint = write_arrays(LAYOUTS[layout](weights), tmp_path / "original.npz")
        config_file = write_config(config, tmp_path / "config.json")
        assert convert_checkpoint(checkpoint, config_file, tmp_path / "converted") == []
        converted = T5ForConditionalGeneration.from_pretrained(tmp_path / "converted")
        assert torch.equal(converted(INPUT_IDS).logits, model(INPUT_IDS).logits)

    def test_encoder_model(self, tmp_path: Path) -> None:
        model = T5Model(make_config())
        randomize(model)
        checkpoint = write_arrays(in_the_layout_of_mesh(weights_to_convert(model)), tmp_path / "original.npz")
        config_file = write_config(model.config, tmp_path / "config.json")
        unused = convert_checkpoint(checkpoint, config_file, tmp_path / "converted", "T5EncoderModel")
        assert unused and all(name.startswith("decoder.") for name in unused)
        converted = T5EncoderModel.from_pretrained(tmp_path / "converted")
        assert torch.equal(converted(INPUT_IDS).last_hidden_state, model(INPUT_IDS).encoder_last_hidden_state)

    def test_names_and_layout_of_research_code_stay(self, tmp_path: Path) -> None:
        model = T5Model(make_config())
        randomize(model)
        save_file(weights_to_convert(model), tmp_path / "original.safetensors")
        config_file = write_config(model.config, tmp_path / "config.json")
        assert convert_checkpoint(tmp_path / "original.safetensors", config_file, tmp_path / "converted") == []
        converted = T5Model.from_pretrained(tmp_path / "converted")
        assert torch.equal(converted(INPUT_IDS).last_hidden_state, model(INPUT_IDS).last_hidden_state)

    def test_what_does_not_fit_is_listed_and_nothing_is_written(self, tmp_path: Path) -> None:
        model = T5Model(make_config())
        weights = in_the_layout_of_mesh(weights_to_convert(model))
        weights["encoder/block_000/layer_001/DenseReluDense/wi/kernel"] = torch.zeros(3, 8)
        del weights["decoder/final_layer_norm/scale"]
        checkpoint = write_arrays(weights, tmp_path / "original.npz")
        config_file = write_config(model.config, tmp_path / "config.json")
        with pytest.raises(ValueError) as caught:
            convert_checkpoint(checkpoint, config_file, tmp_path / "converted")
        name = "encoder.block.0.layer.1.DenseReluDense.wi.weight"
        assert f"{name}: shape (8, 3) in the checkpoint, (12, 8) in the model" in str(caught.value)
        assert "decoder.final_layer_norm.weight: missing in the checkpoint, shape (8,)" in str(caught.value)
        assert not (tmp_path / "converted").exists()

    def test_files_that_are_no_checkpoint_are_refused(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        config_file = write_config(make_config(), tmp_path / "config.json")
        arguments = ["--config", str(config_file), "--output", str(tmp_path / "converted")]
        (tmp_path / "text.npz").write_text("no archive")
        numpy.savez(tmp_path / "objects.npz", weight=numpy.array([{}], dtype=object))
        numpy.savez(tmp_path / "names.npz", weight=numpy.array(["a name"]))
        for name, message in (("text", "no checkpoint"), ("objects", "plain numbers"), ("names", "float32")):
            with pytest.raises(SystemExit):
                main([str(tmp_path / f"{name}.npz"), *arguments])
            assert message in capsys.readouterr().err

    def test_names_that_collide(self) -> None:
        weights = {"shared/embedding": torch.ones(1), "shared.weight": torch.ones(1)}
        with pytest.raises(ValueError, match="second weight"):
            convert_state_dict(weights, make_config())
