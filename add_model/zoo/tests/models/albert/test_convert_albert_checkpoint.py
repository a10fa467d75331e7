"""Tests of the conversion of original ALBERT checkpoints."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from add_model.zoo.models.albert import (
    AlbertConfig,
    AlbertForPreTraining,
    AlbertForQuestionAnswering,
    AlbertForSequenceClassification,
    AlbertModel,
)
from add_model.zoo.models.albert.convert_albert_checkpoint import convert_checkpoint, convert_state_dict, main

INPUT_IDS = torch.tensor([[2, 9, 4, 7, 3], [2, 5, 3, 0, 0]])
ATTENTION_MASK = (INPUT_IDS != 0).long()
# What the parts of a layer are called in the original code, and what the heads are.
ORIGINAL_NAMES = {
    r"albert_layer_groups\.(\d+)\.albert_layers\.(\d+)": r"transformer.group_\1.inner_group_\2",
    r"attention\.(query|key|value)": r"attention_1.self.\1",
    r"attention\.dense": "attention_1.output.dense",
    r"attention\.LayerNorm": "LayerNorm",
    r"full_layer_layer_norm": "LayerNorm_1",
    r"ffn_output": "ffn_1.intermediate.output.dense",
    r"\.ffn\.": ".ffn_1.intermediate.dense.",
    r"(^|\.)pooler": r"\1pooler.dense",
    r"^predictions\.(dense|LayerNorm)": r"cls.predictions.transform.\1",
    r"^predictions\.bias": "cls.predictions.output_bias",
    r"^sop_classifier\.classifier\.weight": "cls.seq_relationship.output_weights",
    r"^sop_classifier\.classifier\.": "cls.seq_relationship.output_",
    r"^qa_outputs\.weight": "cls.squad.output_weights",
    r"^qa_outputs\.": "cls.squad.output_",
    r"^classifier\.weight": "output_weights",
    r"^classifier\.": "output_",
    r"embeddings\.weight$": "embeddings",
    r"LayerNorm(_1|)\.weight$": r"LayerNorm\1.gamma",
    r"LayerNorm(_1|)\.bias$": r"LayerNorm\1.beta",
    r"\.weight$": ".kernel",
}


def make_config(**options: Any) -> AlbertConfig:
    sizes: dict[str, Any] = {"vocab_size": 11, "embedding_size": 5, "hidden_size": 8, "num_hidden_layers": 4}
    sizes |= {"num_attention_heads": 2, "intermediate_size": 12, "max_position_embeddings": 9}
    return AlbertConfig(**{**sizes, "num_hidden_groups": 2, "inner_group_num": 2, **options})


def randomize(model: torch.nn.Module) -> None:
    """Give every weight random values, those included that start as ones and zeros."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_()
    model.eval()


def in_the_original_layout(weights: dict[str, Tensor], prefix: str = "bert") -> dict[str, Tensor]:
    """Return weights as the original code saves them, with what its optimizer keeps beside them."""
    original = {"global_step": torch.tensor(1000)}
    for name, weight in weights.items():
        if name.startswith("predictions.decoder."):
            # The scores are computed with the embeddings themselves.
            continue
        for new, old in ORIGINAL_NAMES.items():
            name = re.sub(new, old, name.removeprefix("albert."))
        if name.startswith(("embeddings.", "encoder.", "pooler.")):
            name = f"{prefix}.{name}".removeprefix(".")
        name = name.replace(".", "/")
        original[name] = weight.T if name.endswith("/kernel") else weight
        original[f"{name}/adam_m"] = original[f"{name}/adam_v"] = torch.zeros(3)
    return original


def write_config(config: AlbertConfig, path: Path) -> Path:
    path.write_text(config.to_json_string(), encoding="utf-8")
    return path


def write_arrays(weights: dict[str, Tensor], path: Path) -> Path:
    numpy.savez(path, **{name: weight.numpy() for name, weight in weights.items()})  # type: ignore[arg-type]
    return path


class TestConvertAlbertCheckpoint:
    @pytest.mark.parametrize("prefix", ["", "bert", "module.bert", "somebody_else"])
    def test_original_names(self, prefix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        model = AlbertModel(make_config())
        randomize(model)
        original = in_the_original_layout(model.state_dict(), prefix)
        name = "encoder/transformer/group_1/inner_group_0/ffn_1/intermediate/output/dense/kernel"
        assert original["/".join(filter(None, (*prefix.split("."), name)))].shape == (12, 8)
        checkpoint = write_arrays(original, tmp_path / "original.npz")
        config_file = write_config(model.config, tmp_path / "config.json")
        main([str(checkpoint), "--config", str(config_file), "--output", str(tmp_path / "converted")])
        assert "not used" not in capsys.readouterr().out
        converted = AlbertModel.from_pretrained(tmp_path / "converted")
        for name, weight in model.state_dict().items():
            assert torch.equal(converted.state_dict()[name], weight), name
        expected = model(INPUT_IDS, attention_mask=ATTENTION_MASK).pooler_output
        assert torch.equal(converted(INPUT_IDS, attention_mask=ATTENTION_MASK).pooler_output, expected)

    def test_both_heads_of_pretraining(self, tmp_path: Path) -> None:
        model = AlbertForPreTraining(make_config(architectures=["AlbertForPreTraining"]))
        randomize(model)
        original = in_the_original_layout(model.state_dict())
        assert original["cls/seq_relationship/output_weights"].shape == (2, 8)
        assert original["cls/predictions/transform/dense/kernel"].shape == (8, 5)
        checkpoint = write_arrays(original, tmp_path / "original.npz")
        config_file = write_config(model.config, tmp_path / "config.json")
        assert convert_checkpoint(checkpoint, config_file, tmp_path / "converted") == []
        converted = AlbertForPreTraining.from_pretrained(tmp_path / "converted")
        expected, actual = model(INPUT_IDS), converted(INPUT_IDS)
        assert torch.equal(actual.prediction_logits, expected.prediction_logits)
        assert torch.equal(actual.sop_logits, expected.sop_logits)

    def test_the_model_without_a_head_leaves_the_heads(self, tmp_path: Path) -> None:
        model = AlbertForPreTraining(make_config())
        randomize(model)
        checkpoint = write_arrays(in_the_original_layout(model.state_dict()), tmp_path / "original.npz")
        config_file = write_config(model.config, tmp_path / "config.json")
        unused = convert_checkpoint(checkpoint, config_file, tmp_path / "converted")
        assert len(unused) == 7 and all(name.startswith(("predictions.", "sop_classifier.")) for name in unused)

    def test_classifier_of_texts(self, tmp_path: Path) -> None:
        model = AlbertForSequenceClassification(make_config(num_labels=3))
        randomize(model)
        checkpoint = write_arrays(in_the_original_layout(model.state_dict()), tmp_path / "original.npz")
        config_file = write_config(model.config, tmp_path / "config.json")
        name = "AlbertForSequenceClassification"
        assert convert_checkpoint(checkpoint, config_file, tmp_path / "converted", name) == []
        converted = AlbertForSequenceClassification.from_pretrained(tmp_path / "converted")
        assert torch.equal(converted(INPUT_IDS).logits, model(INPUT_IDS).logits)

    def test_answers_to_questions(self, tmp_path: Path) -> None:
        model = AlbertForQuestionAnswering(make_config())
        randomize(model)
        checkpoint = write_arrays(in_the_original_layout(model.state_dict()), tmp_path / "original.npz")
        config_file = write_config(model.config, tmp_path / "config.json")
        name = "AlbertForQuestionAnswering"
        assert convert_checkpoint(checkpoint, config_file, tmp_path / "converted", name) == []
        converted = AlbertForQuestionAnswering.from_pretrained(tmp_path / "converted")
        assert torch.equal(converted(INPUT_IDS).start_logits, model(INPUT_IDS).start_logits)

    def test_names_and_layout_of_research_code_stay(self, tmp_path: Path) -> None:
        model = AlbertModel(make_config())
        randomize(model)
        weights = {f"module.albert.{name}": weight.clone() for name, weight in model.state_dict().items()}
        save_file(weights, tmp_path / "original.safetensors")
        config_file = write_config(model.config, tmp_path / "config.json")
        assert convert_checkpoint(tmp_path / "original.safetensors", config_file, tmp_path / "converted") == []
        converted = AlbertModel.from_pretrained(tmp_path / "converted")
        assert torch.equal(converted(INPUT_IDS).last_hidden_state, model(INPUT_IDS).last_hidden_state)

    def test_what_does_not_fit_is_listed_and_nothing_is_written(self, tmp_path: Path) -> None:
        model = AlbertModel(make_config())
        weights = in_the_original_layout(model.state_dict())
        inner = "bert/encoder/transformer/group_0/inner_group_1"
        weights[f"{inner}/ffn_1/intermediate/dense/kernel"] = torch.zeros(3, 8)
        del weights[f"{inner}/LayerNorm_1/beta"]
        checkpoint = write_arrays(weights, tmp_path / "original.npz")
        config_file = write_config(model.config, tmp_path / "config.json")
        with pytest.raises(ValueError) as caught:
            convert_checkpoint(checkpoint, config_file, tmp_path / "converted")
        layer = "encoder.albert_layer_groups.0.albert_layers.1"
        assert f"{layer}.ffn.weight: shape (8, 3) in the checkpoint, (12, 8) in the model" in str(caught.value)
        assert f"{layer}.full_layer_layer_norm.bias: missing in the checkpoint, shape (8,)" in str(caught.value)
        assert not (tmp_path / "converted").exists()

    def test_files_that_are_no_checkpoint_are_refused(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        config_file = write_config(make_config(), tmp_path / "config.json")
        arguments = ["--config", str(config_file), "--output", str(tmp_path / "converted")]
        (tmp_path / "text.npz").write_text("no archive")
        numpy.savez(tmp_path / "names.npz", weight=numpy.array(["a name"]))
        for name, message in (("text", "no checkpoint"), ("names", "float32")):
            with pytest.raises(SystemExit):
                main([str(tmp_path / f"{name}.npz"), *arguments])
            assert message in capsys.readouterr().err

    def test_names_that_collide(self) -> None:
        with pytest.raises(ValueError, match="second weight"):
            convert_state_dict({"a.gamma": torch.ones(1), "a.weight": torch.ones(1)}, make_config())
