"""`add-model record` and `add-model compare` as they are typed: what they print, write and refuse."""

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from add_model.porting.recording.file import load_recording

from .commands import add_model_here, add_model_process, check_refusal, tree

SIZES = {
    "vocab_size": 31,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "max_position_embeddings": 16,
}
MODELING = "src/my_models/models/brand_new_bert/modeling_brand_new_bert.py"
SCRIPT = """
import torch

def make():
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.GELU(), torch.nn.Linear(4, 4))
    return model, torch.ones(2, 4)

def broken():
    raise ValueError("no weights here")

def nothing():
    return 3

def turned():
    model, states = make()
    model[2].weight.data = model[2].weight.data.t().contiguous()
    return model, states
"""


SCRIPT_WITH_IMPORTS = """
from __future__ import annotations

from dataclasses import dataclass

import torch
from sizes_beside_the_script import SIZE

@dataclass
class Configuration:
    size: int = SIZE

def make():
    return torch.nn.Linear(Configuration().size, 2), torch.ones(2, 4)
"""
SCRIPT_OF_BERT = """
import torch
from add_model.zoo.models.bert import BertConfig, BertModel

def short(ids=((5, 6, 7), (8, 9, 10)), **others):
    config = BertConfig(vocab_size=31, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=24)
    return BertModel(config).eval(), {"input_ids": torch.tensor(ids), **others}

def masked():
    return short(attention_mask=torch.ones(2, 3))

def long():
    return short(ids=((5,) * 65,))
"""


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint that Transformers wrote."""
    import transformers

    folder = tmp_path_factory.mktemp("checkpoint")
    torch.manual_seed(0)
    transformers.BertForMaskedLM(transformers.BertConfig(**SIZES)).save_pretrained(folder)
    return folder


def record(folder: Path, *arguments: str) -> str:
    result = add_model_here(folder, "record", *arguments)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_a_port_is_recorded_and_compared_with_its_original(library: Path, checkpoint: Path) -> None:
    printed = record(library, "transformers:bert", "--checkpoint", str(checkpoint), "--out", "original.safetensors")
    assert "BertForMaskedLM" in printed
    record(library, "brand_new_bert", "--checkpoint", str(checkpoint), "--out", "new.safetensors")
    assert load_recording(library / "new.safetensors").model["class"] == "BrandNewBertForMaskedLM"

    result = add_model_process(library, "compare", "original.safetensors", "new.safetensors", "--atol", "1e-5")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "equal: largest difference" in result.stdout and "differs" not in result.stdout
    kept = library / ".add-model/models/brand_new_bert/evidence/comparison.json"
    assert json.loads(kept.read_text())["passed"] is True

    modeling = library / MODELING
    line = "self.LayerNorm(hidden_states + residual)"
    modeling.write_text(modeling.read_text().replace(line, "self.LayerNorm(hidden_states)", 1))
    record(library, "brand_new_bert", "--checkpoint", str(checkpoint), "--out", "new.safetensors")
    result = add_model_here(
        library, "compare", "original.safetensors", "new.safetensors", "--html", "report.html", "--json"
    )
    document = json.loads(result.stdout)
    assert result.returncode == 1
    assert document["first"]["path"] == "brand_new_bert.encoder.layer.0.attention.output"
    assert document["cause"]["name"] == "residual missing"
    assert sum(row["first"] for row in document["rows"]) == 1
    check_page((library / "report.html").read_text())
    assert json.loads(kept.read_text())["passed"] is False

    result = add_model_here(library, "compare", "original.safetensors", "new.safetensors")
    assert result.returncode == 1
    assert "before it calls brand_new_bert.encoder.layer.0.attention.output.LayerNorm" in result.stdout
    assert "cause: residual missing" in result.stdout and "remedy: add it back" in result.stdout


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [str(value) for name, value in attributes if name in ("src", "href")]


def check_page(text: str) -> None:
    """The page draws a picture, shows every place, and needs nothing from elsewhere."""
    page = _Page()
    page.feed(text)
    # Its rows are all that it leads to, and an empty icon keeps a browser from asking for one.
    assert all(link.startswith("#place-") or link == "data:," for link in page.links) and "http" not in text
    assert "script" not in page.tags
    assert page.tags.count("svg") == 1 and page.tags.count("circle") == page.tags.count("tr") - 1 > 50
    assert "residual missing" in text


def test_a_script_is_recorded_and_equal_to_itself(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(SCRIPT)
    for name in ("first", "second"):
        add_model_here(tmp_path, "record", "run.py:make", "--out", name)
    result = add_model_here(tmp_path, "compare", "first", "second", "--json")
    document = json.loads(result.stdout)
    assert result.returncode == 0
    assert document["passed"] and document["largest"] == 0 and document["first"] is None


def test_what_keeps_a_cause_from_being_tested_is_said_with_the_size_to_record_again(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(SCRIPT)

    def compared(*sizes: str) -> str:
        for name in ("make", "turned"):
            record(tmp_path, f"run.py:{name}", "--out", f"{name}.safetensors", *sizes)
        result = add_model_here(tmp_path, "compare", "make.safetensors", "turned.safetensors", "--atol", "1e-6")
        assert result.returncode == 1
        return result.stdout

    without = compared("--parameters", "0B")
    assert "cause: not all of the known ones could be tested" in without
    assert "missing: 2.weight is not in turned.safetensors: record it again with --parameters 1MB" in without
    assert "2.weight is not in make.safetensors: record it again with --parameters 1MB" in without
    assert "cause: weight transposed" in compared("--parameters", "1MB") and "missing" not in compared()
    sampled = compared("--limit", "24B")
    assert (
        "missing: only a part of its values is in the recordings; record both again with a larger --limit" in sampled
    )
    document = json.loads(
        add_model_here(tmp_path, "compare", "make.safetensors", "turned.safetensors", "--json").stdout
    )
    assert document["cause"] is None and "--limit" in document["untested"]


@pytest.mark.slow
def test_input_is_given_by_ids_or_by_a_file(library: Path) -> None:
    (library / "inputs.json").write_text('{"input_ids": [[5, 6, 7]], "attention_mask": [[1, 1, 0]]}')
    save_file({"input_ids": torch.tensor([[5, 6, 7]])}, library / "inputs.safetensors")
    for number, arguments in enumerate(
        (["--input-ids", "5,6,7"], ["--inputs", "inputs.json"], ["--inputs", "inputs.safetensors"])
    ):
        record(
            library, "zoo:gpt2", *arguments, "--out", f"{number}.safetensors", "--limit", "1MB", "--parameters", "0B"
        )
        recording = load_recording(library / f"{number}.safetensors")
        assert recording.values(recording.root.inputs["input_ids"]).tolist() == [[5, 6, 7]]


def refused(folder: Path, *arguments: str, naming: tuple[str, ...]) -> None:
    before = tree(folder)
    check_refusal(add_model_here(folder, *arguments), naming)
    assert tree(folder) == before


def test_what_cannot_be_recorded_is_refused_in_one_line(library: Path) -> None:
    (library / "run.py").write_text(SCRIPT)
    (library / "syntax.py").write_text("def make(:\n")
    (library / "bad.json").write_text("[")
    for arguments, naming in (
        (["absent"], ("absent",)),
        (["absent.py:make"], ("absent.py", "no such script")),
        (["run.py:broken"], ("run.py:10", "no weights here")),
        (["run.py:nothing"], ("(model, inputs)",)),
        (["run.py:absent"], ("absent", "(model, inputs)")),
        (["syntax.py:make"], ("syntax.py:1",)),
        (["brand_new_bert", "--checkpoint", "absent"], ("absent", "config.json")),
        (["brand_new_bert", "--input-ids", "1,x"], ("--input-ids", "1,2,3")),
        (["brand_new_bert", "--input-ids", "1,2;3"], ("one length",)),
        (["brand_new_bert", "--input-ids", "1,99999"], ("99999", "not in the vocabulary", "vocab_size")),
        (["brand_new_bert", "--inputs", "bad.json"], ("bad.json", ".npz")),
        (["brand_new_bert", "--limit", "much"], ("--limit", "500MB")),
        (["run.py:make", "--out", "absent/file"], ("absent/file", "folder")),
    ):
        refused(library, "record", *arguments, naming=naming)


@pytest.mark.slow
def test_a_model_that_does_not_import_or_run_is_named_with_file_and_line(library: Path) -> None:
    modeling = library / MODELING
    good = modeling.read_text()
    modeling.write_text(good.replace("import math\n", "import maths\n", 1))
    result = add_model_process(library, "record", "brand_new_bert")
    check_refusal(result, ("modeling_brand_new_bert.py:", "maths"))
    modeling.write_text(good.replace("hidden_states = self.activation(hidden_states)", "hidden_states = self.missing"))
    result = add_model_process(library, "record", "brand_new_bert")
    check_refusal(result, ("modeling_brand_new_bert.py:", "missing"))
    assert not list(library.glob("*.safetensors")) and not list(library.glob(".*.part"))


@pytest.mark.slow
@pytest.mark.parametrize("statement", ["raise SystemExit(3)", "import sys; sys.exit()"])
@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("import math\n", "brand_new_bert cannot be imported: SystemExit"),
        ("        super().__init__()\n", "BrandNewBertModel cannot be built: SystemExit"),
        ("        hidden_states = self.activation(hidden_states)\n", "the forward pass failed: SystemExit"),
    ],
)
def test_a_model_that_ends_the_process_is_named_as_any_that_fails(library: Path, statement: str, place: str, said: str) -> None:  # fmt: skip
    modeling = library / MODELING
    indent = place[: len(place) - len(place.lstrip())]
    text = modeling.read_text().replace(place, f"{indent}{statement}\n{place}", 1)
    modeling.write_text(text)
    line = text[: text.index(statement)].count("\n") + 1
    naming = (f"modeling_brand_new_bert.py:{line}: {said}",)
    check_refusal(add_model_here(library, "record", "brand_new_bert"), naming)
    if "forward" not in said:
        save_file({"a": torch.ones(1)}, library / "weights.safetensors")
        (library / "config.json").write_text('{"hidden_size": 24}')
        check_refusal(add_model_here(library, "convert", "brand_new_bert", "weights.safetensors"), naming)
    assert not list(library.glob("*recording*")) and not list(library.glob(".*.part"))


@pytest.mark.parametrize("statement", ["raise SystemExit(3)", "import sys; sys.exit()"])
def test_a_script_that_ends_the_process_is_named_as_any_that_fails(tmp_path: Path, statement: str) -> None:
    (tmp_path / "run.py").write_text(f"{statement}\n{SCRIPT}")
    check_refusal(add_model_here(tmp_path, "record", "run.py:make"), ("run.py:1: make failed: SystemExit",))


def test_recordings_that_cannot_be_compared_are_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(SCRIPT)
    add_model_here(tmp_path, "record", "run.py:make", "--out", "whole")
    (tmp_path / "cut").write_bytes((tmp_path / "whole").read_bytes()[:-5])
    (tmp_path / "empty").write_bytes(b"")
    save_file({"input": torch.zeros(2, 4)}, tmp_path / "zeros.safetensors")
    add_model_here(tmp_path, "record", "run.py:make", "--inputs", "zeros.safetensors", "--out", "other")
    for arguments, naming in (
        (["whole", "absent"], ("absent", "no such recording")),
        (["whole", "cut"], ("cut", "record it again")),
        (["empty", "whole"], ("empty", "record it again")),
        (["whole", "zeros.safetensors"], ("zeros.safetensors", "no recording")),
        (["whole", "other"], ("different inputs", "input")),
        (["whole", "whole", "--atol", "-1"], ("--atol", "1e-3")),
        (["whole", "whole", "--atol", "nan"], ("--atol",)),
        (["whole", "whole", "--rules", "absent.toml"], ("absent.toml",)),
    ):
        refused(tmp_path, "compare", *arguments, naming=naming)


def test_status_says_to_record_with_the_inputs_of_the_original(library: Path) -> None:
    def seventh() -> str:
        document = json.loads(add_model_here(library, "status", "brand_new_bert", "--json").stdout)
        (step,) = [step for step in document["steps"] if step["number"] == 7]
        return str(step["next"])

    (library / "make.py").write_text(SCRIPT_OF_BERT)
    assert "--input-ids" not in seventh()
    for function, said in (("short", "--input-ids '5,6,7;8,9,10'"), ("masked", None), ("long", None)):
        record(library, f"make.py:{function}", "--out", "original.safetensors", "--original-of", "brand_new_bert")
        assert (said in seventh()) if said else ("--input-ids" not in seventh())


def test_a_script_runs_as_python_runs_it(tmp_path: Path) -> None:
    """It can import what lies beside it, under whatever name, and look itself up as dataclasses do."""
    (tmp_path / "original").mkdir()
    (tmp_path / "original/sizes_beside_the_script.py").write_text("SIZE = 4\n")
    (tmp_path / "original/json.py").write_text(SCRIPT_WITH_IMPORTS)
    result = add_model_here(tmp_path, "record", "original/json.py:make", "--out", "run", "--json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["class"] == "Linear"


SCRIPT_OF_ARRANGEMENT = """
import torch
from torch import nn

class Model(nn.Module):
    def __init__(self, inside):
        super().__init__()
        torch.manual_seed(0)
        self.dense = nn.Linear(4, 4)
        if not inside:
            self.bias = nn.Parameter(self.dense.bias.detach().clone())
            self.dense.bias = None

    def forward(self, x):
        made = self.dense(x)
        return made if self.dense.bias is not None else made + self.bias

def original():
    return Model(False), {"x": torch.ones(2, 4)}

def new():
    return Model(True), {"x": torch.ones(2, 4)}
"""


def test_nothing_but_the_recording_is_written_beside_a_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE")
    (tmp_path / "beside.py").write_text("SIZE = 3\n")
    (tmp_path / "run.py").write_text(f"import beside\n{SCRIPT}")
    result = add_model_process(tmp_path, "record", "run.py:make", "--out", "recorded.safetensors")
    assert result.returncode == 0, result.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"beside.py", "run.py", "recorded.safetensors"}


def test_what_is_arranged_differently_counts_only_where_it_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(SCRIPT_OF_ARRANGEMENT)
    for name in ("original", "new"):
        record(tmp_path, f"run.py:{name}", "--out", f"{name}.safetensors")
    result = add_model_here(tmp_path, "compare", "original.safetensors", "new.safetensors")
    assert result.returncode == 0 and "equal: largest difference 0" in result.stdout
    assert "arranged differently: dense: the original has that value behind it" in result.stdout
    result = add_model_here(tmp_path, "compare", "original.safetensors", "new.safetensors", "--strict-inside")
    assert result.returncode == 1 and "the difference begins in dense (Linear)" in result.stdout
