"""Models of other packages, ported as a user does it: suggested, converted, recorded, compared, without an edit.

    python benchmarks/ports.py CASES [NAME ...] [--packages FOLDER] [--work FOLDER]

CASES is a folder of scripts, `NAME.py` for each of the table below: run in an empty folder it writes `original/`, the original's
checkpoint with a `config.json` for the new model, and `inputs.safetensors`, what the new model takes; its function `make`
returns the original and its inputs. FOLDER holds the packages that the originals come from (`pip install --no-deps --target`);
only the originals' own steps see them.

A port is right where the outputs are equal with the rules that a recording of the original led to, and not one of them unsure.
A rule that was sure without the recording, and is another one with it, was sure and wrong. The command ends with 1 where a
port is not equal, a rule is left unsure, or one was sure and wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from add_model.porting.rules.reading import load_rules
from add_model.porting.rules.rule import Fill, Rules

SOURCES = Path(__file__).parents[1]
CASES = {
    "bert_2018": ("transformers:bert", "BertForMaskedLM"),
    "esm2": ("transformers:esm", "EsmForMaskedLM"),
    "litgpt_llama": ("transformers:llama", "LlamaForCausalLM"),
    "litgpt_neox": ("transformers:gpt_neox", "GPTNeoXForCausalLM"),
    "meta_llama": ("transformers:llama", "LlamaForCausalLM"),
    "openai_whisper": ("transformers:whisper", "WhisperForConditionalGeneration"),
    "openclip": ("transformers:clip", "CLIPModel"),
    "openclip_square": ("transformers:clip", "CLIPModel"),
    "timm_beit": ("transformers:beit", "BeitForImageClassification"),
    "timm_convnext": ("transformers:convnext", "ConvNextForImageClassification"),
    "timm_vit": ("transformers:vit", "ViTForImageClassification"),
    "torchaudio_wav2vec2": ("transformers:wav2vec2", "Wav2Vec2ForCTC"),
}


class Port(NamedTuple):
    """How a port went: the weights that were sure and right, unsure, and sure and wrong without a recording, how many
    rules a recording left unsure, and what `compare` said."""

    sure: int
    unsure: int
    wrong: int
    left: int
    verdict: str

    @property
    def is_right(self) -> bool:
        """Whether the outputs are equal, and nothing was sure and wrong."""
        return self.verdict.startswith("equal") and not self.wrong and not self.left


class Failed(Exception):
    """A step that did not end as it should, and its last words."""


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", type=Path, help="the folder of scripts")
    parser.add_argument("names", nargs="*", help="the ports that are tried; all without one")
    parser.add_argument("--packages", type=Path, help="the folder of the packages that the originals come from")
    parser.add_argument("--work", type=Path, help="where everything is written; a temporary folder without it")
    arguments = parser.parse_args()
    original_path = os.pathsep.join(map(str, filter(None, (arguments.packages, arguments.cases.resolve()))))
    print(f"{'port':<20} {'sure':>5} {'unsure':>7} {'wrong':>6} {'left':>5}  verdict")
    wrong = 0
    with tempfile.TemporaryDirectory() as temporary:
        for name in arguments.names or CASES:
            folder = (arguments.work or Path(temporary)) / name
            folder.mkdir(parents=True, exist_ok=True)
            try:
                port = _ported(arguments.cases.resolve() / f"{name}.py", folder, original_path)
            except Failed as error:
                port = Port(0, 0, 0, 0, str(error))
            wrong += not port.is_right
            print(f"{name:<20} {port.sure:>5} {port.unsure:>7} {port.wrong:>6} {port.left:>5}  {port.verdict}", flush=True)  # fmt: skip
    raise SystemExit(1 if wrong else 0)


def _ported(script: Path, folder: Path, original_path: str) -> Port:
    target, class_name = CASES[script.stem]
    _run(folder, original_path, str(script))
    _add_model(folder, original_path, "record", f"{script}:make", "--out", "original.safetensors")
    conversion = ("convert", target, "original", "--class", class_name)
    suggestion = (*conversion, "--suggest", "--force", "--rules")
    _add_model(folder, "", *suggestion, "names.toml")
    _add_model(folder, "", *suggestion, "rules.toml", "--recording", "original.safetensors")
    _add_model(folder, "", *conversion, "--rules", "rules.toml", "--accept-unsure", "--force", "--out", "new")
    _add_model(folder, "", "record", target, "--checkpoint", "new", "--inputs", "inputs.safetensors", "--out", "new.safetensors")  # fmt: skip
    by_names, decided = load_rules(folder / "names.toml"), load_rules(folder / "rules.toml")
    counts = _judged(by_names, decided, list(json.loads((folder / "new" / "conversion.json").read_text())["weights"]))
    arguments = ("compare", "original.safetensors", "new.safetensors")
    verdicts = [_add_model(folder, "", *arguments, *rules, codes=(0, 1)) for rules in ((), ("--rules", "rules.toml"))]
    said = [next(line for line in text.splitlines() if line.startswith(("equal", "different"))) for text in verdicts]
    return Port(
        counts["sure"],
        counts["unsure"],
        counts["wrong"],
        len(decided.unsure),
        next((each for each in said if not each.startswith("equal")), said[0]),
    )


def _judged(by_names: Rules, decided: Rules, weights: list[dict[str, object]]) -> Counter[str]:
    """How many weights were sure, unsure, and sure and wrong before the recording decided."""
    counts: Counter[str] = Counter()
    for weight in weights:
        name = str(weight["name"])
        one, other = _rule_for(by_names, name), _rule_for(decided, name)
        same = one == other or (one is not None and other is not None and one[1:] == other[1:])
        counts["unsure" if one is not None and one[0] else "sure" if same else "wrong"] += 1
    return counts


def _rule_for(rules: Rules, name: str) -> tuple[object, ...] | None:
    """Whether the rule that fills a weight is unsure, where it takes the weight from, and what is done on the way."""
    for rule in rules.rules:
        for target in rule.targets if isinstance(rule, Fill) else ():
            values = target.match(name)
            if values is not None:
                places = [source.text for source in rule.sources]
                return rule.unsure, tuple(places), rule.operations, target.text
    return None


def _add_model(folder: Path, path: str, *arguments: str, codes: tuple[int, ...] = (0,)) -> str:
    return _run(folder, path, "-m", "add_model", *arguments, codes=codes)


def _run(folder: Path, path: str, *arguments: str, codes: tuple[int, ...] = (0,)) -> str:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join([*filter(None, [path]), str(SOURCES)])}  # fmt: skip
    result = subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True)
    if result.returncode not in codes:
        last = (result.stderr.strip() or result.stdout.strip() or "nothing was said").splitlines()[-1]
        raise Failed(f"{arguments[0] if arguments[0] != '-m' else arguments[2]}: {last}")
    return result.stdout


if __name__ == "__main__":
    main()
