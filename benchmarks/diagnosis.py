"""How often `compare` finds the place of a fault, and its cause, and calls right ports equal.

    python benchmarks/diagnosis.py [--seed 0] [--verbose]

The new model is a bundled one with one fault in one layer; the original is Transformers' model with the same weights,
or the bundled model without the fault. LLaMA, which is not bundled, is Transformers' on both sides. Each case has
weights and inputs of its own, drawn from its seed.

Then ports that are arranged differently: one small decoder in two styles, right, and with one fault beside the arrangement
(`tests/porting/arrangements.py`); `--only arranged` runs these alone.
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
from tests.porting import arrangements, faults, originals  # noqa: E402
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
    parser.add_argument("--only", choices=["injected", "arranged"])
    parser.add_argument("--verbose", action="store_true", help="print every case")
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # the models are tiny
    with tempfile.TemporaryDirectory() as temporary:
        if arguments.only != "arranged":
            report([run(case, Path(temporary)) for case in cases(arguments.seed)], arguments.verbose)
        if arguments.only != "injected":
            report_pairs([run_pair(pair, Path(temporary)) for pair in arrangements.pairs(arguments.seed)])


@dataclass(frozen=True)
class PairOutcome:
    """Whether a pair of differently arranged models was called equal, and the place and the cause that were named."""

    pair: arrangements.Pair
    passed: bool
    place: str | None
    cause: str | None


def run_pair(pair: arrangements.Pair, folder: Path) -> PairOutcome:
    """Records both models and compares them."""
    given = arrangements.inputs(pair.seed)
    first = recorded(folder / "original.safetensors", arrangements.build(pair.original, pair.seed), **given)
    second = recorded(folder / "new.safetensors", arrangements.build(pair.new, pair.seed), **given)
    comparison = compare(first, second)
    cause = diagnose(comparison)
    place = None if comparison.place is None else comparison.place.path
    return PairOutcome(pair, comparison.passed, place, None if cause is None else cause.name)


def report_pairs(outcomes: list[PairOutcome]) -> None:
    """Prints the figures, and every pair that missed."""
    right = [each for each in outcomes if each.pair.place is None]
    faulty = [each for each in outcomes if each.pair.place is not None]
    known = [each for each in faulty if each.pair.cause is not None]
    equal = [each for each in right if each.passed and each.place is None]
    placed = [each for each in faulty if each.place == each.pair.place and not each.passed]
    caused = [each for each in known if each.cause == each.pair.cause]
    false = [each for each in outcomes if each.cause is not None and each.cause != each.pair.cause]
    for each in outcomes:
        if each in false or each not in (*equal, *placed) or (each in known and each not in caused):
            wanted = "equal" if each.pair.place is None else f"{each.pair.cause} at {each.pair.place!r}"
            print(f"missed: {each.pair.what}: {wanted}; named: {each.cause} at {each.place!r}, passed: {each.passed}")
    print(f"\npairs arranged differently: {len(outcomes)}")
    print(f"right ports called equal         {len(equal) / len(right):8.1%}   (to reach: 100 %)   {len(equal)} of {len(right)}")  # fmt: skip
    print(f"right place found                {len(placed) / len(faulty):8.1%}   (to reach: 100 %)   {len(placed)} of {len(faulty)}")  # fmt: skip
    print(f"right cause named                {len(caused) / len(known):8.1%}   (to reach: 95 %)    {len(caused)} of {len(known)}")  # fmt: skip
    print(f"false causes                     {len(false):8}   (to reach: 0)       in {len(outcomes)}")


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
