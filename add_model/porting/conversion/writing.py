"""Converts a checkpoint: every weight of the new model is filled once, one after the other, and written as it comes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import torch

from add_model.errors import AddModelError
from add_model.porting.checkpoints.formats import Weight
from add_model.porting.checkpoints.shards import ShardsWriter, make_shards, pieces
from add_model.porting.checkpoints.staged import StagedFolder, staged_folder
from add_model.porting.conversion.configuration import CONFIG_FILE_NAME, config_text
from add_model.porting.conversion.plan import Filling
from add_model.porting.conversion.report import Conversion, report, type_name
from add_model.porting.destinations import destination

REPORT_FILE_NAME = "conversion.json"
SHARD_BYTES = 5 * 10**9
Advance = Callable[[int, int], None]


def convert(
    conversion: Conversion,
    out: Path,
    *,
    replace: bool = False,
    accept_not_finite: bool = False,
    shard_bytes: int = SHARD_BYTES,
    advance: Advance = lambda done, total: None,
) -> list[str]:
    """Writes the new model's weights, its `config.json` and the report into a folder; returns the files' names.

    No more than one weight of the checkpoint, or the few that are joined, and what becomes of it is in memory.

    Args:
        conversion: a conversion whose plan has no problems.
        out: the folder, which appears as a whole or not at all.
        replace: whether a folder that holds something may be replaced.
        accept_not_finite: whether weights may hold NaN or infinity.
        shard_bytes: how large a file of weights may become.
        advance: told how many bytes of how many are written.

    Raises:
        AddModelError: the folder cannot be written, a weight of the checkpoint is damaged or not finite, or tied
            weights differ.
    """
    destination(out, "--out")
    if out.exists() and not out.is_dir():
        raise AddModelError(f"{out}: is a file; pass a folder with --out")
    if Path.cwd().resolve().is_relative_to(out.resolve()):
        raise AddModelError(
            f"{out}: is the folder that the command runs in, or one around it; pass another with --out"
        )
    if out.is_dir() and any(out.iterdir()) and not replace:
        raise AddModelError(f"{out}: is not empty; pass another folder with --out, or --force to replace the weights in it")  # fmt: skip
    plan = conversion.plan
    written = plan.written
    shards = make_shards(written, shard_bytes)
    with staged_folder(out) as folder:
        run = _Run(conversion, ShardsWriter(folder, shards), accept_not_finite, advance)
        run.fill()
        run.compare_repeated()
        _write_text(folder, CONFIG_FILE_NAME, config_text(conversion.choice, _main_type(written)))
        document = {**report(conversion), "files": [shard.file_name for shard in shards]}
        _write_text(folder, REPORT_FILE_NAME, json.dumps(document, indent=2) + "\n")
        return folder.names


class _Run:
    """A conversion that is under way."""

    def __init__(
        self, conversion: Conversion, writer: ShardsWriter, accept_not_finite: bool, advance: Advance
    ) -> None:
        self._conversion, self._writer, self._advance = conversion, writer, advance
        self._accept_not_finite = accept_not_finite
        self._checkpoint, self._plan = conversion.checkpoint, conversion.plan
        self._done, self._total = 0, sum(weight.bytes for weight in conversion.plan.written.values())

    def fill(self) -> None:
        """Writes every weight."""
        copies: dict[str, list[str]] = {}
        for name, original in self._plan.shared.items():
            copies.setdefault(original, []).append(name)
        for filling in self._plan.fillings:
            tensors = self._results(filling)
            for target in filling.targets:
                # What has been written must not stay in memory.
                tensor = tensors.pop(0)
                for name in (target, *copies.get(target, ())):
                    self._write(name, tensor, ", ".join(filling.move.sources))
                del tensor
            self._checkpoint.release()
        for name, tensor in self._kept_buffers():
            self._write(name, tensor, "the new model itself")
        for name, number in self._plan.constants.items():
            weight = self._plan.written[name]
            self._write(name, torch.full(weight.shape, number, dtype=weight.dtype), "the rules")

    def compare_repeated(self) -> None:
        """Compares weights that are said to be the same.

        Raises:
            AddModelError: two of them differ.
        """
        fillings = {target: filling for filling in self._plan.fillings for target in filling.targets}
        for repeat in self._plan.repeats:
            (name,) = repeat.targets
            original = fillings[name]
            before = self._results(original)[original.targets.index(name)]
            if not _equal(before, self._results(repeat)[0]):
                names = " and ".join(", ".join(filling.move.sources) for filling in (original, repeat))
                # No configuration unties anything else.
                is_table = before.dim() == 2
                remedy = "set tie_word_embeddings to false in the configuration, or " if is_table else ""
                raise AddModelError(f"{names} of the checkpoint differ, but {self._conversion.choice.class_name} ties them; {remedy}drop one of them")  # fmt: skip
            del before
            self._checkpoint.release()
        for name, original_name in self._plan.repeated.items():
            if not _equal(self._checkpoint.read(name), self._checkpoint.read(original_name)):
                raise AddModelError(f"{name} and {original_name} of the checkpoint differ, although a [[share]] rule says that they are one; remove the rule, and fill both")  # fmt: skip
            self._checkpoint.release()

    def _results(self, filling: Filling) -> list[torch.Tensor]:
        tensors = [self._checkpoint.read(name) for name in filling.move.sources]
        for operation in filling.operations:
            tensors = operation.apply(tensors)
            if operation.copies:
                # A reshape may be a view of what was read; its memory is kept then as long as the view is.
                self._checkpoint.release()
        return tensors

    def _write(self, name: str, tensor: torch.Tensor, source: str) -> None:
        if not self._writer.write(name, tensor) and not self._accept_not_finite:
            raise AddModelError(f"{name}, from {source}: holds NaN or infinity; fetch the checkpoint again, or pass --accept-not-finite if it is meant to")  # fmt: skip
        self._done += tensor.numel() * tensor.element_size()
        self._advance(self._done, self._total)

    def _kept_buffers(self) -> Iterator[tuple[str, torch.Tensor]]:
        kept = [name for name in self._plan.kept if name not in self._plan.constants]
        if not kept:
            return
        choice = self._conversion.choice
        model = self._conversion.subject.build_buffers(choice.config, choice.class_name)
        buffers = dict(model.named_buffers())
        yield from ((name, buffers[name]) for name in kept)


def _equal(first: torch.Tensor, second: torch.Tensor) -> bool:
    """Whether two tensors hold the same values, compared piece by piece."""
    if first.dtype != second.dtype:
        return False
    return all(torch.equal(left, right) for left, right in zip(pieces(first), pieces(second), strict=True))


def _main_type(weights: Mapping[str, Weight]) -> str:
    sizes: Counter[torch.dtype] = Counter()
    for weight in weights.values():
        # Eight bits are a way to store weights; no model computes in them, and none is loaded as such.
        if weight.dtype.is_floating_point and weight.dtype.itemsize > 1:
            sizes[weight.dtype] += weight.bytes
    return type_name(sizes.most_common(1)[0][0]) if sizes else "float32"


def _write_text(folder: StagedFolder, name: str, text: str) -> None:
    folder.create(name).write(text.encode("utf-8"))
