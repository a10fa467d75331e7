"""Tests of the conversion of original Decision Transformer checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from add_model.zoo.models.decision_transformer import DecisionTransformerConfig, DecisionTransformerModel
from add_model.zoo.models.decision_transformer.convert_decision_transformer_checkpoint import (
    convert_checkpoint,
    convert_state_dict,
    main,
)

TRAJECTORY = {
    "states": torch.linspace(-1, 1, 30).reshape(2, 3, 5),
    "actions": torch.linspace(1, -1, 12).reshape(2, 3, 2),
    "returns_to_go": torch.linspace(3, 1, 6).reshape(2, 3, 1),
    "timesteps": torch.tensor([[0, 1, 2], [4, 5, 6]]),
}


def make_config(**options: Any) -> DecisionTransformerConfig:
    sizes: dict[str, Any] = {"state_dim": 5, "act_dim": 2, "hidden_size": 8, "max_ep_len": 9, "n_positions": 12}
    return DecisionTransformerConfig(**{**sizes, "n_layer": 2, "n_head": 2, **options})


def make_model() -> DecisionTransformerModel:
    """Return a model with random values for every weight but the positions that the original does not have."""
    torch.manual_seed(0)
    model = DecisionTransformerModel(make_config(architectures=["DecisionTransformerModel"]))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.normal_()
            if name == "encoder.wpe.weight":
                parameter.zero_()
    return model.eval()


def original_weights(model: DecisionTransformerModel) -> dict[str, torch.Tensor]:
    """Return the weights as the original release names them, with the masks that its layers hold."""
    original = {
        name.replace("encoder.", "transformer."): weight.clone()
        for name, weight in model.state_dict().items()
        if name != "encoder.wpe.weight"
    }
    for layer in range(2):
        original[f"transformer.h.{layer}.attn.bias"] = torch.ones(1, 1, 12, 12).tril()
        original[f"transformer.h.{layer}.attn.masked_bias"] = torch.tensor(-1e4)
    return original


class TestConvertDecisionTransformerCheckpoint:
    def test_original_names(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        model = make_model()
        original = original_weights(model)
        expected = {
            "transformer.h.0.attn.c_attn.weight",
            "transformer.wte.weight",
            "predict_action.0.bias",
            "embed_ln.bias",
        }
        assert expected <= original.keys()
        torch.save({**original, "optimizer_steps": torch.zeros(1)}, tmp_path / "original.pt")
        (tmp_path / "config.json").write_text(model.config.to_json_string(), encoding="utf-8")
        arguments = [str(tmp_path / "original.pt"), "--config", str(tmp_path / "config.json")]
        main([*arguments, "--output", str(tmp_path / "converted")])
        assert "not used: optimizer_steps" in capsys.readouterr().out
        converted = DecisionTransformerModel.from_pretrained(tmp_path / "converted")
        expected_outputs, outputs = model(**TRAJECTORY), converted(**TRAJECTORY)
        for name in ("state_preds", "action_preds", "return_preds"):
            assert torch.equal(outputs[name], expected_outputs[name]), name

    def test_masks_are_no_biases(self) -> None:
        converted = convert_state_dict(original_weights(make_model()), make_config())
        assert converted.keys() == make_model().state_dict().keys()

    def test_names_of_today_and_of_a_compiled_model(self) -> None:
        model = make_model()
        torch.nn.init.normal_(model.encoder.wpe.weight)
        weights = model.state_dict()
        compiled = {f"_orig_mod.module.{name}": weight for name, weight in weights.items()}
        for names in (weights, compiled):
            converted = convert_state_dict(names, make_config())
            assert converted.keys() == weights.keys()
            assert all(torch.equal(converted[name], weight) for name, weight in weights.items())

    def test_what_does_not_fit_is_listed_and_nothing_is_written(self, tmp_path: Path) -> None:
        model = make_model()
        weights = original_weights(model)
        weights["embed_timestep.weight"] = torch.zeros(3, 8)
        del weights["transformer.h.1.ln_2.weight"]
        save_file(weights, tmp_path / "original.safetensors")
        (tmp_path / "config.json").write_text(model.config.to_json_string(), encoding="utf-8")
        with pytest.raises(ValueError) as caught:
            convert_checkpoint(tmp_path / "original.safetensors", tmp_path / "config.json", tmp_path / "converted")
        assert "embed_timestep.weight: shape (3, 8) in the checkpoint, (9, 8) in the model" in str(caught.value)
        assert "encoder.h.1.ln_2.weight: missing in the checkpoint, shape (8,) in the model" in str(caught.value)
        assert not (tmp_path / "converted").exists()

    def test_names_that_collide(self) -> None:
        weights = {"transformer.ln_f.weight": torch.ones(1), "encoder.ln_f.weight": torch.ones(1)}
        with pytest.raises(ValueError, match="second weight"):
            convert_state_dict(weights, make_config())
