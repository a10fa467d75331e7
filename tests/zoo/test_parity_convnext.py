"""ConvNeXt here against ConvNeXt in Transformers: same weights, same numbers, on configurations drawn at random."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from add_model.zoo.models import convnext as ours

from .parity import (
    OF_TEXTS,
    PARITY_SETTINGS,
    SEQUENCE_LABELS,
    TOLERANCE,
    assert_same_config,
    assert_same_gradients,
    assert_same_outputs,
    copy_weights,
    make_images,
)

HEADS = ("ConvNextModel", "ConvNextForImageClassification", "ConvNextBackbone")
SMALL: dict[str, Any] = {"num_stages": 2, "hidden_sizes": [6, 8], "depths": [1, 2], "num_labels": 2}
CONVNEXT_SETTINGS = settings(PARITY_SETTINGS, max_examples=8)

# Many random configurations against the published implementation.
pytestmark = pytest.mark.slow


@st.composite
def convnext_options(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the arguments of a configuration, the same for both libraries."""
    stages = draw(st.integers(1, 4))
    return {
        "num_channels": draw(st.integers(1, 4)),
        "patch_size": draw(st.integers(1, 4) | st.sampled_from([[2, 3], [4, 1]])),
        "num_stages": stages,
        # The fewer channels there are, the more their normalisation enlarges what is left to rounding.
        "hidden_sizes": draw(st.lists(st.integers(4, 12), min_size=stages, max_size=stages)),
        "depths": draw(st.lists(st.integers(0, 3), min_size=stages, max_size=stages)),
        "hidden_act": draw(st.sampled_from(["gelu", "gelu_new", "relu"])),
        "layer_norm_eps": draw(st.sampled_from([1e-12, 1e-3])),
        "layer_scale_init_value": draw(st.sampled_from([0.0, 1e-6, 0.5])),
        "drop_path_rate": draw(st.sampled_from([0.0, 0.3])),
        "out_indices": draw(st.sets(st.integers(0, stages), min_size=1).map(sorted)),
        "num_labels": draw(st.integers(0, 4)),
    }


def build_pair(head: str, options: dict[str, Any], seed: int) -> tuple[Any, Any]:
    """Return Transformers' model with random weights and ours filled with them, both in evaluation mode."""
    torch.manual_seed(seed)
    theirs = getattr(transformers, head)(transformers.ConvNextConfig(**options))
    mine = getattr(ours, head)(ours.ConvNextConfig(**options))
    copy_weights(theirs, mine)
    with torch.no_grad():
        for name, weight in theirs.named_parameters():
            if "layer_scale_parameter" in name:
                # Larger than the first ones, so that what the layers add can be seen.
                weight.normal_()
    mine.load_state_dict(theirs.state_dict(), strict=True)
    theirs.load_state_dict(mine.state_dict(), strict=True)
    return theirs.eval(), mine.eval()


def draw_inputs(head: str, options: dict[str, Any], seed: int, height: int = 33, width: int = 40) -> dict[str, Any]:
    """Return random images, and the labels of a head."""
    inputs = make_images(seed, 2, options.get("num_channels", 3), height, width)
    number = options["num_labels"]
    if head == "ConvNextForImageClassification" and number > 0:
        generator = torch.Generator().manual_seed(seed)
        labels = torch.randint(number, (2,), generator=generator)
        inputs["labels"] = labels.float() if number == 1 else labels
    return inputs


@pytest.mark.parametrize("head", HEADS)
@CONVNEXT_SETTINGS
@given(options=convnext_options(), seed=st.integers(0, 2**16), height=st.integers(32, 45), width=st.integers(32, 45))
def test_outputs_losses_hidden_states_and_gradients(
    head: str, options: dict[str, Any], seed: int, height: int, width: int
) -> None:
    theirs, mine = build_pair(head, options, seed)
    inputs = draw_inputs(head, options, seed, height, width)
    with torch.no_grad():
        for wanted in (False, True):
            expected, actual = (model(**inputs, output_hidden_states=wanted) for model in (theirs, mine))
            assert (expected.get("hidden_states") is None) == (actual.hidden_states is None)
            assert_same_outputs(expected, actual)
    if "labels" in inputs:
        assert_same_gradients(theirs, mine, inputs)


@CONVNEXT_SETTINGS
@given(options=convnext_options(), seed=st.integers(0, 2**16))
def test_training_leaves_out_the_layers_that_the_published_model_leaves_out(
    options: dict[str, Any], seed: int
) -> None:
    theirs, mine = build_pair("ConvNextModel", {**options, "drop_path_rate": 0.6}, seed)
    images = draw_inputs("ConvNextModel", options, seed)
    results = []
    for model in (theirs.train(), mine.train()):
        torch.manual_seed(seed)
        results.append(model(**images).last_hidden_state)
    torch.testing.assert_close(results[1], results[0], atol=TOLERANCE, rtol=TOLERANCE)


@pytest.mark.parametrize("case", SEQUENCE_LABELS)
def test_losses_of_problem_types(case: str) -> None:
    number, problem_type, labels = SEQUENCE_LABELS[case]
    options = {**SMALL, "num_labels": number, "problem_type": problem_type}
    theirs, mine = build_pair("ConvNextForImageClassification", options, seed=0)
    images = make_images(0, 3, 3, 12, 12)
    with torch.no_grad():
        assert_same_outputs(theirs(**images, labels=labels), mine(**images, labels=labels))


@CONVNEXT_SETTINGS
@given(options=convnext_options())
def test_config_json_both_ways(tmp_path_factory: pytest.TempPathFactory, options: dict[str, Any]) -> None:
    assert_same_config(transformers.ConvNextConfig, ours.ConvNextConfig, options, tmp_path_factory.mktemp("config"))


def test_defaults_are_published() -> None:
    published, mine = transformers.ConvNextConfig().to_dict(), ours.ConvNextConfig().to_dict()
    for name, value in mine.items():
        if name not in OF_TEXTS:
            found = published[name]
            assert (list(found) if isinstance(found, tuple) else found) == value, name


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.filterwarnings("error:.* was filled from")
def test_checkpoints_both_ways(head: str, tmp_path: Path) -> None:
    theirs, mine = build_pair(head, {**SMALL, "out_features": ["stem", "stage2"]}, seed=0)
    images = make_images(0, 2, 3, 12, 12)
    theirs.save_pretrained(tmp_path / "published")
    mine.save_pretrained(tmp_path / "ours")
    loaded = type(mine).from_pretrained(tmp_path / "published")
    again, report = type(theirs).from_pretrained(tmp_path / "ours", output_loading_info=True)
    assert not any(report[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    with torch.no_grad():
        expected = theirs(**images)
        for model in (loaded, again.eval()):
            assert_same_outputs(expected, model(**images))
