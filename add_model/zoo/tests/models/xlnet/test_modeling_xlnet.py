"""Tests of the XLNet models."""

from pathlib import Path
from typing import Any

import pytest
import torch

from add_model.zoo.models.xlnet import (
    XLNetConfig,
    XLNetForMultipleChoice,
    XLNetForQuestionAnsweringSimple,
    XLNetForSequenceClassification,
    XLNetForTokenClassification,
    XLNetLMHeadModel,
    XLNetModel,
)
from add_model.zoo.models.xlnet.modeling_xlnet import relative_shift

from ...test_modeling_common import Inputs, ModelTesterMixin, check_recorded_numbers, random_ids


def get_small_config() -> XLNetConfig:
    return XLNetConfig(vocab_size=61, d_model=24, n_layer=2, n_head=3, d_inner=37, num_labels=3)


def in_order(length: int) -> torch.Tensor:
    """Return the permutation mask of the order of the text: a token sees only those before it."""
    return torch.ones(2, length, length).triu()


class TestXLNetModel(ModelTesterMixin):
    config_class = XLNetConfig
    base_model_class = XLNetModel
    all_model_classes = (
        XLNetModel,
        XLNetForMultipleChoice,
        XLNetForQuestionAnsweringSimple,
        XLNetForSequenceClassification,
        XLNetForTokenClassification,
        XLNetLMHeadModel,
    )

    def get_config(self) -> XLNetConfig:
        return get_small_config()

    def get_inputs(self, config: XLNetConfig) -> Inputs:  # type: ignore[override]
        # Padding goes to the left: the last token stands for the whole text.
        inputs = {name: tensor.flip(1) for name, tensor in super().get_inputs(config).items()}
        return {**inputs, "token_type_ids": torch.tensor([[0, 0, 0, 1, 1, 1, 2], [3, 3, 0, 0, 1, 1, 2]])}

    def test_padding_changes_nothing(self, model_class: type[Any]) -> None:
        model = self.build(model_class)
        inputs = self.get_inputs_for(model_class, model.config)
        outputs = self.run(model, **inputs)[0]
        filling = {"input_ids": 5, "attention_mask": 0, "token_type_ids": 3}
        # Where the last token stands for the whole text there is no padding on the right.
        is_summed_up = model_class in (XLNetForMultipleChoice, XLNetForSequenceClassification)
        for before, after in ((3, 0), (3 if is_summed_up else 0, 0 if is_summed_up else 3)):
            padded = self.run(
                model,
                **{
                    name: torch.nn.functional.pad(tensor, (before, after), value=filling[name])
                    for name, tensor in inputs.items()
                },
            )[0]
            without_padding = padded if is_summed_up else padded[:, before : before + 7]
            torch.testing.assert_close(without_padding, outputs, rtol=1e-5, atol=1e-5)

    def test_gradients_reach_every_parameter(self, model_class: type[Any]) -> None:
        model = self.build(model_class)
        model.train()
        inputs = self.get_inputs_for(model_class, model.config)
        labels = self.get_labels_for(model_class, model.config, inputs)
        # The query stream alone starts from a parameter of its own.
        choices = inputs["input_ids"].shape[1:-1]
        inputs["target_mapping"] = torch.eye(7).expand(2, *choices, 7, 7)
        self.get_loss(model_class, model(**inputs, **labels)).backward()  # type: ignore[no-untyped-call]
        for name, parameter in model.named_parameters():
            assert parameter.grad is not None, f"{name} has no gradient"
            assert torch.isfinite(parameter.grad).all(), name

    def test_sizes_have_two_names(self) -> None:
        config = XLNetConfig(n_token=61, hidden_size=24, num_hidden_layers=2, num_attention_heads=3)
        assert (config.vocab_size, config.d_model, config.n_layer, config.n_head, config.d_head) == (61, 24, 2, 3, 8)

    def test_distances_are_shifted_to_their_keys(self) -> None:
        # Two tokens behind a memory of one: the distances 3, 2, 1, 0, -1 have the scores 3, 2, 1, 0, -1.
        scores = torch.arange(3, -2, -1).expand(1, 1, 2, 5)
        assert relative_shift(scores, key_length=3).tolist() == [[[[1, 0, -1], [2, 1, 0]]]]

    def test_a_token_is_predicted_from_those_before_it_in_the_drawn_order(self) -> None:
        model = self.build(XLNetLMHeadModel)
        input_ids = random_ids((2, 6), model.config)
        inputs = {"perm_mask": in_order(6), "target_mapping": torch.eye(6).expand(2, 6, 6)}
        before = self.run(model, input_ids=input_ids, **inputs)["logits"]
        changed_ids = input_ids.clone()
        changed_ids[:, 3] = (changed_ids[:, 3] + 1) % 61
        after = self.run(model, input_ids=changed_ids, **inputs)["logits"]
        # Neither earlier tokens nor the prediction of the token itself know it; later ones do. The first of the order
        # sees none, and takes the mean of all: there is no telling what to predict from.
        torch.testing.assert_close(after[:, 1:4], before[:, 1:4])
        assert not torch.isclose(after[:, 4:], before[:, 4:]).all(dim=-1).any()

    def test_predictions_are_those_of_the_mapping(self) -> None:
        model = self.build(XLNetLMHeadModel)
        inputs: Inputs = {"input_ids": random_ids((2, 6), model.config), "perm_mask": in_order(6)}
        everything = self.run(model, **inputs, target_mapping=torch.eye(6).expand(2, 6, 6))["logits"]
        some = self.run(model, **inputs, target_mapping=torch.eye(6)[[4, 1]].expand(2, 2, 6))["logits"]
        torch.testing.assert_close(some, everything[:, [4, 1]])

    def test_a_text_goes_on_from_memories(self) -> None:
        config = get_small_config()
        config.attn_type = "uni"
        model = self.build(XLNetModel, config)
        input_ids = random_ids((2, 7), config)
        at_once = self.run(model, input_ids=input_ids)["last_hidden_state"]
        first = self.run(model, input_ids=input_ids[:, :4])
        assert [tuple(memory.shape) for memory in first["mems"]] == [(4, 2, 24), (4, 2, 24)]
        rest = self.run(model, input_ids=input_ids[:, 4:], mems=first["mems"])
        torch.testing.assert_close(rest["last_hidden_state"], at_once[:, 4:], rtol=1e-5, atol=1e-5)
        assert {memory.shape[0] for memory in rest["mems"]} == {7}

    @pytest.mark.parametrize(
        ("mem_len", "reuse_len", "lengths"), [(None, None, [4, 8]), (5, None, [4, 5]), (0, 3, [3, 6])]
    )
    def test_memories_are_cut(self, mem_len: int | None, reuse_len: int | None, lengths: list[int]) -> None:
        config = get_small_config()
        config.mem_len, config.reuse_len = mem_len, reuse_len
        model = self.build(XLNetModel, config)
        input_ids = random_ids((2, 4), config)
        first = self.run(model, input_ids=input_ids)["mems"]
        second = self.run(model, input_ids=input_ids, mems=first)["mems"]
        assert [first[1].shape[0], second[1].shape[0]] == lengths
        if mem_len is None:
            assert torch.equal(second[1][:4], first[1])

    def test_memories_are_returned_as_configured(self) -> None:
        config = get_small_config()
        model = self.build(XLNetModel, config)
        input_ids = random_ids((2, 4), config)
        assert self.run(model, input_ids=input_ids, use_mems=False)["mems"] is None
        config.use_mems_eval = False
        assert self.run(model, input_ids=input_ids)["mems"] is None
        model.train()
        assert self.run(model, input_ids=input_ids)["mems"] is None
        config.use_mems_train = True
        memories = model(input_ids)["mems"]
        assert len(memories) == 2 and not any(memory.requires_grad for memory in memories)

    def test_segments_count_by_being_equal_or_not(self) -> None:
        model = self.build(XLNetModel)
        input_ids = random_ids((1, 4), model.config)
        segments = torch.tensor([[0, 0, 1, 1]])
        first, other, one = (
            self.run(model, input_ids=input_ids, token_type_ids=types)["last_hidden_state"]
            for types in (segments, 7 - segments, torch.zeros_like(segments))
        )
        torch.testing.assert_close(other, first)
        assert not torch.allclose(one, first)
        without = self.run(model, input_ids=input_ids)["last_hidden_state"]
        torch.testing.assert_close(without, one)

    def test_half_of_the_texts_are_read_backwards(self) -> None:
        config = get_small_config()
        config.bi_data = True
        model = self.build(XLNetModel, config)
        input_ids = random_ids((1, 5), config)
        both = self.run(model, input_ids=torch.cat((input_ids, input_ids.flip(1))))["last_hidden_state"]
        torch.testing.assert_close(both[1].flip(0), both[0], rtol=1e-5, atol=1e-5)
        with pytest.raises(ValueError, match="1 texts cannot be halved"):
            model(input_ids)

    def test_a_text_may_have_any_length_and_distances_may_be_clamped(self) -> None:
        config = get_small_config()
        assert torch.isfinite(
            self.run(self.build(XLNetModel, config), input_ids=random_ids((1, 700), config))[0]
        ).all()
        model = self.build(XLNetModel, config)
        input_ids = random_ids((1, 3), config).expand(1, 3).repeat(1, 3)
        far = self.run(model, input_ids=input_ids)[0]
        config.clamp_len = 1
        assert not torch.allclose(self.run(model, input_ids=input_ids)[0], far)
        config.clamp_len = 9
        torch.testing.assert_close(self.run(model, input_ids=input_ids)[0], far)

    @pytest.mark.parametrize("summary_type", ["first", "mean"])
    def test_other_summaries_of_a_text(self, summary_type: str) -> None:
        config = get_small_config()
        model = self.build(XLNetForSequenceClassification, config)
        input_ids = random_ids((2, 4), config)
        last = self.run(model, input_ids=input_ids)["logits"]
        config.summary_type, config.summary_use_proj = summary_type, False
        other = self.build(XLNetForSequenceClassification, config)
        assert not torch.allclose(self.run(other, input_ids=input_ids)["logits"], last)
        assert not any("sequence_summary" in name for name in other.state_dict())

    def test_vectors_can_stand_for_ids(self) -> None:
        model = self.build(XLNetModel)
        inputs = self.get_inputs(get_small_config())
        expected = self.run(model, **inputs)["last_hidden_state"]
        vectors = model.get_input_embeddings()(inputs.pop("input_ids"))
        torch.testing.assert_close(self.run(model, inputs_embeds=vectors, **inputs)["last_hidden_state"], expected)

    def test_wrong_inputs_are_refused(self) -> None:
        model = self.build(XLNetModel)
        input_ids = random_ids((1, 3), model.config)
        with pytest.raises(ValueError, match="either input_ids or inputs_embeds"):
            model(attention_mask=input_ids)
        with pytest.raises(ValueError, match="token id 61 is not in the vocabulary of 61"):
            model(torch.tensor([[61]]))
        for name, shape, wanted in (
            ("attention_mask", (1, 2), r"\(1, 3\), not \(1, 2\)"),
            ("token_type_ids", (3,), r"\(1, 3\), not \(3,\)"),
            ("perm_mask", (1, 3), r"\(1, 3, 3\), not \(1, 3\)"),
            ("target_mapping", (1, 2, 4), r"\(1, predictions, 3\), not \(1, 2, 4\)"),
        ):
            with pytest.raises(ValueError, match=f"{name} must have the shape {wanted}"):
                model(input_ids, **{name: torch.ones(shape, dtype=torch.long)})
        for mems in ([], [torch.zeros(2, 1, 24)], [torch.zeros(2, 2, 24)] * 2):
            with pytest.raises(ValueError, match="mems must be 2 tensors of the same shape"):
                model(input_ids, mems=mems)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"d_model": 10, "n_head": 3}, "multiple"),
            ({"n_head": 0}, "multiple"),
            ({"d_head": 9}, "divided by"),
            ({"attn_type": "both"}, "attn_type must be one of bi, uni"),
            ({"summary_type": "attn"}, "summary_type must be one of last, first, mean"),
        ],
    )
    def test_wrong_configurations_are_refused(self, options: dict[str, Any], message: str) -> None:
        with pytest.raises(ValueError, match=message):
            XLNetConfig(**options)

    def test_sizes_that_do_not_go_together_are_refused(self) -> None:
        with pytest.raises(ValueError, match="must be even"):
            XLNetModel(XLNetConfig(d_model=9, n_head=3))
        config = get_small_config()
        config.n_head = 4
        with pytest.raises(ValueError, match="must be n_head"):
            XLNetModel(config)

    def test_recorded_numbers(self) -> None:
        check_recorded_numbers(Path(__file__).with_name("recorded_numbers.json"), XLNetModel.__module__)
