"""Faults in real models, one of each kind: the place is found, the cause is named, and no cause where none is known."""

from pathlib import Path

import pytest

from add_model.porting.comparison.comparing import compare
from add_model.porting.comparison.diagnosis import diagnose

from . import originals
from .faults import (
    Fault,
    bart_faults,
    bert_faults,
    gpt2_faults,
    llama_faults,
    unknown_faults,
    weight_faults,
    whole_model_faults,
)
from .sketches import recorded

# benchmarks/diagnosis.py runs all of them, in every layer.
pytestmark = pytest.mark.slow

KNOWN = [
    *whole_model_faults(),
    *bert_faults(1),
    *gpt2_faults(2),
    *bart_faults(0, "decoder"),
    *llama_faults(1),
    *weight_faults(1),
]
ONE_OF_EACH_KIND = list({(fault.model, fault.cause): fault for fault in KNOWN}.values())


@pytest.mark.parametrize(
    "fault",
    [*ONE_OF_EACH_KIND, *unknown_faults(1)],
    ids=lambda fault: f"{fault.model}, {fault.cause or 'unknown'}: {fault.what}",
)
def test_the_place_of_a_fault_is_found_and_its_cause_named(fault: Fault, tmp_path: Path) -> None:
    source = originals.published(fault.model, 3)
    original = source if "transformers" in fault.originals else originals.bundled(fault.model, source)
    new, given = originals.bundled(fault.model, source), originals.inputs(fault.model, 3, fault.following)
    fault.change(new, fault.path)
    first = recorded(tmp_path / "original.safetensors", original, **given)
    comparison = compare(first, recorded(tmp_path / "new.safetensors", new, **given))
    cause = diagnose(comparison)
    assert comparison.place is not None
    assert comparison.place.path == fault.expected_place
    assert (cause.name if cause else None) == fault.cause
