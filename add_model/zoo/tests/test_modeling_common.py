"""The tests that every model shares.

A model's test file names its classes and a small configuration:

    class TestBertModel(ModelTesterMixin):
        config_class = BertConfig
        base_model_class = BertModel
        all_model_classes = (
            BertModel,
            BertForMaskedLM,
        )

        def get_config(self) -> BertConfig:
            return BertConfig(vocab_size=99, hidden_size=32, ...)

Every test with an argument `model_class` then runs once for each of `all_model_classes`. What a class takes and returns
follows from the task it is registered for, so a model with a new head needs no changes here. A model that generates
text uses `GenerationTesterMixin` instead and sets `all_generative_model_classes` as well.
"""

import importlib
import json
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from add_model.zoo import AutoConfig, PreTrainedConfig, PreTrainedModel, auto
from add_model.zoo.auto import AutoModelBase
from add_model.zoo.modeling_outputs import ModelOutput

Inputs = dict[str, torch.Tensor]

# The auto classes of the library, which has those that its models use.
ALL_TASKS: tuple[type[AutoModelBase], ...] = tuple(
    found for found in vars(auto).values() if isinstance(found, type) and AutoModelBase in found.__bases__
)
HIDDEN_STATES_FIELDS = ("hidden_states", "encoder_hidden_states", "decoder_hidden_states")
ATTENTIONS_FIELDS = ("attentions", "encoder_attentions", "decoder_attentions", "cross_attentions")
# Tuples that are what a model is for, and not a look into its layers.
RESULT_FIELDS = ("feature_maps",)
NUMBER_OF_CHOICES = 2
# Auto classes whose models return the vectors of the tokens, and take no labels.
TASKS_WITHOUT_LABELS = ("AutoModel", "AutoModelForTextEncoding")


def task_of(model_class: type[PreTrainedModel]) -> type[AutoModelBase]:
    """Return the auto class that a model class is registered for."""
    for task in ALL_TASKS:
        if model_class.__name__ in task.class_names.values():
            return task
    raise AssertionError(f"{model_class.__name__} is missing from registry.py")


def size_in(config: PreTrainedConfig, name: str) -> int:
    """Return a size that the configurations of all models have, be it under another name."""
    size = getattr(config, name)
    assert isinstance(size, int)
    return size


def random_ids(shape: tuple[int, ...], config: PreTrainedConfig) -> torch.Tensor:
    """Return ids of ordinary tokens: the special tokens are expected among the first ten of the vocabulary."""
    return torch.randint(10, size_in(config, "vocab_size"), shape)


def randomize(model: nn.Module) -> None:
    """Give every weight a value that a fresh model does not have, biases and normalisations included."""
    with torch.no_grad():
        for name, weight in model.state_dict().items():
            if weight.is_floating_point():
                weight.normal_(std=0.1)
            if name.endswith("running_var"):
                # A variance is positive.
                weight.abs_().add_(0.5)


def tensors_of(outputs: ModelOutput) -> list[torch.Tensor]:
    """Return the tensors among the outputs, in order; not the cache, not the tuples of all layers."""
    tensors: list[torch.Tensor] = []
    for name, value in vars(outputs).items():
        if isinstance(value, torch.Tensor):
            tensors.append(value)
        elif name in RESULT_FIELDS:
            tensors += value
    return tensors


def assert_same_outputs(left: ModelOutput, right: ModelOutput, tolerance: float = 0.0) -> None:
    """Compare two outputs, tensor by tensor."""
    left_tensors, right_tensors = tensors_of(left), tensors_of(right)
    assert len(left_tensors) == len(right_tensors)
    for left_tensor, right_tensor in zip(left_tensors, right_tensors, strict=True):
        torch.testing.assert_close(left_tensor, right_tensor, rtol=tolerance, atol=tolerance)


class ModelTesterMixin:
    """The tests of every model.

    Class attributes:
        config_class, base_model_class: the classes of the model.
        all_model_classes: the base model and every model with a head.
        initializer_range_name: name of the configuration's value for the standard deviation of initial weights.
        cross_attention_name: part of the names of the weights that attend to an encoder's output; a causal language
            model that is a decoder cut out of an encoder-decoder has them, and does not use them by itself.
        constant_weight_names: ends of the names of weights that are the same number everywhere at first, although they
            have more than one dimension.
        classification_task: the auto class of models that classify a whole input.
    """

    config_class: ClassVar[type[PreTrainedConfig]]
    base_model_class: ClassVar[type[PreTrainedModel]]
    all_model_classes: ClassVar[tuple[type[PreTrainedModel], ...]]
    all_generative_model_classes: ClassVar[tuple[type[PreTrainedModel], ...]] = ()
    initializer_range_name: ClassVar[str] = "initializer_range"
    cross_attention_name: ClassVar[str | None] = None
    constant_weight_names: ClassVar[tuple[str, ...]] = ()
    classification_task: ClassVar[str] = "AutoModelForSequenceClassification"

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run a test once for each model class that its argument asks for."""
        for argument, classes in (
            ("model_class", self.all_model_classes),
            ("head_class", tuple(cls for cls in self.all_model_classes if cls is not self.base_model_class)),
            ("generative_model_class", self.all_generative_model_classes),
        ):
            if argument in metafunc.fixturenames:
                metafunc.parametrize(argument, classes, ids=lambda cls: str(cls.__name__))

    @pytest.fixture(autouse=True)
    def _same_random_numbers_and_one_thread(self) -> Iterator[None]:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        torch.manual_seed(0)
        yield
        torch.set_num_threads(threads)

    # What a model's test file defines.

    def get_config(self) -> PreTrainedConfig:
        """Return a small configuration, with dropout, whose special tokens have ids below 10."""
        raise NotImplementedError

    def get_initial_constants(self, config: PreTrainedConfig) -> set[float]:
        """Return the numbers that weights begin with which are not drawn at random."""
        return {0.0, 1.0}

    def expects_gradient(self, model_class: type[PreTrainedModel], name: str, parameter: nn.Parameter) -> bool:
        """Return whether training a class with labels changes a weight."""
        unused = self.cross_attention_name if task_of(model_class).__name__ == "AutoModelForCausalLM" else None
        return unused is None or unused not in name

    def get_inputs(self, config: PreTrainedConfig) -> Inputs:
        """Return two texts of different lengths, the second one padded on the right, `(2, 7)`."""
        input_ids = random_ids((2, 7), config)
        attention_mask = torch.ones_like(input_ids)
        input_ids[1, 5:] = config.pad_token_id or 0
        attention_mask[1, 5:] = 0
        return {"input_ids": input_ids, "attention_mask": attention_mask}

    def pad_inputs(self, inputs: Inputs, config: PreTrainedConfig) -> Inputs:
        """Return the inputs with three more padding tokens on the right, which the attention mask leaves out."""
        padding = {"input_ids": config.pad_token_id or 0, "attention_mask": 0, "token_type_ids": 0}
        return {
            name: nn.functional.pad(tensor, (0, 3), value=padding[name]) if name in padding else tensor
            for name, tensor in inputs.items()
        }

    # What follows from the task of a class.

    def get_inputs_for(self, model_class: type[PreTrainedModel], config: PreTrainedConfig) -> Inputs:
        """Return the inputs of a class, without labels."""
        inputs = self.get_inputs(config)
        if task_of(model_class).__name__ == "AutoModelForMultipleChoice":
            # The second choice of each text is the other text.
            return {name: torch.stack((tensor, tensor.flip(0)), dim=1) for name, tensor in inputs.items()}
        return inputs

    def get_labels_for(self, model_class: type[PreTrainedModel], config: PreTrainedConfig, inputs: Inputs) -> Inputs:
        """Return labels of the inputs; a base model has none."""
        task = task_of(model_class).__name__
        tokens = inputs.get("decoder_input_ids", inputs["input_ids"])
        batch, length = tokens.shape[0], tokens.shape[-1]
        if task in TASKS_WITHOUT_LABELS:
            return {}
        if task == "AutoModelForQuestionAnswering":
            return {"start_positions": torch.zeros(batch).long(), "end_positions": torch.ones(batch).long()}
        if task == "AutoModelForTokenClassification":
            return {"labels": torch.randint(config.num_labels, (batch, length))}
        if task == "AutoModelForSequenceClassification":
            return {"labels": torch.randint(config.num_labels, (batch,))}
        if task in ("AutoModelForMultipleChoice", "AutoModelForNextSentencePrediction"):
            return {"labels": torch.tensor([0, 1])}
        return {"labels": random_ids((batch, length), config)}

    def get_loss(self, model_class: type[PreTrainedModel], outputs: ModelOutput) -> torch.Tensor:
        """Return the loss of outputs with labels; of a class without labels the mean squares of what it returns."""
        if task_of(model_class).__name__ in TASKS_WITHOUT_LABELS:
            return torch.stack([(tensor**2).mean() for tensor in tensors_of(outputs)]).sum()
        loss: torch.Tensor = outputs["loss"]
        return loss

    def get_expected_shape(
        self, model_class: type[PreTrainedModel], config: PreTrainedConfig, inputs: Inputs
    ) -> tuple[int, ...]:
        """Return the shape of the first output of a class."""
        task = task_of(model_class).__name__
        tokens = inputs.get("decoder_input_ids", inputs["input_ids"])
        batch, length = tokens.shape[0], tokens.shape[-1]
        if task in TASKS_WITHOUT_LABELS:
            return (batch, length, size_in(config, "hidden_size"))
        if task == "AutoModelForQuestionAnswering":
            return (batch, length)
        if task == "AutoModelForTokenClassification":
            return (batch, length, config.num_labels)
        if task == "AutoModelForSequenceClassification":
            return (batch, config.num_labels)
        if task == "AutoModelForMultipleChoice":
            return (batch, NUMBER_OF_CHOICES)
        if task == "AutoModelForNextSentencePrediction":
            return (batch, 2)
        return (batch, length, size_in(config, "vocab_size"))

    def build(self, model_class: type[PreTrainedModel], config: PreTrainedConfig | None = None) -> PreTrainedModel:
        """Return a model with random weights, in evaluation mode."""
        model = model_class(self.get_config() if config is None else config)
        randomize(model)
        model.eval()
        return model

    def run(self, model: PreTrainedModel, **inputs: Any) -> ModelOutput:
        """Return the outputs of a forward pass without gradients."""
        with torch.no_grad():
            outputs: ModelOutput = model(**inputs)
        return outputs

    # Configuration.

    def test_config_survives_saving_and_loading(self, tmp_path: Path) -> None:
        config = self.get_config()
        config.save_pretrained(tmp_path)
        assert self.config_class.from_pretrained(tmp_path) == config
        assert AutoConfig.from_pretrained(tmp_path) == config

    def test_config_keeps_labels_unknown_keys_and_overrides(self, tmp_path: Path) -> None:
        config = self.config_class(id2label={0: "bad", 1: "fair", 2: "good"}, key_of_another_library=[1, 2])
        config.save_pretrained(tmp_path)
        loaded = self.config_class.from_pretrained(tmp_path)
        assert loaded.num_labels == 3
        assert loaded.id2label == {0: "bad", 1: "fair", 2: "good"}
        assert loaded.label2id == {"bad": 0, "fair": 1, "good": 2}
        assert json.loads((tmp_path / "config.json").read_text())["key_of_another_library"] == [1, 2]
        assert self.config_class.from_pretrained(tmp_path, num_labels=5).num_labels == 5

    def test_attention_implementation_is_not_saved(self, tmp_path: Path) -> None:
        config = self.config_class(attention_implementation="eager")
        config.save_pretrained(tmp_path)
        assert "attention_implementation" not in json.loads((tmp_path / "config.json").read_text())
        assert self.config_class.from_pretrained(tmp_path).attention_implementation == "sdpa"

    # Initialisation.

    def test_config_drives_every_random_initial_weight(self, model_class: type[PreTrainedModel]) -> None:
        config = self.get_config()
        setattr(config, self.initializer_range_name, 0.0)
        model, again = model_class(config), model_class(config)
        parameters = dict(model.named_parameters())
        for name, weight in model.state_dict().items():
            if name not in parameters and torch.equal(weight, again.state_dict()[name]):
                # What is computed, such as positions, is the same every time.
                continue
            constants = set(weight.unique().tolist())
            assert constants <= self.get_initial_constants(config), (
                f"{name} does not follow config.{self.initializer_range_name}"
            )

    def test_initial_weights_have_the_configured_spread(self, model_class: type[PreTrainedModel]) -> None:
        config = self.get_config()
        setattr(config, self.initializer_range_name, 0.5)
        for name, weight in model_class(config).named_parameters():
            assert torch.isfinite(weight).all(), name
            if weight.dim() > 1 and not name.endswith(self.constant_weight_names):
                assert 0 < weight.std() < 0.75, name

    # Saving and loading.

    def test_model_survives_saving_and_loading(self, model_class: type[PreTrainedModel], tmp_path: Path) -> None:
        model = self.build(model_class)
        model.save_pretrained(tmp_path)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            loaded = model_class.from_pretrained(tmp_path)
        assert not loaded.training
        assert loaded.config.architectures == [model_class.__name__]
        inputs = self.get_inputs_for(model_class, model.config)
        assert_same_outputs(self.run(model, **inputs), self.run(loaded, **inputs))
        for name, weight in model.state_dict().items():
            torch.testing.assert_close(loaded.state_dict()[name], weight, rtol=0, atol=0)

    def test_auto_classes_find_the_class(self, model_class: type[PreTrainedModel], tmp_path: Path) -> None:
        model = self.build(model_class)
        model.save_pretrained(tmp_path)
        task = task_of(model_class)
        loaded = task.from_pretrained(tmp_path)
        assert type(loaded) is model_class
        assert type(task.from_config(model.config)) is model_class
        inputs = self.get_inputs_for(model_class, model.config)
        assert_same_outputs(self.run(model, **inputs), self.run(loaded, **inputs))

    @pytest.mark.filterwarnings("ignore:.* was filled from")
    def test_base_checkpoint_fills_a_head_and_back(self, head_class: type[PreTrainedModel], tmp_path: Path) -> None:
        for saved_class, loaded_class in ((self.base_model_class, head_class), (head_class, self.base_model_class)):
            saved = self.build(saved_class)
            folder = tmp_path / saved_class.__name__
            saved.save_pretrained(folder)
            loaded = loaded_class.from_pretrained(folder)
            saved_weights, loaded_weights = saved.base_model.state_dict(), loaded.base_model.state_dict()
            shared_names = saved_weights.keys() & loaded_weights.keys()
            assert shared_names
            for name in shared_names:
                torch.testing.assert_close(loaded_weights[name], saved_weights[name], rtol=0, atol=0)

    def test_tied_weights_are_saved_once_and_stay_tied(
        self, model_class: type[PreTrainedModel], tmp_path: Path
    ) -> None:
        model = self.build(model_class)
        model.save_pretrained(tmp_path)
        saved_names = set(load_file(tmp_path / "model.safetensors"))
        loaded = model_class.from_pretrained(tmp_path)
        for name, original in model.tied_weights().items():
            assert name not in saved_names
            assert original in saved_names
            assert loaded.get_parameter(name) is loaded.get_parameter(original)

    def test_untied_weights_are_saved_apart(self, model_class: type[PreTrainedModel], tmp_path: Path) -> None:
        config = self.get_config()
        config.tie_word_embeddings = False
        model = self.build(model_class, config)
        always = {name for module in model.modules() for name in getattr(module, "_shared_weights_keys", ())}
        assert all(name.endswith(tuple(always)) for name in model.tied_weights())
        model.save_pretrained(tmp_path)
        loaded = model_class.from_pretrained(tmp_path)
        for name, weight in model.state_dict().items():
            torch.testing.assert_close(loaded.state_dict()[name], weight, rtol=0, atol=0)

    # The forward pass.

    def test_outputs_have_the_right_shape(self, model_class: type[PreTrainedModel]) -> None:
        model = self.build(model_class)
        inputs = self.get_inputs_for(model_class, model.config)
        outputs = self.run(model, **inputs)
        assert tuple(tensors_of(outputs)[0].shape) == self.get_expected_shape(model_class, model.config, inputs)
        for tensor in tensors_of(outputs):
            assert torch.isfinite(tensor).all()

    def test_evaluation_is_deterministic_and_training_drops_values(self, model_class: type[PreTrainedModel]) -> None:
        model = self.build(model_class)
        inputs = self.get_inputs_for(model_class, model.config)
        assert_same_outputs(self.run(model, **inputs), self.run(model, **inputs))
        model.train()
        assert not torch.equal(tensors_of(self.run(model, **inputs))[0], tensors_of(self.run(model, **inputs))[0])

    def test_eager_and_fused_attention_agree(self, model_class: type[PreTrainedModel]) -> None:
        model = self.build(model_class)
        inputs = self.get_inputs_for(model_class, model.config)
        model.config.attention_implementation = "sdpa"
        fused = self.run(model, **inputs)
        model.config.attention_implementation = "eager"
        eager = self.run(model, **inputs)
        assert_same_outputs(fused, eager, tolerance=1e-5)

    def test_ids_outside_the_vocabulary_are_refused(self, model_class: type[PreTrainedModel]) -> None:
        model = self.build(model_class)
        inputs = self.get_inputs_for(model_class, model.config)
        vocab_size = getattr(model.config, "vocab_size", 0)
        names = [name for name in inputs if name.endswith("input_ids")]
        assert bool(names) == (model.main_input_name == "input_ids")
        for name in names:
            for outside in (-1, vocab_size):
                ids = inputs[name].clone()
                ids[..., -1] = outside
                with pytest.raises(ValueError, match=f"token id {outside} is not in the vocabulary|found {outside}"):
                    self.run(model, **{**inputs, name: ids})

    def test_padding_changes_nothing(self, model_class: type[PreTrainedModel]) -> None:
        model = self.build(model_class)
        inputs = self.get_inputs_for(model_class, model.config)
        outputs = self.run(model, **inputs)
        padded_outputs = self.run(model, **self.pad_inputs(inputs, model.config))
        for tensor, padded in zip(tensors_of(outputs), tensors_of(padded_outputs), strict=True):
            without_padding = padded[tuple(slice(size) for size in tensor.shape)]
            torch.testing.assert_close(without_padding, tensor, rtol=1e-5, atol=1e-5)

    def test_hidden_states_of_every_layer(self, model_class: type[PreTrainedModel]) -> None:
        model = self.build(model_class)
        inputs = self.get_inputs_for(model_class, model.config)
        outputs = self.run(model, **inputs, output_hidden_states=True)
        found = 0
        for field in HIDDEN_STATES_FIELDS:
            hidden_states = getattr(outputs, field, None)
            if hidden_states is None:
                continue
            found += 1
            assert len(hidden_states) == size_in(model.config, "num_hidden_layers") + 1
            assert {states.shape for states in hidden_states} == {hidden_states[0].shape}
            assert hidden_states[0].shape[-1] == size_in(model.config, "hidden_size")
        assert found
        model.config.output_hidden_states = True
        assert len(self.run(model, **inputs).to_tuple()) == len(outputs.to_tuple())

    def test_attentions_of_every_layer(self, model_class: type[PreTrainedModel]) -> None:
        model = self.build(model_class)
        inputs = self.get_inputs_for(model_class, model.config)
        outputs = self.run(model, **inputs, output_attentions=True)
        found = 0
        for field in ATTENTIONS_FIELDS:
            attentions = getattr(outputs, field, None)
            if attentions is None:
                continue
            found += 1
            assert len(attentions) == size_in(model.config, "num_hidden_layers")
            for probabilities in attentions:
                assert probabilities.shape[1] == size_in(model.config, "num_attention_heads")
                sums = probabilities.sum(dim=-1)
                torch.testing.assert_close(sums, torch.ones_like(sums))
        assert found
        model.config.output_attentions = True
        assert len(self.run(model, **inputs).to_tuple()) == len(outputs.to_tuple())

    def test_embeddings_can_be_replaced(self, model_class: type[PreTrainedModel]) -> None:
        model = self.build(model_class)
        inputs = self.get_inputs_for(model_class, model.config)
        before = self.run(model, **inputs)
        old = model.get_input_embeddings()
        assert isinstance(old, nn.Embedding)
        new = nn.Embedding(old.num_embeddings, old.embedding_dim)
        model.set_input_embeddings(new)
        assert model.get_input_embeddings().weight is new.weight
        output_embeddings = model.get_output_embeddings()
        if output_embeddings is not None and model.config.tie_word_embeddings:
            assert output_embeddings.weight is new.weight
        assert not torch.allclose(self.run(model, **inputs)[0], before[0])

    # Training.

    def test_gradients_reach_every_parameter(self, model_class: type[PreTrainedModel]) -> None:
        model = self.build(model_class)
        model.train()
        inputs = self.get_inputs_for(model_class, model.config)
        outputs: ModelOutput = model(**inputs, **self.get_labels_for(model_class, model.config, inputs))
        loss = self.get_loss(model_class, outputs)
        loss.backward()  # type: ignore[no-untyped-call]
        for name, parameter in model.named_parameters():
            if not self.expects_gradient(model_class, name, parameter):
                continue
            assert parameter.grad is not None, f"{name} has no gradient"
            assert torch.isfinite(parameter.grad).all(), name

    def test_training_lowers_the_loss(self, head_class: type[PreTrainedModel]) -> None:
        model = self.build(head_class)
        inputs = self.get_inputs_for(head_class, model.config)
        inputs.update(self.get_labels_for(head_class, model.config, inputs))
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        losses = []
        for _ in range(5):
            loss = self.get_loss(head_class, model(**inputs))
            assert loss.dim() == 0
            losses.append(loss.item())
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        assert losses[-1] < losses[0]

    def test_sequence_classification_loss_follows_the_problem_type(self) -> None:
        for model_class in self.all_model_classes:
            if task_of(model_class).__name__ == self.classification_task:
                self.check_problem_types(model_class)

    def check_problem_types(self, model_class: type[PreTrainedModel]) -> None:
        """Compare the loss of each problem type with PyTorch's, chosen by name and chosen from the labels."""
        one_label = torch.tensor([0.5, -1.0])
        class_indices = torch.tensor([2, 0])
        every_label = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
        for problem_type, num_labels, labels in (
            ("regression", 1, one_label),
            ("regression", 3, every_label),
            ("single_label_classification", 3, class_indices),
            ("multi_label_classification", 3, every_label),
        ):
            config = self.get_config()
            config.num_labels = num_labels
            config.problem_type = problem_type
            model = self.build(model_class, config)
            outputs = self.run(model, **self.get_inputs_for(model_class, config), labels=labels)
            expected = self.expected_loss(problem_type, outputs["logits"], labels)
            torch.testing.assert_close(outputs["loss"], expected)
            if (problem_type, num_labels) != ("regression", 3):
                # Several numbers are taken for several labels unless the configuration says otherwise.
                config.problem_type = None
                chosen = self.run(model, **self.get_inputs_for(model_class, config), labels=labels)
                torch.testing.assert_close(chosen["loss"], self.expected_loss(problem_type, chosen["logits"], labels))

    def expected_loss(self, problem_type: str, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Return the loss of a problem type."""
        if problem_type == "regression":
            return nn.functional.mse_loss(logits, labels.view_as(logits))
        if problem_type == "single_label_classification":
            return nn.functional.cross_entropy(logits, labels)
        return nn.functional.binary_cross_entropy_with_logits(logits, labels)


class GenerationTesterMixin(ModelTesterMixin):
    """The tests of every model that generates text, beside those of every model.

    Class attributes:
        all_generative_model_classes: the models with a method `generate`.
    """

    def get_generation_inputs(self, config: PreTrainedConfig) -> Inputs:
        """Return prompts, or texts for the encoder, for `generate`."""
        return {"input_ids": random_ids((2, 5), config)}

    def generate(self, model: PreTrainedModel, **kwargs: Any) -> torch.Tensor:
        """Return what `model.generate` returns."""
        ids: torch.Tensor = getattr(model, "generate")(**kwargs)  # noqa: B009 - only generative models have it
        return ids

    def test_generation_is_the_same_with_and_without_cache(
        self, generative_model_class: type[PreTrainedModel]
    ) -> None:
        model = self.build(generative_model_class)
        inputs = self.get_generation_inputs(model.config)
        with_cache = self.generate(model, **inputs, max_new_tokens=8, use_cache=True)
        without_cache = self.generate(model, **inputs, max_new_tokens=8, use_cache=False)
        assert torch.equal(with_cache, without_cache)
        assert with_cache.shape[0] == inputs["input_ids"].shape[0]

    def test_cache_gives_the_same_scores_step_by_step(self, generative_model_class: type[PreTrainedModel]) -> None:
        model = self.build(generative_model_class)
        inputs = self.get_generation_inputs(model.config)
        name = "decoder_input_ids" if model.config.is_encoder_decoder else "input_ids"
        ids = random_ids((2, 6), model.config)
        inputs[name] = ids
        at_once = self.run(model, **inputs)["logits"]
        first = self.run(model, **{**inputs, name: ids[:, :4]}, use_cache=True)
        rest = self.run(
            model, **{**inputs, name: ids[:, 4:]}, past_key_values=first["past_key_values"], use_cache=True
        )
        step_by_step = torch.cat((first["logits"], rest["logits"]), dim=1)
        torch.testing.assert_close(step_by_step, at_once, rtol=1e-5, atol=1e-5)

    def test_generation_stops_at_the_end_token_and_the_limit(
        self, generative_model_class: type[PreTrainedModel]
    ) -> None:
        model = self.build(generative_model_class)
        inputs = self.get_generation_inputs(model.config)
        model.config.forced_eos_token_id = None
        # An id outside the vocabulary: no text ends by itself.
        nothing = size_in(model.config, "vocab_size")
        endless = self.generate(model, **inputs, max_new_tokens=6, eos_token_id=nothing, pad_token_id=1)
        start_length = 1 if model.config.is_encoder_decoder else inputs["input_ids"].shape[1]
        assert endless.shape[1] == start_length + 6
        # The first text's first new token now ends a text.
        end_token = int(endless[0, start_length])
        stopped = self.generate(model, **inputs, max_new_tokens=6, eos_token_id=end_token, pad_token_id=1)
        assert int(stopped[0, start_length]) == end_token
        assert (stopped[0, start_length + 1 :] == 1).all()

    def test_beams_are_the_same_with_and_without_cache(self, generative_model_class: type[PreTrainedModel]) -> None:
        model = self.build(generative_model_class)
        inputs = self.get_generation_inputs(model.config)
        values = {"num_beams": 3, "num_return_sequences": 2, "max_new_tokens": 6}
        with_cache = self.generate(model, **inputs, **values)
        assert torch.equal(with_cache, self.generate(model, **inputs, **values, use_cache=False))
        assert with_cache.shape[0] == 2 * inputs["input_ids"].shape[0]

    def test_drawn_tokens(self, generative_model_class: type[PreTrainedModel]) -> None:
        model = self.build(generative_model_class)
        inputs = self.get_generation_inputs(model.config)
        drawn = self.generate(model, **inputs, do_sample=True, seed=1, max_new_tokens=6)
        assert torch.equal(drawn, self.generate(model, **inputs, do_sample=True, seed=1, max_new_tokens=6))
        # Of one token there is nothing to draw.
        likeliest = self.generate(model, **inputs, do_sample=True, top_k=1, max_new_tokens=6)
        assert torch.equal(likeliest, self.generate(model, **inputs, max_new_tokens=6))

    def test_generation_refuses_two_limits(self, generative_model_class: type[PreTrainedModel]) -> None:
        model = self.build(generative_model_class)
        with pytest.raises(ValueError, match="max_length"):
            self.generate(model, **self.get_generation_inputs(model.config), max_length=9, max_new_tokens=3)


@dataclass(frozen=True)
class RecordedNumbers:
    """The inputs and outputs of the original model, written down once.

    Attributes:
        checkpoint: a folder relative to the file, or the id of a Hub repository.
        architecture: name of the model class.
        inputs: name to nested lists of integers.
        expected: the first values of the first output in every dimension, as nested lists.
        atol: the greatest difference that is still equal.
    """

    checkpoint: str
    architecture: str
    inputs: dict[str, Any]
    expected: list[Any]
    atol: float = 1e-3


def read_recorded_numbers(path: Path) -> RecordedNumbers:
    """Read the numbers, or skip the test when there are none yet."""
    if not path.exists():
        pytest.skip(f"no recorded numbers yet: put the original's outputs into {path}")
    content = json.loads(path.read_text(encoding="utf-8"))
    folder = path.parent / content["checkpoint"]
    if folder.is_dir():
        content["checkpoint"] = str(folder)
    return RecordedNumbers(**content)


def check_recorded_numbers(path: Path, package: str) -> None:
    """Compare the first output of a saved checkpoint with what the original returned.

    Args:
        path: the file of recorded numbers.
        package: the model's package, where the class is found by its name.
    """
    recorded = read_recorded_numbers(path)
    model_class = getattr(importlib.import_module(package), recorded.architecture)
    model: PreTrainedModel = model_class.from_pretrained(recorded.checkpoint)
    inputs = {name: torch.tensor(values) for name, values in recorded.inputs.items()}
    with torch.no_grad():
        outputs: ModelOutput = model(**inputs)
    expected = torch.tensor(recorded.expected)
    first_values = outputs[0][tuple(slice(size) for size in expected.shape)]
    torch.testing.assert_close(first_values, expected, rtol=0.0, atol=recorded.atol)
