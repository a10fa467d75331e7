"""Saving and loading models: the files that are read, and what is refused."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import huggingface_hub.hub_mixin
import pytest
import torch
from safetensors.torch import save_file

from add_model.zoo import AutoConfig, AutoModel, AutoModelForCausalLM, AutoTokenizer, PreTrainedConfig, registry
from add_model.zoo.activations import ACTIVATIONS, get_activation
from add_model.zoo.modeling_outputs import MaskedLMOutput
from add_model.zoo.models.bert import BertConfig, BertForMaskedLM, BertForSequenceClassification, BertModel
from add_model.zoo.models.gpt2 import GPT2Config


def small_config(**kwargs: Any) -> BertConfig:
    sizes = {"vocab_size": 20, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
    return BertConfig(**{**sizes, "intermediate_size": 9, "max_position_embeddings": 10, **kwargs})


@pytest.fixture
def saved(tmp_path: Path) -> tuple[BertModel, Path]:
    model = BertModel(small_config())
    model.save_pretrained(tmp_path / "saved")
    return model, tmp_path / "saved"


def assert_same_weights(left: torch.nn.Module, right: torch.nn.Module) -> None:
    assert left.state_dict().keys() == right.state_dict().keys()
    for name, weight in left.state_dict().items():
        assert torch.equal(weight, right.state_dict()[name]), name


def test_saving_writes_weights_config_and_card(saved: tuple[BertModel, Path]) -> None:
    _, folder = saved
    assert {path.name for path in folder.iterdir()} == {"model.safetensors", "config.json", "README.md"}
    content = json.loads((folder / "config.json").read_text())
    assert content["architectures"] == ["BertModel"]
    assert content["model_type"] == "bert"
    card = (folder / "README.md").read_text()
    assert "from add_model.zoo.models.bert import BertModel" in card


def test_saving_again_keeps_the_edited_card(saved: tuple[BertModel, Path]) -> None:
    model, folder = saved
    (folder / "README.md").write_text("mine")
    model.save_pretrained(folder)
    assert (folder / "README.md").read_text() == "mine"


def test_weights_in_several_files(saved: tuple[BertModel, Path]) -> None:
    model, folder = saved
    (folder / "model.safetensors").unlink()
    weights = model.state_dict()
    names = sorted(weights)
    files = {"part-1.safetensors": names[::2], "part-2.safetensors": names[1::2]}
    for file_name, part in files.items():
        save_file({name: weights[name] for name in part}, folder / file_name)
    index = {"weight_map": {name: file_name for file_name, part in files.items() for name in part}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    assert_same_weights(BertModel.from_pretrained(folder), model)

    (folder / "part-2.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match="part-2.safetensors"):
        BertModel.from_pretrained(folder)


def test_an_index_cannot_name_files_elsewhere(saved: tuple[BertModel, Path]) -> None:
    _, folder = saved
    (folder / "model.safetensors").rename(folder.parent / "elsewhere.safetensors")
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": "../elsewhere.safetensors"}}))
    with pytest.raises(ValueError, match="outside its folder"):
        BertModel.from_pretrained(folder)


def test_older_weights_are_read(saved: tuple[BertModel, Path]) -> None:
    model, folder = saved
    (folder / "model.safetensors").unlink()
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    assert_same_weights(BertModel.from_pretrained(folder), model)


class RunsCode:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("it-ran"),))


def test_weights_that_run_code_are_refused(
    saved: tuple[BertModel, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _, folder = saved
    monkeypatch.chdir(tmp_path)
    (folder / "model.safetensors").unlink()
    torch.save({"embeddings": RunsCode()}, folder / "pytorch_model.bin", pickle_module=pickle)
    with pytest.raises(ValueError, match="could run code"):
        BertModel.from_pretrained(folder)
    assert not (tmp_path / "it-ran").exists()


def test_damaged_files_are_named(saved: tuple[BertModel, Path]) -> None:
    _, folder = saved
    (folder / "model.safetensors").write_bytes(b"\x10\0\0\0")
    with pytest.raises(ValueError, match="model.safetensors"):
        BertModel.from_pretrained(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match="no weights"):
        BertModel.from_pretrained(folder)
    (folder / "config.json").write_text("{")
    with pytest.raises(ValueError, match="config.json is not valid JSON"):
        BertModel.from_pretrained(folder)
    (folder / "config.json").write_text("[]")
    with pytest.raises(ValueError, match="must hold a JSON object"):
        AutoConfig.from_pretrained(folder)
    (folder / "config.json").unlink()
    with pytest.raises(FileNotFoundError, match="save_pretrained"):
        BertModel.from_pretrained(folder)


@pytest.mark.parametrize("name", ["no-such-folder", "no/such/folder", "/no/such/folder"])
def test_an_unknown_folder_is_named(name: str) -> None:
    for loader in (BertConfig, BertModel, AutoConfig, AutoModel, AutoTokenizer):
        with pytest.raises(FileNotFoundError, match=name):
            loader.from_pretrained(name, local_files_only=True)


def test_other_shapes_are_an_error_with_both_shapes(saved: tuple[BertModel, Path]) -> None:
    _, folder = saved
    with pytest.raises(ValueError, match=r"word_embeddings.weight: \(20, 8\) in .*, \(21, 8\) in the model"):
        BertModel.from_pretrained(folder, vocab_size=21)


def test_missing_and_unexpected_weights_are_named(saved: tuple[BertModel, Path], tmp_path: Path) -> None:
    _, folder = saved
    with pytest.warns(UserWarning, match=r"initial values: classifier.weight, classifier.bias$"):
        classifier = BertForSequenceClassification.from_pretrained(folder, num_labels=5)
    assert classifier.config.num_labels == 5
    classifier.save_pretrained(tmp_path / "classifier")
    with pytest.warns(UserWarning, match=r"not used: classifier.bias, classifier.weight$"):
        BertModel.from_pretrained(tmp_path / "classifier")


def test_arguments_of_the_model_and_of_the_configuration(saved: tuple[BertModel, Path]) -> None:
    model, folder = saved
    with pytest.warns(UserWarning, match="pooler"):
        loaded = BertModel.from_pretrained(folder, add_pooling_layer=False, attention_implementation="eager")
    assert loaded.pooler is None
    assert loaded.config.attention_implementation == "eager"
    assert BertModel.from_pretrained(folder, dtype=torch.float16).dtype == torch.float16
    config = small_config(hidden_act="relu")
    assert BertModel.from_pretrained(folder, config=config).config is config
    with pytest.raises(TypeError, match="hidden_act"):
        BertModel.from_pretrained(folder, config=config, hidden_act="relu")
    with pytest.raises(TypeError, match="from_pretrained"):
        BertModel(str(folder))  # type: ignore[arg-type]


def test_one_name_of_a_tied_weight_is_enough() -> None:
    model = BertForMaskedLM(small_config())
    weights = model.state_dict()
    new = torch.randn_like(weights.pop("bert.embeddings.word_embeddings.weight"))
    weights["cls.predictions.decoder.weight"] = new
    model.load_checkpoint(weights)
    assert torch.equal(model.bert.embeddings.word_embeddings.weight, new)


def test_tied_weights_count_once() -> None:
    tied = BertForMaskedLM(small_config())
    untied = BertForMaskedLM(small_config(tie_word_embeddings=False))
    assert untied.num_parameters() - tied.num_parameters() == 20 * 8 + 20
    for parameter in tied.bert.parameters():
        parameter.requires_grad = False
    assert 0 < tied.num_parameters(only_trainable=True) < tied.num_parameters()


def test_pushing_uploads_what_saving_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    uploaded: dict[str, Any] = {}

    class Repository:
        repo_id = "someone/model"

    class FakeApi:
        def __init__(self, token: str | None = None) -> None:
            pass

        def create_repo(self, **kwargs: Any) -> Repository:
            return Repository()

        def upload_folder(self, *, folder_path: Path, repo_id: str, **kwargs: Any) -> str:
            uploaded[repo_id] = {path.name for path in Path(folder_path).iterdir()}
            return "url"

    monkeypatch.setattr(huggingface_hub.hub_mixin, "HfApi", FakeApi)
    BertModel(small_config()).push_to_hub("model")
    assert uploaded == {"someone/model": {"model.safetensors", "config.json", "README.md"}}


def test_auto_classes_say_what_is_known(tmp_path: Path) -> None:
    known = ", ".join(sorted(registry.CONFIG_MAPPING_NAMES))
    with pytest.raises(ValueError, match=f"unknown model type 'unheard_of'; known are: {known}$"):
        AutoConfig.for_model("unheard_of")
    known = ", ".join(sorted(registry.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES))
    with pytest.raises(ValueError, match=f"'bert' has no model for causal language modeling; .*: {known}$"):
        AutoModelForCausalLM.from_config(small_config())
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ValueError, match="unknown model type None"):
        AutoModel.from_pretrained(tmp_path)


def test_a_configuration_of_another_type_is_read_with_a_warning(tmp_path: Path) -> None:
    GPT2Config().save_pretrained(tmp_path)
    with pytest.warns(UserWarning, match="'gpt2', read as 'bert'"):
        BertConfig.from_pretrained(tmp_path)


def test_configuration_values_that_make_no_sense_are_refused() -> None:
    for options in ({"problem_type": "guess"}, {"attention_implementation": "flash"}):
        with pytest.raises(ValueError, match="known are"):
            PreTrainedConfig(**options)
    with pytest.raises(ValueError, match="num_labels is 3"):
        PreTrainedConfig(num_labels=3, id2label={0: "one"})
    with pytest.raises(AttributeError, match="PreTrainedConfig has no attribute 'nothing'"):
        PreTrainedConfig().nothing  # type: ignore[attr-defined]  # noqa: B018


def test_aliases_of_configuration_values(tmp_path: Path) -> None:
    config = GPT2Config(hidden_size=32)
    assert config.n_embd == 32
    config.hidden_size = 48
    assert config.n_embd == 48
    config.save_pretrained(tmp_path)
    content = json.loads((tmp_path / "config.json").read_text())
    assert content["n_embd"] == 48
    assert "hidden_size" not in content
    assert GPT2Config.from_pretrained(tmp_path, hidden_size=64).n_embd == 64


def test_outputs_are_read_by_name_key_and_position() -> None:
    logits = torch.zeros(1)
    outputs = MaskedLMOutput(logits=logits)
    assert outputs.logits is outputs["logits"] is outputs[0] is outputs.to_tuple()[0]
    assert outputs["loss"] is None
    with pytest.raises(KeyError):
        outputs["nothing"]
    with pytest.raises(IndexError):
        outputs[1]


def test_activations() -> None:
    values = torch.linspace(-3, 3, 7)
    tanh = 0.5 * values * (1 + torch.tanh((2 / torch.pi) ** 0.5 * (values + 0.044715 * values**3)))
    torch.testing.assert_close(get_activation("gelu_new")(values), tanh)
    torch.testing.assert_close(get_activation("quick_gelu")(values), values * torch.sigmoid(1.702 * values))
    torch.testing.assert_close(get_activation("gelu")(values), values * torch.distributions.Normal(0, 1).cdf(values))
    for name in ACTIVATIONS:
        assert get_activation(name)(values).shape == values.shape
    with pytest.raises(ValueError, match="unknown activation 'golu'; known are: gelu, "):
        get_activation("golu")
