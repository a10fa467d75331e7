import json
import sys

import pytest

from add_model.cli import main
from add_model.family import family
from tests.scaffold.libraries import make_library


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """Runs `add-model references` in an empty folder: exit status, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["add-model", "references", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        output = capsys.readouterr()
        return int(end.value.code or 0), output.out, output.err

    return run


def test_the_table_lists_the_whole_family_under_modality_and_kind(run) -> None:
    status, out, err = run()
    lines = [line.split() for line in out.splitlines()]
    assert status == 0
    for member in family():
        assert f"{member.modality} / {member.kind}" in out.splitlines()
        assert any(line[:1] == [member.model_type] for line in lines)
        assert member.description in out
    assert "add-model like" in err


def test_each_line_says_where_the_model_can_be_had(run) -> None:
    _, out, _ = run("text")
    places = {line.split()[0]: line.rstrip() for line in out.splitlines() if line.startswith("  ")}
    assert places["bert"].endswith("bundled, transformers")
    assert places["roberta"].endswith("bundled, transformers")
    elsewhere = {row.split()[0]: row.rstrip() for row in run("audio")[1].splitlines() if row.startswith("  ")}
    assert elsewhere["whisper"].endswith(" transformers") and "bundled" not in elsewhere["whisper"]


@pytest.mark.parametrize(
    ("family_filter", "types"),
    [("audio", ["wav2vec2", "hubert", "speech_to_text", "whisper"]), ("gpt-2", ["gpt2"]), ("convolutional", ["convnext"])],
)  # fmt: skip
def test_json_is_one_document_and_nothing_else(run, family_filter, types) -> None:
    status, out, err = run(family_filter, "--json")
    document = json.loads(out)
    assert (status, err) == (0, "")
    assert [row["type"] for row in document] == types
    assert all(
        list(row) == ["type", "title", "modality", "kind", "description", "available"] and isinstance(row["available"], list)
        for row in document
    )  # fmt: skip


def test_json_says_where_a_model_can_be_had(run) -> None:
    _, out, _ = run("--json")
    available = {row["type"]: row["available"] for row in json.loads(out)}
    assert available["bert"] == ["zoo", "transformers"]
    assert available["whisper"] == ["transformers"]


@pytest.mark.parametrize("option", ["--into", "--root"])
def test_the_models_of_a_library_are_listed_too(run, tmp_path, option) -> None:
    make_library(tmp_path / "mine", {"brand_new_bert": "BrandNewBert"})
    status, out, _ = run("brand", option, "mine", "--json")
    assert status == 0
    assert [(row["type"], row["available"]) for row in json.loads(out)] == [("brand_new_bert", ["library"])]


def test_the_library_around_the_working_folder_is_found(run, tmp_path, monkeypatch) -> None:
    make_library(tmp_path, {"brand_new_bert": "BrandNewBert"})
    monkeypatch.chdir(tmp_path / "src" / "my_models")
    assert "this library" in run("brand_new_bert")[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["txt"], "no modality, kind or model is called 'txt'; nearest: text"),
        (["bort"], "bert"),
        (["--into", "nowhere"], "--into nowhere is no folder"),
        (["--into", "."], "holds no library yet"),
    ],
)
def test_a_wrong_request_is_one_line_with_the_remedy(run, arguments, message) -> None:
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert message in err and err.count("\n") == 1


def test_a_broken_registry_is_named_with_its_line(run, tmp_path) -> None:
    library = make_library(tmp_path, {"one": "One"})
    library.registry.write_text("CONFIG_MAPPING_NAMES = {\n")
    status, out, err = run()
    assert (status, out) == (2, "") and "registry.py:1" in err


def test_the_help_shows_examples(run) -> None:
    assert "add-model references encoder-decoder" in run("--help")[1]
