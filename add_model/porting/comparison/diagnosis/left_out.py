"""What a recording does not hold of the place where a difference begins, so that some causes could not be tested."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from add_model.porting.comparison.comparing import Comparison
from add_model.porting.recording.file import Call, ParameterRecord, Recording
from add_model.porting.recording.writer import ON_META

_BITS = {"BOOL": 8, "BF16": 16}
_MEGABYTE = 1 << 20


def left_out(comparison: Comparison) -> str | None:
    """What has to be recorded anew, and how, before every known cause can be tested; `None` where nothing is missing."""
    place = comparison.place
    if place is None:
        return None
    if any(record is not None and record.rows is not None for record in place.row.records):
        return "only a part of its values is in the recordings; record both again with a larger --limit"
    sides = ((comparison.new, place.new), (comparison.original, place.original))
    return (
        "; ".join(_said(recording, call) for recording, call in sides if call and any(_missing(recording, call)))
        or None
    )


def _said(recording: Recording, call: Call) -> str:
    without_values = [name for name in _missing(recording, call) if name in recording.model.get(ON_META, ())]
    if without_values:
        return f"{without_values[0]} was on the device meta when {recording.path.name} was recorded, without values: record it again with the model in memory, not offloaded (no device_map, no init_empty_weights)"  # fmt: skip
    name = max(_missing(recording, call), key=lambda name: _size(recording, name))
    room = _room_for(recording, name)
    return f"{name} is not in {recording.path.name}: record it again with --parameters {room}MB"


def _missing(recording: Recording, call: Call) -> Iterator[str]:
    """The parameters of a submodule, and of those that it calls itself, whose values were not kept."""
    paths = {call.path, *(each.path for each in recording.calls if each.parent == call.index)}
    for name, record in recording.parameters.items():
        if record.key is None and name.rpartition(".")[0] in paths:
            yield name


def _room_for(recording: Recording, name: str) -> int:
    """How many megabytes the parameters may take so that this one is kept: the smaller ones come before it."""
    largest = _size(recording, name)
    own = (each for each, record in recording.parameters.items() if record.same_as is None)
    sizes = (_size(recording, each) for each in own)
    return -(-sum(size for size in sizes if size <= largest) // _MEGABYTE)


def _size(recording: Recording, name: str) -> int:
    record: ParameterRecord = recording.parameters[name]
    bits = _BITS.get(record.dtype) or int("".join(filter(str.isdigit, record.dtype)) or 32)
    return prod(record.shape) * bits // 8
