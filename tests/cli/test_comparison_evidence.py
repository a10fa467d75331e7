"""What a comparison is worth as evidence of step 7: what it has to rest on, and what does not count."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from add_model.porting.recording import Recorder
from add_model.porting.recording.file import load_recording, tensors_of
from add_model.porting.recording.writer import METADATA_KEY
from add_model.zoo.models.bert import BertConfig, BertForMaskedLM

from .commands import Result, add_model_here, check_refusal, tree

NAME = "brand_new_bert"
CHECKPOINT = f"converted/{NAME}"
FOLDER = f"src/my_models/models/{NAME}"
RESIDUAL = "self.LayerNorm(hidden_states + residual)"


def run(library: Path, *arguments: str, code: int = 0) -> Result:
    result = add_model_here(library, *arguments)
    assert result.returncode == code, (arguments, result.stdout, result.stderr)
    return result


def record(library: Path, target: str, out: str, *arguments: str) -> None:
    run(library, "record", target, "--out", out, "--parameters", "0B", *arguments)


def compare(library: Path, original: str = "original.safetensors", new: str = "new.safetensors", code: int = 0) -> Result:  # fmt: skip
    return run(library, "compare", original, new, code=code)


def states(library: Path, *numbers: int) -> list[str]:
    document = json.loads(add_model_here(library, "status", NAME, "--json").stdout)
    return [document["steps"][number - 1]["state"] for number in numbers]


def step_7(library: Path) -> dict:
    return json.loads(add_model_here(library, "status", NAME, "--json").stdout)["steps"][6]


def forget_residual(library: Path) -> None:
    modeling = library / FOLDER / f"modeling_{NAME}.py"
    assert RESIDUAL in modeling.read_text()
    modeling.write_text(modeling.read_text().replace(RESIDUAL, "self.LayerNorm(hidden_states)"))


def rewrite(path: Path, model: dict) -> None:
    """Gives a recording other facts about its model."""
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    content = json.loads(metadata[METADATA_KEY])
    content["model"] = {"class": content["model"]["class"], "training": False, **model}
    save_file(tensors, path, {**metadata, METADATA_KEY: json.dumps(content)})


def convert(library: Path, *arguments: str) -> None:
    (library / "rules.toml").write_text(f'[[fill]]\nfrom = "bert.{{rest*}}"\nto = "{NAME}.{{rest*}}"\n')
    run(library, "convert", NAME, "original", "--rules", "rules.toml", *arguments)


@pytest.fixture
def recorded(library: Path) -> Path:
    """A library with the checkpoints and the recordings of an original and of the new model."""
    torch.manual_seed(0)
    sizes = {"num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24, "max_position_embeddings": 16}
    original = BertForMaskedLM(BertConfig(vocab_size=31, hidden_size=16, **sizes))
    original.save_pretrained(library / "original")
    convert(library)
    record(library, "zoo:bert", "original.safetensors", "--checkpoint", "original")
    record(library, NAME, "new.safetensors", "--checkpoint", CHECKPOINT)
    return library


def test_a_comparison_with_the_original_is_evidence(recorded: Path) -> None:
    assert compare(recorded).stderr == ""
    assert states(recorded, 3, 4, 7) == ["done", "done", "done"]


def test_the_new_model_compared_with_itself_is_none(recorded: Path) -> None:
    shutil.copy(recorded / "new.safetensors", recorded / "copy.safetensors")
    before = tree(recorded)
    for other in ("new.safetensors", "copy.safetensors"):
        result = compare(recorded, other)
        assert "equal" in result.stdout
        assert result.stderr.splitlines() == [f"not kept as evidence: both recordings are of {NAME} itself; compare it with one of the original"]  # fmt: skip
    assert tree(recorded) == before
    assert states(recorded, 3, 4, 7) == ["open", "open", "open"]


def test_the_new_model_is_not_its_own_original(library: Path) -> None:
    before = tree(library)
    result = add_model_here(library, "record", NAME, "--out", "original.safetensors", "--original-of", NAME)
    check_refusal(result, (f"--original-of {NAME}", "the new model itself", "record its original"))
    assert tree(library) == before


def test_the_numbers_of_the_new_model_are_not_the_originals(recorded: Path) -> None:
    before = tree(recorded)
    arguments = ["--from", "new.safetensors", "--checkpoint", CHECKPOINT]
    check_refusal(add_model_here(recorded, "verify", "end-to-end", NAME, *arguments), ("new.safetensors", f"of {NAME} itself", "the original"))  # fmt: skip
    assert tree(recorded) == before


def test_a_recording_counts_for_the_code_that_it_ran(recorded: Path) -> None:
    forget_residual(recorded)
    result = compare(recorded)
    modeling = f"{FOLDER}/modeling_{NAME}.py"
    assert result.stderr == f"{modeling} has changed since new.safetensors was recorded; record it again\n"
    found = step_7(recorded)
    assert found["state"] == "open" and found["evidence"].startswith(f"{modeling} has changed since: equal")
    assert f"add-model record {NAME}" in found["next"]

    record(recorded, NAME, "new.safetensors", "--checkpoint", CHECKPOINT)
    assert "different" in compare(recorded, code=1).stdout
    assert step_7(recorded)["state"] == "open"


def test_what_all_models_share_is_code_that_it_ran(recorded: Path) -> None:
    compare(recorded)
    activations = recorded / "src/my_models/activations.py"
    activations.write_text(activations.read_text() + "\n# Another formula.\n")
    assert step_7(recorded)["evidence"].startswith("src/my_models/activations.py has changed since: equal")


def test_a_recording_that_does_not_say_what_it_ran_is_no_evidence(recorded: Path) -> None:
    facts = {"name": NAME, "library": str(recorded)}
    for files in ({}, {"files": {}}):
        rewrite(recorded / "new.safetensors", {**facts, **files})
        result = compare(recorded)
        missing = f"new.safetensors does not say which files it ran; record it with add-model record {NAME}"
        assert result.stderr == f"{missing}\n"
        found = step_7(recorded)
        assert found["state"] == "open" and found["evidence"].endswith(f"; {missing}")
        assert f"add-model record {NAME}" in found["next"]
    for damaged in ({"files": ["a.py"]}, {"files": {"a.py": 3}}):
        rewrite(recorded / "new.safetensors", {**facts, **damaged})
        assert "new.safetensors: its description is damaged" in compare(recorded, code=2).stderr
    record(recorded, NAME, "new.safetensors", "--checkpoint", CHECKPOINT)
    compare(recorded)
    assert step_7(recorded)["state"] == "done"


def test_a_recording_counts_for_the_checkpoint_that_it_ran(recorded: Path) -> None:
    compare(recorded)
    weights = load_file(recorded / "original/model.safetensors")
    save_file({name: weight * 2 for name, weight in weights.items()}, recorded / "original/model.safetensors")
    convert(recorded, "--force")
    assert states(recorded, 6, 7) == ["done", "open"]
    changed = f"{CHECKPOINT}/model.safetensors has changed since"
    assert step_7(recorded)["evidence"].startswith(f"{changed}: equal")
    assert compare(recorded).stderr == f"{changed} new.safetensors was recorded; record it again\n"
    assert states(recorded, 6, 7) == ["done", "open"]


@pytest.mark.slow
def test_the_configuration_and_every_shard_of_a_checkpoint_count(recorded: Path) -> None:
    convert(recorded, "--force", "--shard-size", "4kB")
    folder = recorded / CHECKPOINT
    assert len(list(folder.glob("*.safetensors"))) > 2
    record(recorded, NAME, "new.safetensors", "--checkpoint", CHECKPOINT)
    compare(recorded)
    assert states(recorded, 7) == ["done"]
    (folder / "vocab.txt").write_text("no matter\n")
    (folder / "README.md").write_text("no matter\n")
    assert states(recorded, 7) == ["done"]
    for path in (*folder.glob("*.safetensors"), folder / "model.safetensors.index.json", folder / "config.json"):
        content = path.read_bytes()
        path.write_bytes(content + b" ")
        assert step_7(recorded)["evidence"].startswith(f"{CHECKPOINT}/{path.name} has changed since: equal")
        path.unlink()
        assert step_7(recorded)["evidence"].startswith(f"{CHECKPOINT}/{path.name} has gone since: equal")
        path.write_bytes(content)
    assert states(recorded, 7) == ["done"]


def record_by_hand(library: Path, **values: str) -> None:
    """Keeps values of the original's run under other names, as an original that is no torch model does."""
    run = load_recording(library / "original.safetensors")
    outputs = {call.path: dict(tensors_of(call.outputs)) for call in run.calls}
    with Recorder(library / "by_hand.safetensors") as recorder:
        recorder.record("input_ids", run.values(run.root.inputs["input_ids"]).numpy())
        for name, place in values.items():
            path, _, output = place.partition(":")
            recorder.record(name, run.values(outputs[path][output]).numpy())


def test_a_comparison_that_does_not_reach_the_output_is_not_enough(recorded: Path) -> None:
    forget_residual(recorded)
    record(recorded, NAME, "new.safetensors", "--checkpoint", CHECKPOINT)
    compare(recorded, code=1)
    record_by_hand(recorded, embeddings="bert.embeddings:")
    result = compare(recorded, "by_hand.safetensors")
    missing = "the new model's output is not among them: logits; record it of the original as well"
    assert result.stdout.endswith(f"equal: largest difference 0 <= 0.001 in 1 places\n{missing}\n")
    found = step_7(recorded)
    assert (found["state"], found["evidence"]) == ("open", f"equal: largest difference 0 <= 0.001 in 1 places; {missing}")  # fmt: skip
    assert states(recorded, 3, 4) == ["done", "done"]
    document = json.loads(run(recorded, "compare", "by_hand.safetensors", "new.safetensors", "--json").stdout)
    assert document["passed"] and document["unreached"] == ["logits"]


def test_a_comparison_by_hand_that_reaches_the_output_is_enough(recorded: Path) -> None:
    record_by_hand(recorded, embeddings="bert.embeddings:", scores=":logits")
    result = compare(recorded, "by_hand.safetensors")
    assert result.stdout.endswith("equal: largest difference 0 <= 0.001 in 2 places\n")
    assert states(recorded, 3, 4, 7) == ["done", "done", "done"]
    record_by_hand(recorded, embeddings="bert.embeddings:", last="bert.encoder.layer.1.output:")
    compare(recorded, "by_hand.safetensors")
    assert states(recorded, 7) == ["open"]


@pytest.mark.slow
def test_random_weights_that_are_equal_are_not_the_originals(library: Path) -> None:
    for target, out in (("zoo:bert", "original.safetensors"), (NAME, "new.safetensors")):
        record(library, target, out, "--input-ids", "5,6")
    missing = "new.safetensors was recorded with random weights; record it with --checkpoint DIR"
    result = compare(library)
    assert "equal" in result.stdout and result.stderr == f"{missing}\n"
    found = step_7(library)
    assert found["state"] == "open" and found["evidence"].endswith(f"; {missing}")
    assert f"add-model record {NAME} --checkpoint" in found["next"]
