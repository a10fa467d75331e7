"""What is not marked unsure is true of modules that none of the bundled models has, and of weights stored in parts."""

import re
from collections.abc import Callable

import pytest
import torch
from torch import nn

from add_model.porting.rules.rule import Fill
from tests.porting.foreign_checkpoints import Weights
from tests.porting.judged import Judged, judged_module


class Layer(nn.Module):
    """A layer that consists of these."""

    def __init__(self, **parts: nn.Module | nn.Parameter) -> None:
        super().__init__()
        for name, part in parts.items():
            setattr(self, name, part)


def layers(make: Callable[[], nn.Module]) -> nn.Module:
    return Layer(layers=nn.ModuleList([make() for _ in range(3)]))


def suggested(make: Callable[[], nn.Module], stored: Callable[[str, torch.Tensor], Weights]) -> Judged:
    """What is suggested for layers whose weights are stored one by one under other names, or as several."""
    return judged_module(
        layers(make),
        lambda weights: {
            part: value for name, tensor in weights.items() for part, value in stored(name, tensor).items()
        },
    )


def kernels(axes: dict[int, tuple[int, ...]]) -> Callable[[str, torch.Tensor], Weights]:
    """Weights as kernels, with their axes in this order."""
    return lambda name, tensor: {name.replace("weight", "kernel"): tensor.permute(axes.get(tensor.dim(), tuple(range(tensor.dim()))))}  # fmt: skip


INPUT_FIRST = {2: (1, 0), 3: (2, 1, 0), 4: (2, 3, 1, 0), 5: (2, 3, 4, 1, 0)}
PARTS: dict[str, Callable[[str, torch.Tensor], Weights]] = {
    "its length": lambda name, tensor: {f"{name}_g": tensor.norm(dim=1, keepdim=True), f"{name}_v": 2 * tensor},
    "its length, as a parametrization": lambda name, tensor: {
        f"parametrizations.{name}.original0": tensor.norm(dim=1, keepdim=True),
        f"parametrizations.{name}.original1": 2 * tensor,
    },
    "its singular vectors": lambda name, tensor: {f"{name}_orig": 2 * tensor, f"{name}_u": tensor[:, 0], f"{name}_v": tensor[0]},
    "what is pruned": lambda name, tensor: {f"{name}_orig": 2 * tensor, f"{name}_mask": (tensor > 0).float()},
    "a scale": lambda name, tensor: {name: 2 * tensor, f"{name}_scale": torch.tensor([[0.5]])},
    "a scale of small numbers": lambda name, tensor: {name: (2 * tensor).to(torch.float8_e4m3fn).half(), f"{name}_scale_inv": torch.tensor([[0.5]])},
    "an adapter": lambda name, tensor: {
        name.replace("weight", "base_layer.weight"): tensor - 1,
        name.replace("weight", "lora_A.default.weight"): torch.ones(1, 4),
        name.replace("weight", "lora_B.default.weight"): torch.ones(6, 1),
    },
    "an adapter in it": lambda name, tensor: {
        name: tensor - 1,
        name.replace("weight", "lora_A"): torch.ones(1, 4),
        name.replace("weight", "lora_B"): torch.ones(6, 1),
    },
}  # fmt: skip


@pytest.mark.parametrize("parts", PARTS)
def test_what_is_one_part_of_a_weight_is_not_taken_for_it(parts: str) -> None:
    found = suggested(lambda: Layer(fc=nn.Linear(4, 6, bias=False)), PARTS[parts])
    assert not found.wrong and not found.right and not found.dropped
    assert any(isinstance(rule, Fill) and ("one part of a weight" in rule.note or "do not tell" in rule.note) for rule in found.unsure)  # fmt: skip


def test_what_is_left_of_another_module_casts_no_doubt() -> None:
    def stored(name: str, tensor: torch.Tensor) -> Weights:
        return {name: tensor, re.sub(r"fc\.\w+", "rel.weight", name): torch.ones(9), "mask_token": torch.ones(5)}

    found = suggested(lambda: Layer(fc=nn.Linear(4, 6)), stored)
    assert not found.wrong and not found.missing


def test_a_kernel_is_turned_though_its_shape_stays_the_same() -> None:
    found = suggested(lambda: Layer(conv=nn.Conv1d(3, 3, 3), fc=nn.Linear(3, 5)), kernels(INPUT_FIRST))
    assert not found.wrong and not found.unsure and not found.missing


def test_a_kernel_of_three_axes_is_turned() -> None:
    found = suggested(lambda: Layer(conv=nn.Conv3d(3, 5, 2)), kernels(INPUT_FIRST))
    assert not found.wrong and not found.unsure and not found.missing


@pytest.mark.parametrize("leaf", ["kernel", "weight"])
def test_a_matrix_that_becomes_a_convolution_is_turned_before_that(leaf: str) -> None:
    def stored(name: str, tensor: torch.Tensor) -> Weights:
        return {name.replace("weight", leaf): tensor[..., 0].T if tensor.dim() == 3 else tensor}

    found = suggested(lambda: Layer(query=nn.Conv1d(6, 6, 1), up=nn.Conv1d(6, 8, 1)), stored)
    assert not found.wrong and not found.unsure and not found.missing


@pytest.mark.parametrize("axes", [(2, 0, 1), (2, 1, 0)])
def test_the_kernel_of_a_transposed_convolution_is_unsure(axes: tuple[int, ...]) -> None:
    """Some frameworks store it reversed, some with its output first, and no shape shows it."""
    found = suggested(lambda: Layer(up=nn.ConvTranspose1d(6, 6, 4, bias=False)), kernels({3: axes}))
    assert not found.wrong and not found.right and found.unsure


def test_a_transposed_convolution_that_stays_as_it_is_is_sure() -> None:
    found = suggested(lambda: Layer(up=nn.ConvTranspose1d(6, 6, 4)), lambda name, tensor: {f"model.{name}": tensor})
    assert not found.wrong and not found.unsure and not found.missing


def test_whether_a_stack_of_square_matrices_is_turned_is_unsure() -> None:
    def experts() -> nn.Module:
        return Layer(gate=nn.Linear(8, 4, bias=False), experts=Layer(down_proj=nn.Parameter(torch.zeros(4, 8, 8))))

    found = suggested(experts, lambda name, tensor: {name: tensor.mT if tensor.dim() == 3 else tensor})
    assert not found.wrong and any("down_proj" in str(rule) for rule in found.unsure)


def test_attention_over_images_may_be_stored_head_by_head_under_any_name() -> None:
    def stored(weights: Weights) -> Weights:
        result = {}
        for name in (name for name in weights if "to_q" in name):
            parts = [weights[name.replace("to_q", part)].chunk(2) for part in ("to_q", "to_k", "to_v")]
            fused = torch.cat([part[head] for head in range(2) for part in parts])
            result[name.replace("to_q", "qkv")] = fused[..., None] if fused.dim() == 2 else fused
        return result

    attention = layers(lambda: Layer(to_q=nn.Linear(8, 8), to_k=nn.Linear(8, 8), to_v=nn.Linear(8, 8)))
    found = judged_module(attention, stored)
    assert not found.wrong and not found.right and len(found.unsure) == 2


def test_only_what_hides_something_is_a_mask() -> None:
    """A kernel of size one has the shape of a mask, and the values of one that hides nothing."""
    found = suggested(
        lambda: Layer(conv=nn.Conv2d(1, 1, 1)), lambda name, tensor: {name.replace("conv", "proj"): tensor}
    )
    assert not found.wrong and not found.dropped and not found.missing


def test_what_the_new_model_has_to_be_filled_with_is_not_dropped_for_its_name() -> None:
    def masked() -> nn.Module:
        return Layer(fc=nn.Linear(4, 6), mask=nn.Parameter(torch.zeros(6)))

    found = suggested(masked, lambda name, tensor: {name.replace("layers", "blocks"): tensor})
    assert not found.wrong and not found.dropped and not found.missing


def test_a_scalar_is_made_of_a_vector_of_one() -> None:
    found = suggested(
        lambda: Layer(logit_scale=nn.Parameter(torch.tensor(1.0))), lambda name, tensor: {name: tensor[None]}
    )
    assert not found.wrong and not found.unsure and not found.missing
