"""Whatever a tree, a checkpoint, a recording or a caller calls things, no command lets it steer who looks at the output."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy
import pexpect
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from add_model.copies.remembering.recall import cache_folder, recall
from add_model.library import find_library
from add_model.porting.recording import Recorder
from tests.cli.commands import SOURCES, done
from tests.scaffold.terminal import CTRL_C, ENTER, Terminal

from .hostile import INJECTED, Said, file_names, on_one_line, said, said_by_process, texts

WORST = f"\x1b[31m\n{INJECTED}\n::error::a\u202e\u200b\x9b\x85\u2028##[error]b\r[red]\x00"
FORMATS = ("text", "json", "github", "sarif")
# Others in every run; where one costs a fraction of a second.
drawn_anew = settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
drawn = settings(drawn_anew, derandomize=True)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with the model `new_bert`; not to be changed."""
    folder = tmp_path_factory.mktemp("made")
    done(folder, "bert", "--name", "new_bert", "--into", "my_models", "--yes")
    return folder / "my_models"


@pytest.fixture
def library(made: Path, tmp_path: Path) -> Path:
    """A copy of it, to be changed at will."""
    return Path(shutil.copytree(made, tmp_path / "my_models"))


def fresh(folder: Path) -> Path:
    """An empty folder, whatever an earlier example has left there."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def write_tree(root: Path, name: bytes, text: str) -> None:
    """A library in which each kind of finding quotes the name or the text."""
    package = fresh(root) / "src" / "pkg"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    quoted = on_one_line(text)
    body = f'    def f(self):\n        """{quoted}\n\n::error::in a docstring\n  ::error::there\n        """\n        return "{quoted}"  # {quoted}\n'
    original = f"class A:\n{body}"
    copy = original.replace("class A", "class B")
    drifted = f"# Copied from pkg.a.A with A->B\n{copy}"
    (package / "a.py").write_bytes(encoded(original))
    (package / "b.py").write_bytes(encoded(drifted.replace("return ", "return\t1 or ")))
    marker = (
        f"# Copied from pkg.a.{quoted}\nclass C: pass\n\n# Copied from pkg.a.A with {quoted}->x, A->D, ({quoted})\n"
    )
    folder = os.fsencode(package) + b"/" + name
    os.mkdir(folder)
    with open(folder + b"/" + name + b".py", "wb") as file:
        file.write(encoded(marker + original.replace("class A", "class D") + drifted.replace("return", "return not ")))
    with open(folder + b"/broken.py", "wb") as file:
        file.write(encoded(f"x = {quoted} (\n{drifted}"))
    with open(folder + b"/undecodable.py", "wb") as file:
        file.write(f"# -*- coding: {quoted} -*-\n".encode("utf-8", "replace") + b"\xff")


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


@pytest.mark.slow
@pytest.mark.parametrize("output_format", FORMATS)
@drawn_anew
@given(name=file_names, text=texts)
@example(name=b"n" + os.fsencode(WORST.replace("\x00", "")), text=WORST)
def test_a_check_in_every_format(output_format: str, name: bytes, text: str, tmp_path: Path) -> None:
    write_tree(tmp_path / "tree", name, text)
    options = ["--no-cache"] if output_format == "text" else ["--output-format", output_format]
    result = said(tmp_path / "tree", "check-copies", *options).check(own_commands=output_format == "github")
    assert b"CP001" in result.output and result.code == 2
    if output_format in ("json", "sarif"):
        json.loads(result.output)


@pytest.mark.slow
@drawn_anew
@given(name=file_names, text=texts)
@example(name=b"n" + os.fsencode(WORST.replace("\x00", "")), text=WORST)
def test_a_fix_and_what_is_shown_of_it(name: bytes, text: str, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    write_tree(tree, name, text)
    before = (tree / "src/pkg/a.py").read_bytes()
    # The way of a terminal, of a cached answer, and of a diff.
    for options in (["--statistics"], ["--select", "CP001,CP002"], [], [], ["--diff"], ["--fix"]):
        said(tree, "check-copies", *options).check()
    # What is written keeps its bytes.
    assert (tree / "src/pkg/a.py").read_bytes() == before
    assert (tree / "src/pkg/b.py").read_bytes().partition(b"\n")[2] == before.replace(b"A", b"B")


@pytest.mark.slow
@drawn_anew
@given(name=file_names, text=texts)
@example(name=b"n" + os.fsencode(WORST.replace("\x00", "")), text=WORST)
def test_an_answer_that_was_kept(name: bytes, text: str, tmp_path: Path) -> None:
    package = fresh(tmp_path / "tree") / "src" / "pkg"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    path, quoted = os.fsencode(package) + b"/" + name + b".py", on_one_line(text)
    with open(path, "wb") as file:
        file.write(
            encoded(
                f"# Copied from pkg.missing.A with a->{quoted}\nclass C: pass\n# Copied from pkg.{quoted}\nx = 1\n"
                # Something has to be compared: of a run without that, nothing is kept.
                "# Copied from pkg.original.A with A->D\nclass D: pass\n"
            )
        )
    (package / "original.py").write_text("class A: pass\n")
    now = time.time_ns
    with pytest.MonkeyPatch.context() as patch:
        # What was written just now is looked at again; an hour later it is not.
        patch.setattr(time, "time_ns", lambda: now() + 3_600_000_000_000)
        first = said(tmp_path / "tree", "check-copies").check()
        assert recall(find_library(tmp_path / "tree"), cache_folder(), in_full=False).answer is not None
        second = said(tmp_path / "tree", "check-copies").check()
    assert second.output == first.output and b"CP002" in first.output


@pytest.mark.slow
@drawn
@given(
    text=texts,
    key=st.sampled_from(["exclude", "package", "templates", "source", "follows", "full-copies", "per-file-ignores"]),
)
@example(text=WORST, key="package")
def test_a_configuration_that_is_wrong(text: str, key: str, tmp_path: Path) -> None:
    write_tree(tmp_path / "tree", b"name", "text")
    quoted = json.dumps(text.encode("utf-8", "replace").decode())
    value = {"full-copies": f"{{{quoted} = {quoted}}}", "per-file-ignores": f"{{{quoted} = [{quoted}]}}"}.get(
        key, quoted
    )
    lists = f"[{value}]" if key in ("exclude", "follows") else value
    contents = [f"{key} = {lists}", f"{quoted} = 1", f"{key} = [{value}, 1]", f"{key} = {text}"]
    for content in contents:
        path = tmp_path / "tree/pyproject.toml"
        path.write_bytes(encoded(f"[tool.add-model]\n{content}\n"))
        for command in (["check-copies"], ["references"], ["remove", "name"], ["status", "name"]):
            said(tmp_path / "tree", *command).check()


@pytest.mark.slow
@drawn
@given(text=texts.filter(lambda text: "\0" not in text))
@example(text=WORST.replace("\0", ""))
@example(text="::error::a")
@example(text="--\n::error::a")
def test_what_is_typed(text: str, library: Path) -> None:
    for command in (
        ["check-copies", text],
        ["check-copies", "--root", text],
        ["check-copies", "--base", text],
        ["check-copies", "--select", text],
        ["check-copies", "--output-format", text],
        ["like", text, "--name", "other", "--yes"],
        ["like", "bert", "--name", text, "--yes"],
        ["like", "bert", "--name", "other", "--heads", text, "--yes"],
        ["like", "bert", "--name", "other", "--tokenizer-like", text, "--yes"],
        ["like", "--answers", text],
        ["remove", text],
        ["references", text],
        ["references", "--into", text],
        ["status", text],
        ["status", "new_bert", "--done", "4", "--note", text],
        ["convert", text, "checkpoint"],
        ["convert", "new_bert", text],
        ["convert", "new_bert", "--shard-size", text, "checkpoint"],
        ["record", text],
        ["record", f"{text}.py:make"],
        ["compare", text, text],
        ["verify", text],
        ["verify", "docs", text],
        ["publish", "new_bert", "--checkpoint", text],
        [text],
        [f"--{text}"],
        ["check-copies", f"--{text}"],
    ):
        said(library, *command).check()


@pytest.mark.slow
@drawn
@given(text=texts)
@example(text=WORST)
def test_answers_of_somebody_else(text: str, made: Path, tmp_path: Path) -> None:
    folder = fresh(tmp_path / "answers")
    good = {"version": 1, "reference": "zoo:bert", "name": "other", "package": "my_models", "heads": [], "novelty": ""}
    for key in ("reference", "name", "package", "tokenizer_like", "style", text.encode("utf-8", "replace").decode()):
        stored = "\n".join(f"{json.dumps(name)} = {json.dumps(value)}" for name, value in {**good, key: text}.items())
        (folder / "answers.toml").write_bytes(encoded(stored))
        said(folder, "like", "--answers", "answers.toml", "--into", "new", "--dry-run").check()
    (folder / "answers.toml").write_bytes(encoded(text))
    said(folder, "like", "--answers", "answers.toml", "--into", "new", "--dry-run").check()


@pytest.mark.slow
@settings(drawn, max_examples=2)
@given(text=texts, name=file_names)
@example(text=WORST, name=b"n" + os.fsencode(WORST.replace("\x00", "")))
def test_a_model_with_a_hidden_text_and_templates(text: str, name: bytes, made: Path, tmp_path: Path) -> None:
    library = Path(shutil.copytree(made, fresh(tmp_path / "like") / "my_models"))
    with open(library / "pyproject.toml", "a") as file:
        file.write('templates = "own"\n')
    (library / "own/model").mkdir(parents=True)
    with open(os.fsencode(library / "own/model") + b"/" + name + b".txt.jinja", "w") as file:
        file.write("text")
    novelty = text.replace("\0", "").encode("utf-8", "replace").decode()
    for options in (["--dry-run"], ["--json"], ["--force"], ["--finish"]):
        said(library, "like", "bert", "--name", "other", "--novelty", novelty, "--yes", *options).check()
    said(library, "references", "other").check()
    said(library, "references", "--json").check()
    for page in ("models", "model_cards"):
        shown = (library / f"docs/{page}/other.md").read_text().split("\n")
        Said(
            0, "\n".join(line for line in shown if not line.lstrip().startswith((INJECTED, "::"))).encode(), b""
        ).check()
    for options in (["--dry-run"], ["--json", "--dry-run"], []):
        said(library, "remove", "other", *options).check()


@pytest.mark.slow
@drawn
@given(names=st.lists(texts, min_size=2, max_size=3, unique=True))
@example(names=[WORST, "::error::a"])
def test_recordings(names: list[str], tmp_path: Path) -> None:
    folder = fresh(tmp_path / "recordings")
    names = [name.encode("utf-8", "replace").decode() for name in names]
    for path, factor in (("one", 1.0), ("same", 1.0), ("other", 2.0)):
        with Recorder(folder / f"{path}.safetensors") as recorder:
            for number, name in enumerate(names):
                recorder.record(name, numpy.arange(6, dtype=numpy.float32).reshape(2, 3) * factor + number)
    for other in ("same", "other"):
        for options in ([], ["--all"], ["--json"], ["--html", "page.html"]):
            result = said(folder, "compare", "one.safetensors", f"{other}.safetensors", *options).check()
            assert result.code == (0 if other == "same" else 1), result
        # Lines of a page are those of its markup.
        page = (folder / "page.html").read_text()
        Said(0, page.replace(INJECTED, "").encode(), b"").check()
        assert "<b>&" not in page and "\n::" not in page


@pytest.mark.slow
@drawn
@given(name=texts)
@example(name=WORST)
def test_a_checkpoint(name: str, made: Path, tmp_path: Path) -> None:
    folder = fresh(tmp_path / "checkpoint")
    # A weight has a name, and one that a rule can say.
    name = name.encode("utf-8", "replace").decode() or "weight"
    save_file(
        {name: numpy.ones((2, 3), numpy.float32), "::error::a": numpy.ones(3, numpy.float32)}, folder / "w.safetensors"
    )
    (folder / "rules.toml").write_text(f"[[drop]]\nfrom = {json.dumps(name)}\nreason = {json.dumps(name)}\n")
    for config in (
        {"vocab_size": name},
        {name: name},
        {"architectures": [name]},
        {"n_layer": 1, "n_embd": 4, "n_head": 2},
    ):
        (folder / "config.json").write_text(json.dumps(config))
        for options in ([], ["--json"], ["--rules", "rules.toml"], ["--class", name.replace("\0", "")]):
            said(folder, "convert", "zoo:gpt2", "w.safetensors", "--config", "config.json", *options).check()
    result = said(folder, "convert", "zoo:gpt2", "w.safetensors", "--suggest", "--force").check()
    assert result.code == 0, result


@pytest.mark.slow
@drawn
@given(text=texts, name=file_names)
@example(text=WORST, name=b"n" + os.fsencode(WORST.replace("\x00", "")))
def test_the_evidence_of_a_port(text: str, name: bytes, made: Path, tmp_path: Path) -> None:
    library = Path(shutil.copytree(made, fresh(tmp_path / "port") / "my_models"))
    text = text.encode("utf-8", "replace").decode()
    for step in ("3", "4"):
        said(library, "status", "new_bert", "--done", step, "--note", f"a {text}".replace("\0", "")).check()
    said(library, "status", "new_bert", "--json").check()
    (stored,) = (library / ".add-model").rglob("*note-3*")
    content = json.loads(stored.read_text())
    stored.write_text(json.dumps({**content, "figure": text}))
    said(library, "status", "new_bert").check()
    modeling = library / "src/my_models/models/new_bert/modeling_new_bert.py"
    modeling.write_bytes(modeling.read_bytes().replace(b'"""', b'"""' + encoded(on_one_line(text))))
    card = library / "docs/model_cards/new_bert.md"
    card.write_text(f"---\ntags: [{text}]\n---\n# {text}\n\n## What it is for {text}\n")
    checkpoint = fresh(library / "converted")
    with open(os.fsencode(checkpoint) + b"/" + name, "w") as file:
        file.write("text")
    for command in (
        ["verify", "docs", "new_bert"],
        ["verify", "docs", "new_bert", "--json"],
        ["publish", "new_bert", "--checkpoint", "converted"],
        ["publish", "new_bert", "--checkpoint", "converted", "--json"],
        ["verify", "tokenizer", "new_bert", os.fsdecode(b"converted/" + name), "--checkpoint", "converted"],
        ["verify", "end-to-end", "new_bert", "--from", os.fsdecode(b"converted/" + name), "--checkpoint", "converted"],
    ):
        said(library, *command).check()


def test_real_processes(tmp_path: Path) -> None:
    name = b"n" + os.fsencode(WORST.replace("\x00", "")) + b"\xff\x9b"
    write_tree(tmp_path / "tree", name, WORST)
    for options in (
        [],
        ["--diff"],
        ["--output-format", "github"],
        ["--output-format", "json"],
        ["--root", os.fsdecode(name)],
    ):
        own = "github" in options
        result = said_by_process(tmp_path / "tree", "check-copies", *options).check(own_commands=own)
        assert result.code in (1, 2)


def test_a_crash_quotes_nothing_that_steers(tmp_path: Path) -> None:
    code = f"import add_model.cli as cli\ndef crash(): raise KeyError({WORST!r}) from ValueError({WORST!r})\ncli._run = crash\ncli.script()"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True)
    Said(run.returncode, run.stdout, run.stderr.replace(INJECTED.encode(), b"")).check()
    assert run.returncode == 1 and b"Traceback" in run.stderr and rb"\x1b[31m" in run.stderr


def test_a_warning_of_python_quotes_nothing_that_steers(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modeling = library / "src/my_models/models/new_bert/modeling_new_bert.py"
    modeling.write_text(modeling.read_text() + 'TEXT = "\\\x1b[31m\\\u202e"\n')
    # As newer versions of Python show it without being asked.
    monkeypatch.setenv("PYTHONWARNINGS", "default")
    result = said_by_process(library, "like", "library:new_bert", "--name", "other", "--dry-run", "--yes").check()
    assert b"invalid escape sequence" in result.errors


def test_on_a_terminal_there_are_colours_and_no_other_sequences(tmp_path: Path) -> None:
    clearing = WORST.replace("\x1b[31m", "\x1b[2J")
    write_tree(tmp_path / "tree", b"n" + os.fsencode(clearing.replace("\x00", "")), clearing)
    wanted = {"TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8", "PYTHONPATH": str(SOURCES)}
    environment = {**os.environ, **wanted}
    command = ["-m", "add_model", "check-copies"]
    child = pexpect.spawn(sys.executable, command, cwd=str(tmp_path / "tree"), env=environment, dimensions=(60, 80))
    seen = child.read()
    child.close()
    plain = re.sub(rb"\x1b\[[0-9;]*m", b"", seen)
    assert plain != seen and b"CP001" in plain
    Said(0, plain.replace(b"\r\n", b"\n"), b"").check()


def test_an_interview_quotes_nothing_that_steers(library: Path) -> None:
    answers = library / ".add-model/models/new_bert/answers.toml"
    answers.write_text(answers.read_text().replace('novelty = ""', f"novelty = {json.dumps('Steered' + WORST[:-1])}"))
    terminal = Terminal([sys.executable, "-m", "add_model", "like"], library)
    terminal.wait_for("What kind of model is it?")
    terminal.press(ENTER)
    terminal.wait_for("Steered")
    shown = terminal.screen
    terminal.press(CTRL_C)
    terminal.child.read()
    terminal.child.close()
    (line,) = (line for line in shown.split("\n") if "Steered" in line)
    assert r"\u202e" in line
    Said(0, line.encode(), b"").check()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["[red]a", "[link=a]b", "[bold]", ":smile:"])
def test_a_name_is_no_markup(name: str, made: Path, tmp_path: Path) -> None:
    library = Path(shutil.copytree(made, tmp_path / name))
    result = said(library, "like", "bert", "--name", "other", "--dry-run", "--yes").check()
    assert result.code == 0 and result.output.startswith(f"{name}/\n".encode())
    result = said(tmp_path, "like", "bert", "--name", "other", "--yes", "--into", name).check()
    assert f"  cd '{name}'\n".encode() in result.output or f"  cd {name}\n".encode() in result.output
