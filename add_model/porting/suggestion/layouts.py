"""How the shape of a unit becomes that of another: as it is, transposed, reshaped, or with its axes in another order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from add_model.porting.checkpoints.concepts import Meaning
from add_model.porting.checkpoints.units import Unit
from add_model.porting.rules.operations import Operation, Permute, Reshape, Transpose

# Kernels are stored as (size, in, out) where PyTorch stores (out, in, size), with one to three axes of size. PyTorch
# stores those of a transposed convolution as (in, out, size), and others as (size, in, out), reversed along each size,
# or as (size, out, in).
_CONVOLUTIONS = {3: (2, 1, 0), 4: (3, 2, 0, 1), 5: (4, 3, 0, 1, 2)}
_TRANSPOSED = {3: (1, 2, 0), 4: (2, 3, 0, 1), 5: (3, 4, 0, 1, 2)}


@dataclass(frozen=True)
class Layout:
    """How a matrix, or the kernel of a convolution, is stored.

    Attributes:
        output_first: whether it is (output size, input size); `None` where nothing tells.
        is_table: whether it is a table of vectors, which nobody transposes.
        is_told: whether something about this very matrix tells it, and not only that others are stored so.
    """

    output_first: bool | None = None
    is_table: bool = False
    is_told: bool = False


def find_layouts(
    units: Sequence[Unit],
    meanings: Sequence[Meaning],
    kind_of: Callable[[Unit], str],
    known: Mapping[str, bool] | None = None,
) -> list[Layout]:
    """How each unit is stored: a bias beside a matrix tells its output size, and matrices of one kind are alike.

    Args:
        units: the units of one side.
        meanings: what their names mean.
        kind_of: what has to be equal for two units to be stored alike.
        known: kind -> whether the output size is its first.
    """
    known = known or {}
    biases = {unit.parents[0]: unit.shape[0] for unit, found in zip(units, meanings, strict=True) if found.role == "bias" and len(unit.shape) == 1 and unit.parents}  # fmt: skip
    told: list[bool | None] = []
    for unit, found in zip(units, meanings, strict=True):
        size = biases.get(unit.parents[0]) if unit.parents and found.role == "weight" else None
        matrix = _without_ones(unit.shape)
        if kind_of(unit) in known:
            told.append(known[kind_of(unit)])
        elif len(matrix) == 2 and matrix[0] != matrix[1] and size in matrix:
            told.append(matrix[0] == size)
        else:
            told.append(None)
    votes: dict[str, Counter[bool]] = {}
    for unit, vote in zip(units, told, strict=True):
        if vote is not None:
            votes.setdefault(kind_of(unit), Counter())[vote] += 1
    # Matrices say nothing of how kernels are stored, nor kernels of matrices; nor do the weights of layers say how a
    # model multiplies by a matrix that is its own parameter.
    everybody: dict[bool, Counter[bool]] = {True: Counter(), False: Counter()}
    for unit, found, vote in zip(units, meanings, told, strict=True):
        if vote is not None and len(_without_ones(unit.shape)) == 2:
            everybody[is_bare(found)][vote] += 1
    layouts = []
    for unit, found, vote in zip(units, meanings, told, strict=True):
        is_told = vote is not None
        if vote is None:
            vote = _agreed(votes.get(kind_of(unit)) or everybody[is_bare(found)])
        layouts.append(
            Layout(vote, is_table="EMBEDDING" in found.concepts and found.role == "weight", is_told=is_told)
        )
    return layouts


def is_bare(found: Meaning) -> bool:
    """Whether a weight is a parameter that a larger module has itself, and not what a module of its own consists of."""
    return not found.leaf


def compared_layouts(
    old: Sequence[Unit],
    old_meanings: Sequence[Meaning],
    old_layouts: Sequence[Layout],
    new: Sequence[Unit],
    new_layouts: Sequence[Layout],
) -> list[Layout]:
    """The layouts of the old side, where nothing on it tells them: those with which more shapes are on both sides."""
    for bare in (True, False):
        here = [number for number, found in enumerate(old_meanings) if is_bare(found) is bare]
        told = _compared([old[number] for number in here], [old_layouts[number] for number in here], new, new_layouts)
        old_layouts = list(old_layouts)
        for number, layout in zip(here, told, strict=True):
            old_layouts[number] = layout
    return list(old_layouts)


def _compared(
    old: Sequence[Unit], old_layouts: Sequence[Layout], new: Sequence[Unit], new_layouts: Sequence[Layout]
) -> list[Layout]:
    wanted = Counter(unit.shape for unit, layout in zip(new, new_layouts, strict=True) if _can_turn(unit, layout))
    ways = Counter(layout.output_first for unit, layout in zip(new, new_layouts, strict=True) if _can_turn(unit, layout))  # fmt: skip
    offered = Counter(unit.shape for unit, layout in zip(old, old_layouts, strict=True) if _can_turn(unit, layout))
    straight = (wanted & offered).total()
    turned = (wanted & Counter({shape[::-1]: number for shape, number in offered.items()})).total()
    way = next(iter(ways)) if len(ways) == 1 else None
    if way is None or straight == turned:
        return list(old_layouts)
    seen = way if straight > turned else not way
    return [
        layout if layout.output_first is not None else replace(layout, output_first=seen) for layout in old_layouts
    ]


def _can_turn(unit: Unit, layout: Layout) -> bool:
    # Heads are often tables, which are stored in one way whatever the layers do.
    is_in_layers = () not in unit.names
    return is_in_layers and len(unit.shape) == 2 and unit.shape[0] != unit.shape[1] and not layout.is_table


def steps_between(
    old: tuple[int, ...], new: tuple[int, ...], old_layout: Layout, new_layout: Layout
) -> tuple[tuple[Operation, ...], bool] | None:
    """The steps from one shape to the other, and whether they are certain; `None` where there are none."""
    if len(old) == 2 and new in (old, old[::-1]):
        return _matrix_steps(old, new, old_layout, new_layout)
    kernel = _kernel_steps(old, new, old_layout, new_layout) if len(old) == len(new) > 2 else None
    if kernel is not None or old == new:
        return kernel or ((), True)
    slim, wanted = _without_ones(old), _without_ones(new)
    if len(slim) == 2 and wanted in (slim, slim[::-1]):
        inner = _matrix_steps(slim, wanted, old_layout, new_layout)
        if inner is None:
            return None
        before: tuple[Operation, ...] = () if slim == old else (Reshape(slim),)
        behind: tuple[Operation, ...] = () if wanted == new else (Reshape(new),)
        return (*before, *inner[0], *behind), inner[1]
    return ((Reshape(new),), True) if slim == wanted else None


def _kernel_steps(
    old: tuple[int, ...], new: tuple[int, ...], old_layout: Layout, new_layout: Layout
) -> tuple[tuple[Operation, ...], bool] | None:
    """The steps between kernels of convolutions, or other weights of as many axes; `None` where these do not lead there."""
    if len(old) not in _CONVOLUTIONS or len(_without_ones(old)) < 2:
        return None
    straight, turned = _CONVOLUTIONS[len(old)], _TRANSPOSED[len(old)]
    fits, fits_turned = (tuple(old[axis] for axis in axes) == new for axes in (straight, turned))
    is_transposed = new_layout.is_told and new_layout.output_first is False
    if old == new:
        if not new_layout.is_told and len(old) == 3 and old[1] == old[2]:
            # A stack of square matrices; how single ones are stored says nothing of it.
            return (), False
        is_kernel = old_layout.is_told and old_layout.output_first is False
        return ((Permute(straight),), not is_transposed) if fits and is_kernel else ((), not fits)
    if is_transposed and (fits or fits_turned):
        return (Permute(turned if fits_turned else straight),), False
    return ((Permute(straight),), True) if fits else None


def _matrix_steps(
    old: tuple[int, ...], new: tuple[int, ...], old_layout: Layout, new_layout: Layout
) -> tuple[tuple[Operation, ...], bool] | None:
    is_known = old_layout.output_first is not None and new_layout.output_first is not None
    turned = old_layout.output_first != new_layout.output_first
    steps = (Transpose(0, 1),)
    if old_layout.is_table or new_layout.is_table:
        return ((), True) if old == new else (steps, False)
    if old[0] == old[1]:
        return (steps if is_known and turned else (), is_known)
    contradicts = is_known and turned != (old != new)
    if contradicts and old_layout.is_told and new_layout.is_told:
        return None
    return (() if old == new else steps), old == new or not contradicts


def _without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(size for size in shape if size != 1)


def _agreed(votes: Counter[bool]) -> bool | None:
    return next(iter(votes)) if len(votes) == 1 else None
