"""What calls returned: the same in both models, or what they were given."""

from __future__ import annotations

import math

from add_model.porting.comparison.layouts import in_one_shape, sample_of, squeezed
from add_model.porting.recording.file import Recording, TensorRecord, tensors_of

# Two samples whose sizes are further apart are not of the same values.
_NEAR = 1e-3


class SameValues:
    """Tells whether a tensor of the original holds the same values as one of the new model, in whichever layout.

    A sample of each decides, so that pairing calls reads little of the recordings; every place is measured later.
    """

    def __init__(self, original: Recording, new: Recording) -> None:
        self._original, self._new = original, new
        self._sizes: dict[tuple[bool, str], tuple[float, bool]] = {}
        self._known: dict[tuple[str, str], bool] = {}

    def same(self, first: TensorRecord | None, second: TensorRecord | None) -> bool:
        """Whether they are the same; values that are all one number show nothing."""
        if first is None or second is None or math.prod(first.shape) != math.prod(second.shape):
            return False
        if first.dtype[0] != second.dtype[0] or not math.prod(first.shape):
            return False
        known = (first.key, second.key)
        if known not in self._known:
            self._known[known] = self._same(first, second)
        return self._known[known]

    def _same(self, first: TensorRecord, second: TensorRecord) -> bool:
        one, other = self._size(True, first), self._size(False, second)
        if one[1] or other[1]:
            return False
        comparable = first.rows is None and second.rows is None and squeezed(first.shape) == squeezed(second.shape)
        if comparable and abs(one[0] - other[0]) > _NEAR * max(one[0], other[0]):
            # In the same shape they are not the same; as many of another order are only looked at where shapes tell.
            return False
        both = in_one_shape(self._original, first, self._new, second)
        return both is not None and both.agrees

    def _size(self, of_original: bool, record: TensorRecord) -> tuple[float, bool]:
        """The size of a sample of a tensor, and whether it is one number all over."""
        key = (of_original, record.key)
        if key not in self._sizes:
            recording = self._original if of_original else self._new
            sample = sample_of(recording.values(record)).double()
            self._sizes[key] = (float(sample.norm()), bool((sample == sample[:1]).all()) and len(sample) > 1)
        return self._sizes[key]


def idle_calls(recording: Recording) -> frozenset[int]:
    """The calls that return what they were given: an Identity, dropout in evaluation, a container that passes on."""
    idle = set()
    for call in recording.calls:
        given = {record.key: record for _, record in tensors_of(dict(call.inputs))}
        made = [record for _, record in tensors_of(call.outputs)]
        if made and given and made[0].key in given:
            idle.add(call.index)
    return frozenset(idle)


def is_made_of(recording: Recording, key: str, source: str) -> bool:
    """Whether a tensor was computed from another one."""
    seen, waiting = {key}, [key]
    while waiting:
        for each in recording.flow.get(waiting.pop(), ()):
            if each == source:
                return True
            if each not in seen:
                seen.add(each)
                waiting.append(each)
    return False
