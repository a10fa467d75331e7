"""How often `compare` finds the place of a fault, and its cause: faults injected into BERT, GPT-2, BART and LLaMA.

    python benchmarks/diagnosis.py [--seed 0] [--verbose]

The new model is a bundled one with one fault in one layer; the original is Transformers' model with the same weights,
or the bundled model without the fault. LLaMA, which is not bundled, is Transformers' on both sides. Each case has
weights and inputs of its own, drawn from its seed.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch  # noqa: E402
from torch import nn  # noqa: E402

from add_model.porting.comparison.comparing import compare  # noqa: E402
from add_model.porting.comparison.diagnosis import diagnose  # noqa: E402
from tests.porting import faults, originals  # noqa: E402
from tests.porting.faults import Fault  # noqa: E402
from tests.porting.sketches import recorded  # noqa: E402


@dataclass(frozen=True)
class Case:
    """A fault, or none; the original it is seen against; the seed of weights and inputs."""

    model: str
    fault: Fault | None
    original: str
    seed: int


@dataclass(frozen=True)
class Outcome:
    """The place and the cause that were named, and what was computed with them."""

    case: Case
    place: str | None
    cause: str | None
    explanation: str


def cases(seed: int) -> Iterator[Case]:
    """All cases, in a fixed order."""
    generator = random.Random(seed)
    known = [*faults.whole_model_faults()]
    for layer in range(originals.LAYERS):
        known += [*faults.bert_faults(layer), *faults.gpt2_faults(layer)]
        known += [*faults.bart_faults(layer, "encoder"), *faults.bart_faults(layer, "decoder")]
        known += [*faults.llama_faults(layer), *faults.weight_faults(layer)]
    unknown = [fault for layer in range(originals.LAYERS) for fault in faults.unknown_faults(layer)]
    for fault in [*known, *unknown]:
        yield Case(fault.model, fault, generator.choice(fault.originals), generator.randrange(1 << 30))
    for model in ("bert", "gpt2", "bart", "llama"):
        for original in ("transformers", "transformers-eager", "zoo"):
            for _ in range(3):
                yield Case(model, None, original, generator.randrange(1 << 30))


def run(case: Case, folder: Path) -> Outcome:
    """Records both models and compares them."""
    implementation = "eager" if case.original == "transformers-eager" else "sdpa"
    source = originals.published(case.model, case.seed, implementation)
    original: nn.Module = originals.bundled(case.model, source) if case.original == "zoo" else source
    new = originals.bundled(case.model, source)
    if case.fault is not None:
        case.fault.change(new, case.fault.path)
    given = originals.inputs(case.model, case.seed, case.fault is not None and case.fault.following)
    first = recorded(folder / "original.safetensors", original, **given)
    comparison = compare(first, recorded(folder / "new.safetensors", new, **given))
    cause = diagnose(comparison)
    place = None if comparison.place is None else comparison.place.path
    return Outcome(case, place, cause.name if cause else None, cause.explanation if cause else "")


def describe(outcome: Outcome) -> str:
    """One line about a case."""
    fault = outcome.case.fault
    wanted = "nothing" if fault is None else f"{fault.cause} ({fault.what}) at {fault.expected_place}"
    return f"{outcome.case.model} against {outcome.case.original}: {wanted}; named: {outcome.cause} at {outcome.place} {outcome.explanation}"


def main() -> None:
    """Runs every case and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--verbose", action="store_true", help="print every case")
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # the models are tiny
    with tempfile.TemporaryDirectory() as temporary:
        outcomes = [run(case, Path(temporary)) for case in cases(arguments.seed)]
    report(outcomes, arguments.verbose)


def report(outcomes: list[Outcome], verbose: bool) -> None:
    """Prints the figures, and every case that missed."""
    faulty = [(outcome, outcome.case.fault) for outcome in outcomes if outcome.case.fault is not None]
    placed = [outcome for outcome, fault in faulty if outcome.place == fault.expected_place]
    known = [(outcome, fault) for outcome, fault in faulty if fault.cause is not None]
    right = [outcome for outcome, fault in known if outcome.cause == fault.cause]
    silent = [outcome for outcome in outcomes if outcome.case.fault is None or outcome.case.fault.cause is None]
    false = [outcome for outcome in silent if outcome.cause is not None]
    false += [outcome for outcome in outcomes if outcome.case.fault is None and outcome.place is not None]
    for outcome in outcomes if verbose else ():
        print(describe(outcome))
    missed = [outcome for outcome in outcomes if outcome in false or outcome not in placed and outcome.case.fault]
    for outcome in [*missed, *(outcome for outcome, _ in known if outcome not in right and outcome not in missed)]:
        print("missed:", describe(outcome))
    print()
    for cause, count in sorted(Counter(fault.cause for _, fault in known).items(), key=str):
        hits = sum(outcome.cause == cause for outcome, fault in known if fault.cause == cause)
        print(f"{cause or '':<34} {hits:4} of {count}")
    print()
    against = Counter(outcome.case.original for outcome, _ in faulty)
    print(
        f"cases with a fault: {len(faulty)} ({', '.join(f'{count} against {name}' for name, count in against.items())})"
    )
    print(
        f"right place found                {len(placed) / len(faulty):8.1%}   (to reach: 100 %)   {len(placed)} of {len(faulty)}"
    )
    print(
        f"right cause named                {len(right) / len(known):8.1%}   (to reach: 90 %)    {len(right)} of {len(known)}"
    )
    print(
        f"false causes or places           {len(false):8}   (to reach: 0)       in {len(silent)} without a fault or with an unknown one"
    )


if __name__ == "__main__":
    main()
