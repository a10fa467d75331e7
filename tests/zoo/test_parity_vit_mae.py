"""ViTMAE here against ViTMAE in Transformers: same weights, same numbers, on configurations drawn at random."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st

from add_model.zoo.models import vit_mae as ours

from .parity import (
    OF_TEXTS,
    PARITY_SETTINGS,
    assert_same_config,
    assert_same_gradients,
    assert_same_outputs,
    copy_weights,
    make_images,
)

HEADS = ("ViTMAEModel", "ViTMAEForPreTraining")
BATCH = 2
SMALL: dict[str, Any] = {
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 9,
    "image_size": 12,
    "patch_size": 4,
    "num_channels": 3,
    "decoder_hidden_size": 12,
    "decoder_num_hidden_layers": 1,
    "decoder_num_attention_heads": 3,
    "decoder_intermediate_size": 7,
}

# Many random configurations against the published implementation.
pytestmark = pytest.mark.slow


@st.composite
def mae_options(draw: Callable[..., Any]) -> dict[str, Any]:
    """Draw the arguments of a configuration, the same for both libraries."""
    heads, decoder_heads = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    patch_size = draw(st.integers(2, 5))
    return {
        "hidden_size": 4 * heads * draw(st.integers(1, 3)),
        "num_hidden_layers": draw(st.integers(1, 3)),
        "num_attention_heads": heads,
        "intermediate_size": draw(st.integers(1, 30)),
        "hidden_act": draw(st.sampled_from(["gelu", "gelu_new", "relu"])),
        "layer_norm_eps": draw(st.sampled_from([1e-12, 1e-5])),
        "image_size": patch_size * draw(st.integers(2, 4)),
        "patch_size": patch_size,
        "num_channels": draw(st.integers(1, 4)),
        "qkv_bias": draw(st.booleans()),
        "decoder_hidden_size": 4 * decoder_heads * draw(st.integers(1, 2)),
        "decoder_num_hidden_layers": draw(st.integers(1, 2)),
        "decoder_num_attention_heads": decoder_heads,
        "decoder_intermediate_size": draw(st.integers(1, 30)),
        "mask_ratio": draw(st.sampled_from([0.25, 0.5, 0.75])),
        "norm_pix_loss": draw(st.booleans()),
    }


def build_pair(head: str, options: dict[str, Any], implementation: str) -> tuple[Any, Any]:
    """Return Transformers' model with random weights and ours filled with them, both in evaluation mode."""
    theirs = getattr(transformers, head)(transformers.ViTMAEConfig(**options, attn_implementation=implementation))
    mine = getattr(ours, head)(ours.ViTMAEConfig(**options, attention_implementation=implementation))
    with torch.no_grad():
        # Built from a configuration, the published model leaves its positions at zero.
        for name, weight in theirs.named_parameters():
            if "pos" in name:
                weight.normal_()
    copy_weights(theirs, mine)
    theirs.load_state_dict(mine.state_dict(), strict=True)
    return theirs.eval(), mine.eval()


def draw_inputs(options: dict[str, Any], seed: int, rows: int = 0, columns: int = 0) -> dict[str, torch.Tensor]:
    """Return random images of that many patches, or of the configured size, and noise."""
    patch_size = options["patch_size"]
    rows, columns = rows or options["image_size"] // patch_size, columns or options["image_size"] // patch_size
    inputs = make_images(seed, BATCH, options["num_channels"], rows * patch_size, columns * patch_size)
    generator = torch.Generator().manual_seed(seed)
    return {**inputs, "noise": torch.rand(BATCH, rows * columns, generator=generator)}


@pytest.mark.parametrize("head", HEADS)
@PARITY_SETTINGS
@given(options=mae_options(), seed=st.integers(0, 2**16), implementation=st.sampled_from(["eager", "sdpa"]))
def test_outputs_losses_hidden_states_and_attentions(
    head: str, options: dict[str, Any], seed: int, implementation: str
) -> None:
    torch.manual_seed(seed)
    theirs, mine = build_pair(head, options, implementation)
    wanted = {"output_hidden_states": True, "output_attentions": implementation == "eager"}
    inputs = draw_inputs(options, seed)
    with torch.no_grad():
        assert_same_outputs(theirs(**inputs, **wanted), mine(**inputs, **wanted))


@PARITY_SETTINGS
@given(options=mae_options(), seed=st.integers(0, 2**16), rows=st.integers(2, 5), columns=st.integers(2, 5))
def test_images_of_another_size(options: dict[str, Any], seed: int, rows: int, columns: int) -> None:
    torch.manual_seed(seed)
    theirs, mine = build_pair("ViTMAEForPreTraining", options, "sdpa")
    inputs = draw_inputs(options, seed, rows, columns)
    with torch.no_grad():
        expected, actual = (model(**inputs, interpolate_pos_encoding=True) for model in (theirs, mine))
    assert_same_outputs(expected, actual)
    size = (rows * options["patch_size"], columns * options["patch_size"])
    assert torch.equal(theirs.unpatchify(expected.logits, size), mine.unpatchify(expected.logits, size))


@PARITY_SETTINGS
@given(options=mae_options(), seed=st.integers(0, 2**16))
def test_gradients(options: dict[str, Any], seed: int) -> None:
    torch.manual_seed(seed)
    theirs, mine = build_pair("ViTMAEForPreTraining", options, "sdpa")
    assert_same_gradients(theirs, mine, draw_inputs(options, seed))


def test_the_same_patches_are_left_out_when_noise_is_drawn() -> None:
    theirs, mine = build_pair("ViTMAEModel", SMALL, "sdpa")
    images = make_images(0, BATCH, 3, 12, 12)
    outputs = []
    for model in (theirs, mine):
        torch.manual_seed(7)
        with torch.no_grad():
            outputs.append(model(**images))
    assert_same_outputs(*outputs)


def test_fixed_positions_are_those_of_the_published_code() -> None:
    from transformers.models.vit_mae.modeling_vit_mae import build_2d_sinusoidal_position_embedding

    from add_model.zoo.models.vit_mae.modeling_vit_mae import fixed_positions

    for rows, columns, size in ((3, 3, 8), (2, 5, 12), (14, 14, 768)):
        published = build_2d_sinusoidal_position_embedding(rows, columns, size, cls_token=True)
        half = size // 2
        expected = torch.cat((published[:, half:], published[:, :half]), dim=1)[None]
        torch.testing.assert_close(fixed_positions(rows, columns, size), expected, atol=1e-6, rtol=0)


@PARITY_SETTINGS
@given(options=mae_options())
def test_config_json_both_ways(tmp_path_factory: pytest.TempPathFactory, options: dict[str, Any]) -> None:
    assert_same_config(transformers.ViTMAEConfig, ours.ViTMAEConfig, options, tmp_path_factory.mktemp("config"))


def test_defaults_are_published() -> None:
    published, mine = transformers.ViTMAEConfig(), ours.ViTMAEConfig()
    for name, value in mine.to_dict().items():
        if name not in OF_TEXTS:
            assert getattr(published, name) == value, name


@pytest.mark.parametrize("head", HEADS)
def test_checkpoints_both_ways(head: str, tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    torch.manual_seed(0)
    theirs, mine = build_pair(head, SMALL, "sdpa")
    inputs = draw_inputs(SMALL, seed=0)
    theirs.save_pretrained(tmp_path / "theirs")
    mine.save_pretrained(tmp_path / "mine")
    loaded = getattr(ours, head).from_pretrained(tmp_path / "theirs")
    loaded_by_them, report = getattr(transformers, head).from_pretrained(tmp_path / "mine", output_loading_info=True)
    assert not report["missing_keys"] and not report["unexpected_keys"] and not report["mismatched_keys"]
    assert not [warning for warning in recwarn if "was filled from" in str(warning.message)]
    with torch.no_grad():
        expected = theirs(**inputs)
        assert_same_outputs(expected, loaded(**inputs))
        assert_same_outputs(loaded_by_them.eval()(**inputs), mine(**inputs))
