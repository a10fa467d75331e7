"""What is typed by somebody who does not know the commands yet, and what they say: one line, and what to type instead."""

import json
import os
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from add_model import installed
from add_model.cli.commands import app
from add_model.family import family
from add_model.scaffold.destination import find_holder
from add_model.scaffold.elsewhere import whereabouts
from tests.scaffold.libraries import bundled

from .commands import SOURCES, add_model_here, check_refusal, done, forget_modules, refused

NAME = "brand_new_bert"
NEW = ("--name", "new_model", "--into", "my_models", "--dry-run")


@pytest.fixture
def without_transformers(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that Transformers is not installed in, as far as is looked for it."""
    real = installed._specification
    monkeypatch.setattr(installed, "_specification", lambda name: None if name == "transformers" else real(name))


@pytest.mark.parametrize("reference", ["clip", "CLIP", "openai/whisper-base", "whisper", "wav2vec2-base"])
def test_a_model_that_is_not_bundled_says_what_to_install_and_type(
    tmp_path: Path, reference: str, without_transformers: None
) -> None:
    model = {"clip": "clip", "CLIP": "clip", "wav2vec2-base": "wav2vec2"}.get(reference, "whisper")
    naming = ("not bundled", "pip install --upgrade transformers", f"add-model like transformers:{model}")
    refused(tmp_path, reference, *NEW, naming=naming)


def test_every_listed_model_that_is_not_bundled_is_answered_so(without_transformers: None) -> None:
    others = [member.model_type for member in family() if member.model_type not in bundled()]
    assert len(others) == 12
    for model in others:
        said = whereabouts(model, None)
        assert said is not None and "pip install" in said and f"add-model like transformers:{model}" in said, model


def test_a_model_that_transformers_has_no_longer_is_started_from_in_an_older_release(tmp_path: Path) -> None:
    naming = ("has it no longer", "add-model like trajectory_transformer --into CHECKOUT")
    refused(tmp_path, "trajectory_transformer", *NEW, naming=naming)


@pytest.mark.parametrize("reference", ["whisper", "llama", "openai/whisper-base"])
def test_what_is_installed_need_not_be_installed_again(tmp_path: Path, reference: str) -> None:
    model = "llama" if reference == "llama" else "whisper"
    line = refused(tmp_path, reference, *NEW, naming=(f"type: add-model like transformers:{model}",))
    assert "pip install" not in line
    assert f"like transformers:{model}" in done(tmp_path, f"transformers:{model}", *NEW)


@pytest.mark.parametrize("reference", ["whisper", "transformers:whisper"])
def test_a_library_of_another_kind_says_where_the_model_can_go(library: Path, reference: str) -> None:
    naming = ("zoo:bart", "add-model like transformers:whisper --into ANOTHER_FOLDER")
    refused(library, reference, "--name", "new_model", naming=naming)


@pytest.mark.parametrize(("reference", "model"), [("BERT", "bert"), ("Bert", "bert"), ("GPT-2", "gpt2"), ("zoo:BART", "bart")])  # fmt: skip
def test_another_spelling_is_the_model_meant(tmp_path: Path, reference: str, model: str) -> None:
    assert f"NewModel, like zoo:{model}:" in done(tmp_path, reference, *NEW)


@pytest.mark.parametrize(("reference", "model"), [("transformers:XLM-RoBERTa", "xlm_roberta"), ("transformers:BERT", "bert")])  # fmt: skip
def test_another_spelling_of_one_of_transformers_is_the_model_meant(tmp_path: Path, reference: str, model: str) -> None:  # fmt: skip
    assert f"NewModel, like transformers:{model}:" in done(tmp_path, reference, *NEW)


@pytest.mark.parametrize(
    ("reference", "meant"),
    [
        ("bert-base-uncased", "zoo:bert"),
        ("google-bert/bert-base-uncased", "zoo:bert"),
        ("facebook/bart-large-cnn", "zoo:bart"),
        ("transformers:google/vit-base-patch16-224", "transformers:vit"),
    ],
)
def test_a_checkpoints_name_is_answered_with_its_model(tmp_path: Path, reference: str, meant: str) -> None:
    refused(tmp_path, reference, *NEW, naming=(f"unknown reference {reference!r}", meant))


def test_a_misspelt_folder_is_said_before_the_reference_that_only_the_meant_one_knows(library: Path) -> None:
    missing = library.with_name(library.name[:-1] + "z")
    arguments = (NAME, "--name", "second_bert", "--into", str(missing))
    naming = (f"no folder {missing.name}", "did you mean --into", library.name)
    refused(library.parent, *arguments, naming=naming)
    elsewhere = ("no_model", "--name", "a_model", "--into", "another_place")
    assert "did you mean --into" not in refused(library.parent, *elsewhere, naming=("no_model",))


@pytest.mark.parametrize("name", ["vit", "vi_t", "g_pt2"])
def test_a_name_that_transformers_has_taken_says_so(tmp_path: Path, name: str) -> None:
    arguments = ("transformers:bert", "--name", name, "--into", "my_models")
    refused(tmp_path, *arguments, naming=(repr(name), "the installed transformers", "choose another"))


def test_what_the_new_model_would_bring_says_whose_it_is_already(tmp_path: Path) -> None:
    arguments = ("transformers:bert", "--name", "auto", "--into", "my_models")
    refused(tmp_path, *arguments, naming=("the installed transformers",))


@pytest.mark.parametrize("reference", ["bert", "transformers:vit"])
def test_the_package_of_a_folder_that_cannot_be_one_is_told_with_the_reason(tmp_path: Path, reference: str) -> None:
    shown = done(tmp_path, reference, "--name", "new_model", "--into", "2024-models", "--dry-run")
    assert "the package is called models: 2024-models, the folder, is no name" in shown
    assert "begins with a letter" in shown
    plain = done(tmp_path, reference, *NEW)
    assert "the package is called" not in plain


@pytest.mark.parametrize("into", ["test", "numpy", "Yaml", "json", "hypothesis", "pytest"])
@pytest.mark.parametrize("reference", ["bert", "transformers:vit"])
def test_a_folder_whose_package_would_hide_another_is_refused(tmp_path: Path, into: str, reference: str) -> None:
    arguments = (reference, "--name", "new_model", "--into", into)
    refused(tmp_path, *arguments, naming=(repr(into.lower()), "imports another", "my_models"))


def test_what_happens_to_be_installed_is_not_hidden_either(tmp_path: Path) -> None:
    naming = ("'libcst'", "imports another")
    refused(tmp_path, "bert", "--name", "new_model", "--into", "libcst", naming=naming)


def test_what_was_not_wanted_is_not_listed_as_left_out(tmp_path: Path) -> None:
    shown = done(tmp_path, "bert", *NEW, "--heads", "masked-lm", "--tokenizer-like", "none")
    assert "left out" not in shown and "BertForMultipleChoice" not in shown


@pytest.mark.parametrize("command", ["remove", "status", "convert"])
def test_outside_a_library_the_way_to_the_one_below_is_told(library: Path, command: str) -> None:
    arguments = ["foo", "model.bin"] if command == "convert" else ["foo"]
    (library.parent / "notes.txt").touch()
    check_refusal(add_model_here(library.parent, command, *arguments), ("go to my_models", "--into my_models"))


@pytest.mark.parametrize("command", ["remove", "status"])
def test_far_from_any_library_it_says_what_to_go_to(tmp_path: Path, command: str) -> None:
    (tmp_path / "empty").mkdir()
    check_refusal(add_model_here(tmp_path / "empty", command, "foo"), ("go to the folder of a library", "--into DIR"))


def test_removing_a_misspelt_model_names_the_nearest_first(library: Path) -> None:
    done(library, "gpt2", "--name", "tiny_gpt")
    check_refusal(add_model_here(library, "remove", "tiny_gtp"), ("there are: tiny_gpt, brand_new_bert",))


@pytest.mark.parametrize("paths", [["/nope"], ["src", "/nope"], ["nope/deeper"]])
def test_a_path_that_is_not_there_is_named(library: Path, paths: list[str]) -> None:
    for folder in (library, library.parent):
        check_refusal(add_model_here(folder, "check-copies", *paths[-1:]), (f"{paths[-1]}: no such file or folder",))
    check_refusal(add_model_here(library, "check-copies", *paths), (f"{paths[-1]}: no such file or folder",))


@pytest.mark.parametrize("command", [("convert", "brand_nw_bert", "model.bin"), ("record", "brand_nw_bert"), ("status", "brand_nw_bert")])  # fmt: skip
def test_a_misspelt_model_is_answered_with_the_librarys_nearest_first(library: Path, command: tuple[str, ...]) -> None:
    done(library, "gpt2", "--name", "tiny_gpt")
    line = add_model_here(library, *command)
    check_refusal(line, ("no model 'brand_nw_bert'", "its models, nearest first: brand_new_bert, tiny_gpt"))
    assert "zoo:" not in line.stderr


@pytest.mark.parametrize("target", ["script.py:mak", "script.py:", "script.py"])
def test_a_function_that_a_script_does_not_have_is_answered_with_those_it_has(tmp_path: Path, target: str) -> None:
    (tmp_path / "script.py").write_text("def other():\n    pass\n\n\ndef make():\n    pass\n")
    result = add_model_here(tmp_path, "record", target)
    first = "make, other" if target.endswith("mak") else "other, make"
    check_refusal(result, ("script.py", first, f"pass script.py:{first.split(',')[0]}"))


def test_a_script_without_a_function_says_so(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("x = 1\n")
    check_refusal(add_model_here(tmp_path, "record", "script.py:make"), ("no function 'make'", "it defines none"))


@pytest.fixture
def without_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.parametrize("options", [(), ("--class", "BrandNewBertModel")])
@pytest.mark.parametrize("target", [NAME, "transformers:bert"])
def test_a_checkpoint_that_is_not_there_is_not_looked_for_elsewhere(
    library: Path, target: str, options: tuple[str, ...], without_network: None
) -> None:
    if target != NAME and options:
        options = ("--class", "BertModel")
    result = add_model_here(library, "record", target, "--checkpoint", "somebody/absent", *options)
    check_refusal(result, ("--checkpoint somebody/absent: no such folder",))
    (library / "file").touch()
    result = add_model_here(library, "record", target, "--checkpoint", "file", *options)
    check_refusal(result, ("--checkpoint file: is a file", "pass the folder"))


def test_verify_with_a_model_alone_names_what_can_be_verified(library: Path) -> None:
    result = add_model_here(library, "verify", NAME)
    check_refusal(result, (NAME, "tests, tokenizer, end-to-end, docs, notebook", f"add-model verify docs {NAME}"))
    example = result.stderr.split("for example: add-model ")[1].split()
    assert add_model_here(library, *example).returncode == 1


@pytest.mark.parametrize(("typed", "naming"), [(("verify", "tsts", NAME), "did you mean tests?"), (("verify", "zzz"), "choose from: tests,"), (("lik", "bert"), "did you mean like?"), (("check", "src"), "did you mean check-copies?")])  # fmt: skip
def test_a_word_that_is_no_command_is_answered_with_the_nearest(tmp_path: Path, typed: tuple[str, ...], naming: str) -> None:  # fmt: skip
    check_refusal(add_model_here(tmp_path, *typed), (naming, "--help"))


def test_status_without_a_name_shows_every_model_and_how_far_it_is(library: Path) -> None:
    done(library, "gpt2", "--name", "tiny_gpt", "--tokenizer-like", "none")
    result = add_model_here(library, "status")
    assert result.returncode == 1
    first, second = result.stdout.splitlines()
    assert first.split()[0] == NAME and "1 of 12 mandatory steps done; open next: 2" in first
    assert second.split()[0] == "tiny_gpt" and "1 of 11 mandatory steps done" in second
    assert "add-model status NAME" in result.stderr
    shown = json.loads(add_model_here(library, "status", "--json").stdout)
    assert [model["name"] for model in shown] == [NAME, "tiny_gpt"]


def test_a_tick_without_a_model_asks_for_it(library: Path) -> None:
    check_refusal(
        add_model_here(library, "status", "--done", "3", "--note", "x"), ("which model?", "NAME --done STEP")
    )


def converted(library: Path) -> Path:
    import torch

    from add_model.porting.model.subject import find_subject

    path, loaded = list(sys.path), set(sys.modules)
    subject = find_subject(find_holder(library), NAME)
    config = subject.configure({"vocab_size": 30, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8})  # fmt: skip
    torch.manual_seed(0)
    folder = library / "converted" / NAME
    subject.build(config, device="cpu").save_pretrained(folder)
    forget_modules(sys.modules.keys() - loaded, library)
    sys.path[:] = path
    return folder


def test_a_dry_run_of_publishing_exists_and_the_default_is_said_plainly(library: Path) -> None:
    folder = converted(library)
    for options in ((), ("--dry-run",)):
        result = add_model_here(library, "publish", NAME, "--checkpoint", str(folder), *options)
        assert result.returncode == 1
        assert "nothing was uploaded (a dry run, as always without --upload)" in result.stderr
    both = ("--dry-run", "--upload", "--repository", "me/mine")
    check_refusal(add_model_here(library, "publish", NAME, *both), ("--upload and --dry-run exclude each other",))
    assert "--dry-run" in add_model_here(library, "publish", "--help").stdout


def available(folder: Path, *arguments: str) -> dict[str, list[str]]:
    result = add_model_here(folder, "references", "--json", *arguments)
    assert result.returncode == 0, result.stderr
    return {row["type"]: row["available"] for row in json.loads(result.stdout)}


def test_references_lists_as_available_what_like_takes_here(library: Path, tmp_path: Path) -> None:
    assert available(library)["whisper"] == [] and available(library)["bert"] == ["zoo"]
    empty = tmp_path / "empty"
    empty.mkdir()
    assert available(empty)["whisper"] == ["transformers"] and available(empty)["bert"] == ["zoo", "transformers"]
    done(tmp_path, "transformers:bert", "--name", "other_bert", "--into", "other_models")
    other = available(tmp_path / "other_models")
    assert other["whisper"] == other["bert"] == ["transformers"]
    for folder, reference in ((library, "bert"), (empty, "transformers:vit"), (tmp_path / "other_models", "whisper")):
        done(folder, reference, "--name", "new_model", "--dry-run")


def test_references_lists_nothing_of_transformers_where_it_is_not_installed(
    tmp_path: Path, without_transformers: None
) -> None:
    found = available(tmp_path)
    assert found["whisper"] == [] and found["bert"] == ["zoo"]


def suggested(library: Path) -> list[str]:
    steps = json.loads(add_model_here(library, "status", NAME, "--json").stdout)["steps"]
    return [step["next"] for step in steps if step["next"]]


def type_it(library: Path, command: str) -> None:
    """Types what is suggested, as far as it is ours and leaves nothing to be filled in: it must be understood."""
    for part in command.split(" && "):
        words = shlex.split(part)
        to_fill_in = [word for word in words if word.isupper() or "SCRIPT" in word or "USER" in word]
        if words[0] != "add-model" or to_fill_in:
            # Nothing that is invented stands where a name is to be filled in.
            assert "original.safetensors" not in words or words[1] == "record", part
            continue
        result = add_model_here(library, *words[1:])
        assert result.returncode in (0, 1), (part, result.stderr)


def test_what_status_suggests_can_be_typed_at_every_stage_of_a_port(library: Path) -> None:
    commands = suggested(library)
    assert sum("DIR" in command or "RECORDING" in command for command in commands) >= 3
    for command in commands:
        if " verify tests" not in command:
            type_it(library, command)
    folder = converted(library)
    out = ("--out", str(library / "original.safetensors"), "--original-of", NAME)
    assert add_model_here(library, "record", "zoo:bert", "--input-ids", "1,2,3", *out).returncode == 0
    found = " ".join(suggested(library))
    assert "compare original.safetensors new.safetensors" in found
    assert "--from original.safetensors" in found and "--text TEXT" in found
    assert f"{folder.name} --checkpoint DIR" in found


def test_what_is_suggested_from_elsewhere_says_where_to_go(library: Path) -> None:
    result = add_model_here(library.parent, "status", NAME, "--into", "my_models")
    assert result.stdout.rstrip().splitlines()[-1].startswith("  cd my_models && ")


@pytest.mark.parametrize("python", ["3.9", "old", "absent"])
def test_a_python_that_is_too_old_is_told_what_is_needed(tmp_path: Path, python: str) -> None:
    old = tmp_path / "old"
    old.write_text('#!/bin/sh\ncase "$*" in *version_info*) exit 1;; --version) echo "Python 3.9.18";; esac\n')
    old.chmod(0o755)
    result = subprocess.run(
        ["bash", "scripts/demo.sh", str(tmp_path / "demo")],
        cwd=SOURCES,
        env={**os.environ, "PYTHON": str(old) if python == "old" else python, "ENVIRONMENT": str(tmp_path / "none")},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 2
    assert "needs Python 3.10 or newer" in result.stderr and "PYTHON=python3.12" in result.stderr
    assert not (tmp_path / "none").exists()


def test_what_is_missing_is_named_so_that_it_can_be_typed() -> None:
    from add_model.extras import install_command

    command = install_command("convert")
    assert "add-model" not in command and "scipy" in command and "torch" in command


def test_every_command_is_in_a_group_that_answers_in_one_line() -> None:
    assert app.info.cls is not None and app.info.cls.__name__ == "Group"
    assert sys.modules["add_model.cli.verify"].app.info.cls.__name__ == "StepsGroup"
