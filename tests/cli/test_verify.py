"""`add-model verify`: what a step asks for is run, and its result counts as evidence of that step."""

import json
import shutil
import sys
from pathlib import Path

import pytest
import torch

from add_model.porting.model.subject import find_subject
from add_model.porting.recording import Recorder, record_forward
from add_model.scaffold.destination import find_holder

from .commands import Result, add_model_here, add_model_process, check_refusal, run, tree

NAME = "brand_new_bert"
TEXT = "Hello world, the quick fox!"
TRAINING_TEXTS = ["The quick brown fox jumps.", "12, 345 and 6.78 are tokens too!", "Hello world, how are you?"] * 3
INTEGRATION = f"tests/models/{NAME}/test_integration_{NAME}.py"
RECORDED = f"tests/models/{NAME}/recorded_numbers.json"
# A test that passes in no time stands for the model's own, which have tests of their own.
QUICK_TEST = f"def test_it() -> None:\n    assert True  # {RECORDED}\n"


@pytest.fixture(scope="session")
def ported(made_library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library, a converted checkpoint in it, and beside it the recording of an original: not to be changed."""
    folder = tmp_path_factory.mktemp("ported")
    library = Path(shutil.copytree(made_library, folder / "my_models"))
    for path in (library / f"tests/models/{NAME}").glob("test_*.py"):
        path.unlink()
    (library / f"tests/models/{NAME}/test_quick.py").write_text(QUICK_TEST)
    subject = find_subject(find_holder(library), NAME)
    tokenizer = subject.load().BrandNewBertTokenizer().train_new_from_iterator(TRAINING_TEXTS, vocab_size=200)
    sizes = {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 37}
    torch.manual_seed(0)
    config = subject.configure({"vocab_size": len(tokenizer), "max_position_embeddings": 64, **sizes})
    model = subject.build(config, "BrandNewBertForMaskedLM", device="cpu").eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    model.save_pretrained(library / "converted")
    tokenizer.save_pretrained(library / "converted")
    ids = torch.tensor([tokenizer(TEXT)["input_ids"]])
    with record_forward(model, folder / "original.safetensors"), torch.no_grad():
        outputs = model(ids)
    with Recorder(folder / "named.safetensors") as recorder:
        recorder.record("tokens", ids.numpy())
        recorder.record("hidden", outputs[0].numpy() + 1)
        recorder.record("scores", outputs[0].numpy())
    with record_forward(model.train(), folder / "training.safetensors"), torch.no_grad():
        model(ids)
    return folder


@pytest.fixture
def library(ported: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(ported, tmp_path / "ported")) / "my_models"


def verify(library: Path, what: str, *arguments: str) -> Result:
    # The tests that it runs are a process of their own; it need not be one as well.
    return add_model_here(library, "verify", what, NAME, *arguments)


def write(library: Path, *arguments: str, recording: str = "original") -> Result:
    return verify(library, "end-to-end", "--from", f"../{recording}.safetensors", "--checkpoint", "converted", *arguments)  # fmt: skip


def steps(library: Path) -> dict[int, dict]:
    return {found["number"]: found for found in json.loads(add_model_here(library, "status", NAME, "--json").stdout)["steps"]}  # fmt: skip


@pytest.mark.slow
def test_the_integration_test_holds_the_numbers_of_the_original(library: Path) -> None:
    before = verify(library, "tests")
    assert (before.returncode, before.stdout) == (1, "1 passed; none holds the original's numbers yet\n")
    assert "verify end-to-end" in steps(library)[8]["next"]

    result = write(library, "--text", TEXT)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.startswith("largest difference ") and "from text, on cpu" in result.stdout
    numbers = json.loads((library / RECORDED).read_text())
    assert numbers["architecture"] == "BrandNewBertForMaskedLM" and len(numbers["expected"][0]) == 3
    assert f"{TEXT!r}".strip("'") in (library / INTEGRATION).read_text()

    result = verify(library, "tests")
    assert result.returncode == 0 and "the original's numbers hold" in result.stdout
    shown = steps(library)
    assert shown[8]["state"] == "done"
    # No GPU here: that it ran on one is for a person to say.
    assert shown[10]["state"] == "open" and "not run on a GPU" in shown[10]["evidence"]
    add_model_here(library, "status", NAME, "--done", "10", "--note", "an H100, 3 passed")
    assert steps(library)[10]["state"] == "done"

    modeling = library / f"src/my_models/models/{NAME}/modeling_{NAME}.py"
    text = modeling.read_text()
    modeling.write_text(
        text.replace("hidden_states = self.activation(hidden_states)", "hidden_states = hidden_states")
    )
    shown = steps(library)
    assert [shown[number]["state"] for number in (8, 10)] == ["open", "open"]
    assert "has changed since" in shown[8]["evidence"]
    result = verify(library, "end-to-end")
    assert result.returncode == 1 and "failed" in result.stdout
    assert "failed" in steps(library)[10]["evidence"]


@pytest.mark.slow
def test_what_is_written_is_formatted_typed_and_never_overwrites_an_edit(library: Path) -> None:
    assert write(library, "--text", TEXT, "--json").returncode == 0
    for command in (["ruff", "check", "."], ["ruff", "format", "--check", "."]):
        result = run([sys.executable, "-m", *command], library)
        assert result.returncode == 0, result.stdout
    with open(library / INTEGRATION, "a") as file:
        file.write("# mine\n")
    before = tree(library)
    check_refusal(write(library), (INTEGRATION, "--force"))
    assert tree(library) == before
    assert write(library, "--force").returncode == 0
    assert "# mine" not in (library / INTEGRATION).read_text()
    # It passes, but without a text it is not from end to end.
    assert "from ids, not from text yet" in steps(library)[10]["evidence"]
    assert steps(library)[10]["state"] == "open"


@pytest.mark.slow
def test_values_recorded_by_name_from_another_framework_will_do(library: Path) -> None:
    check_refusal(write(library, recording="named"), ("named.safetensors", "--rename", "input_ids"))
    result = write(library, "--rename", "tokens=input_ids", "--text", TEXT, recording="named")
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.slow
def test_a_missing_checkpoint_is_no_success(library: Path) -> None:
    assert write(library, "--text", TEXT).returncode == 0
    shutil.rmtree(library / "converted")
    assert "has gone" in steps(library)[10]["evidence"]
    result = verify(library, "end-to-end")
    assert result.returncode == 1 and "there is no checkpoint in" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "naming"),
    [
        (["--from", "../gone.safetensors", "--checkpoint", "converted"], ("gone.safetensors", "no such recording")),
        (["--from", "../training.safetensors", "--checkpoint", "converted"], ("training mode", "eval()")),
        (["--from", "../original.safetensors", "--checkpoint", "src"], ("src/config.json", "add-model convert")),
        (["--from", "../original.safetensors"], ("--checkpoint DIR",)),
        (["--from", "../original.safetensors", "--checkpoint", "converted", "--text", "a", "--text", "b"], ("1 rows", "one text for each row")),
        (["--from", "../original.safetensors", "--checkpoint", "converted", "--rename", "x"], ("OLD=NEW",)),
        (["--from", "../original.safetensors", "--checkpoint", "untokenized", "--text", "a"], ("untokenized", "holds no tokenizer", "leave --text out")),
        (["--text", "a"], ("--from RECORDING",)),
        ([], (INTEGRATION, "--from RECORDING")),
    ],
)  # fmt: skip
def test_a_wrong_request_is_one_line_with_the_remedy(library: Path, arguments: list[str], naming: tuple[str, ...]) -> None:  # fmt: skip
    (library / "untokenized").mkdir()
    shutil.copy(library / "converted/config.json", library / "untokenized")
    before = tree(library)
    check_refusal(add_model_here(library, "verify", "end-to-end", NAME, *arguments), naming)
    assert tree(library) == before


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        ("torch", ["verify", "end-to-end", NAME, "--from", "../original.safetensors", "--checkpoint", "converted"]),
        ("safetensors", ["convert", NAME, "converted", "--out", "again"]),
    ],
)
def test_what_is_not_installed_is_named_with_what_brings_it(library: Path, module: str, arguments: list[str]) -> None:
    code = f"import sys; sys.modules[{module!r}] = None; sys.argv = ['add-model', *{arguments!r}]; from add_model.cli import main; main()"
    check_refusal(
        run([sys.executable, "-c", code], library),
        (f"{module}, which this needs", "install it: pip install ", "huggingface-hub>=", "torch>="),
    )


def recorded_ids(library: Path, texts: list[str], path: Path) -> Path:
    tokenizer = (
        find_subject(find_holder(library), NAME).load().BrandNewBertTokenizer.from_pretrained(library / "converted")
    )
    path.write_text(
        "".join(json.dumps({"text": text, "input_ids": tokenizer(text)["input_ids"]}) + "\n" for text in texts)
    )
    return path  # fmt: skip


def compare_tokenizer(library: Path, original: Path | str, *arguments: str) -> Result:
    return add_model_here(library, "verify", "tokenizer", NAME, str(original), "--checkpoint", "converted", *arguments)


def test_a_tokenizer_that_gives_the_recorded_ids_is_done(library: Path, tmp_path: Path) -> None:
    recorded = recorded_ids(library, [TEXT, "12 and 6.78!", "é"], tmp_path / "ids.jsonl")
    result = compare_tokenizer(library, recorded)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("3 texts, ") and result.stdout.endswith("all the same\n")
    assert steps(library)[9]["state"] == "done"
    package = library / "src/my_models"
    for path in (package / f"models/{NAME}/modeling_{NAME}.py", package / "modeling_utils.py"):
        path.write_text(path.read_text() + "# more\n")
    assert steps(library)[9]["state"] == "done"  # a tokenizer does not rest on the forward pass
    for path in (package / f"models/{NAME}/tokenization_{NAME}.py", package / "tokenization_utils.py"):
        text = path.read_text()
        path.write_text(text + "# more\n")
        assert f"{path.name} has changed" in steps(library)[9]["evidence"]
        path.write_text(text)
    (library / "converted/vocab.txt").write_text("[PAD]\n")
    assert steps(library)[9]["evidence"].startswith("converted/vocab.txt has changed")


def test_the_first_text_and_position_that_differ_are_named(library: Path, tmp_path: Path) -> None:
    recorded = recorded_ids(library, [TEXT, "12 and 6.78!", "Hello fox"], tmp_path / "ids.jsonl")
    lines = [json.loads(line) for line in recorded.read_text().splitlines()]
    expected = lines[1]["input_ids"][3]
    lines[1]["input_ids"][3] = 7
    lines[2]["input_ids"].append(5)
    recorded.write_text("\n".join(map(json.dumps, lines)))
    result = compare_tokenizer(library, recorded)
    assert result.returncode == 1
    assert f"2 of 3 texts differ; first: {recorded}:2 '12 and 6.78!': position 3: original 7 " in result.stdout
    assert f"new {expected} " in result.stdout
    assert steps(library)[9]["state"] == "open"
    recorded.write_text(json.dumps(lines[2]) + "\n")
    assert "new no more ids" in compare_tokenizer(library, recorded).stdout


def test_a_tokenizer_file_is_compared_on_the_lines_of_a_text(library: Path, tmp_path: Path) -> None:
    text = tmp_path / "texts.txt"
    text.write_text("Hello 12 worlds!\n\nfox\n")
    result = compare_tokenizer(library, library / "converted/tokenizer.json", "--text", str(text))
    assert result.returncode == 0 and result.stdout.startswith("4 texts, ")
    text.write_text("only words\n")
    result = compare_tokenizer(library, library / "converted/tokenizer.json", "--text", str(text))
    assert result.returncode == 1 and "no numbers and no special characters" in result.stdout


@pytest.mark.slow
def test_a_folder_is_read_by_the_installed_transformers(library: Path) -> None:
    result = compare_tokenizer(library, library / "converted", "--json")
    found = json.loads(result.stdout)
    assert (result.returncode, found["passed"], found["details"]["different"]) == (0, True, 0)


@pytest.mark.parametrize(
    ("content", "naming"),
    [
        ("", ("ids.jsonl", "holds no text")),
        ("{}\n", ("ids.jsonl:1", "input_ids")),
        ('{"text": "a", "input_ids": [1]}\n{"text": "a", "input_ids": "1"}\n', ("ids.jsonl:2", "list of integers")),
        ("[1\n", ("ids.jsonl:1",)),
    ],
)
def test_recorded_ids_that_are_none_are_named_with_their_line(library: Path, tmp_path: Path, content: str, naming: tuple[str, ...]) -> None:  # fmt: skip
    path = tmp_path / "ids.jsonl"
    path.write_text(content)
    check_refusal(compare_tokenizer(library, path), naming)


def test_an_original_or_checkpoint_that_is_not_there_is_named(library: Path) -> None:
    check_refusal(compare_tokenizer(library, "gone"), ("gone: no such file", ".jsonl"))
    tokenizer = str(library / "converted/tokenizer.json")
    check_refusal(compare_tokenizer(library, library / "converted/config.json"), ("cannot be loaded",))
    check_refusal(compare_tokenizer(library, tokenizer, "--text", "gone.txt"), ("gone.txt: cannot be read",))
    check_refusal(
        add_model_here(library, "verify", "tokenizer", NAME, tokenizer, "--checkpoint", "gone"), ("gone is no folder",)
    )
    check_refusal(add_model_here(library, "verify", "tokenizer", NAME, tokenizer, "--checkpoint", "src"), ("cannot be loaded from it",))  # fmt: skip


def test_what_is_left_in_the_docs_is_listed_with_its_line(library: Path) -> None:
    result = add_model_here(library, "verify", "docs", NAME)
    lines = result.stdout.splitlines()
    assert result.returncode == 1 and len(lines) == 2
    assert all(line.startswith(f"docs/models/{NAME}.md:") and "To fill in" in line for line in lines)
    document = json.loads(add_model_here(library, "verify", "docs", NAME, "--json").stdout)
    assert [f"{found['path']}:{found['line']} {found['message']}" for found in document] == lines
    page = library / f"docs/models/{NAME}.md"
    page.write_text("\n".join(line for line in page.read_text().splitlines() if "To fill in" not in line))
    result = add_model_here(library, "verify", "docs", NAME)
    assert (result.returncode, result.stdout) == (0, "")
    assert steps(library)[11]["state"] == "done"


@pytest.mark.parametrize(
    "content", ["", "import nothing_of_this_name\n", "def test_it() -> None:\n    assert 1 == 2\n"]
)
def test_tests_that_fail_or_cannot_run_are_no_success(library: Path, content: str) -> None:
    (library / f"tests/models/{NAME}/test_quick.py").write_text(content)
    result = verify(library, "tests")
    if content:
        assert result.returncode == 1 and "1 failed; first: " in result.stdout
        assert "failed" in steps(library)[8]["evidence"]
    else:
        assert result.returncode == 2 and "holds no tests" in result.stderr


def test_tests_that_are_not_there_are_named(library: Path) -> None:
    shutil.rmtree(library / f"tests/models/{NAME}")
    check_refusal(verify(library, "tests"), (f"tests/models/{NAME}", "no such tests"))


NOTEBOOK = f"notebooks/{NAME}.ipynb"


@pytest.mark.slow
def test_a_notebook_is_written_and_runs_from_top_to_bottom(library: Path) -> None:
    result = add_model_process(library, "verify", "notebook", NAME, "--checkpoint", "converted", "--text", TEXT)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "5 cells ran from top to bottom" in result.stdout
    assert steps(library)[14]["state"] == "done"
    cells = json.loads((library / NOTEBOOK).read_text())["cells"]
    code = "".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    assert TEXT in code and "optimizer.step()" in code
    for command in (["check", "."], ["format", "--check", "."]):
        assert run([sys.executable, "-m", "ruff", *command], library).returncode == 0

    written = (library / NOTEBOOK).read_text()
    (library / NOTEBOOK).write_text(written.replace("optimizer.step()", "optimizer.stop()"))
    assert f"{NOTEBOOK} has changed" in steps(library)[14]["evidence"]
    result = verify(library, "notebook")
    assert result.returncode == 1
    assert "cell 5 of 5 fails: AttributeError: 'AdamW' object has no attribute 'stop'" in result.stdout
    assert steps(library)[14]["state"] == "open"
    assert "optimizer.stop()" in (library / NOTEBOOK).read_text()


def test_a_notebook_that_stands_is_not_overwritten(library: Path) -> None:
    path = library / NOTEBOOK
    path.parent.mkdir()
    path.write_text("mine")
    check_refusal(add_model_here(library, "verify", "notebook", NAME, "--text", "x"), (NOTEBOOK, "--force"))
    check_refusal(add_model_here(library, "verify", "notebook", NAME), (NOTEBOOK, "is no notebook"))
    assert path.read_text() == "mine"


def test_a_notebook_needs_a_checkpoint_to_show(library: Path) -> None:
    before = tree(library)
    check_refusal(add_model_here(library, "verify", "notebook", NAME), ("no converted checkpoint", "--checkpoint DIR"))
    assert tree(library) == before
