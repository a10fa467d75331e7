"""Copies that nobody marked: which are found, what marker is proposed, and what writing it leaves behind."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from add_model.cli.commands import app

from .libraries import codes_of, write_library

BERT = '''
class BertPooler(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.activation = nn.Tanh()

    def forward(self, hidden_states):
        """Pools what BERT says (see bert_pooling)."""
        first = hidden_states[:, 0]
        return self.activation(self.dense(first))


class BertModel(nn.Module):
    def __init__(self, config):
        self.bert = BertPooler(config)
        self.scale = config.scale
'''
COPY = BERT.replace("Bert", "Electra").replace("BERT", "ELECTRA").replace("bert", "electra")


def library(root: Path, files: Mapping[str, str | bytes]) -> Path:
    write_library(root, {f"lib/models/{name}": content for name, content in files.items()})
    return root


def run(root: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["find-copies", "--root", str(root), *options])


def found(root: Path, *options: str) -> dict[str, str]:
    """Where copies were found, by path and name, each with the marker to write."""
    documents = json.loads(run(root, "--output-format", "json", *options).stdout)
    return {f"{each['path'].rpartition('/')[2]} {each['object']}": each["message"].split("`")[1] for each in documents}


def test_a_renamed_class_is_found_with_the_marker_to_write(tmp_path: Path) -> None:
    library(tmp_path, {"bert/modeling_bert.py": BERT, "electra/modeling_electra.py": COPY})
    result = run(tmp_path)
    assert result.exit_code == 1
    assert result.stdout == (
        "src/lib/models/electra/modeling_electra.py:2 FC001 ElectraPooler: write "
        "`# Copied from lib.models.bert.modeling_bert.BertPooler with Bert->Electra all-casing`\n"
        "src/lib/models/electra/modeling_electra.py:14 FC001 ElectraModel: write "
        "`# Copied from lib.models.bert.modeling_bert.BertModel with Bert->Electra all-casing`\n"
    )
    assert "2 copies without a marker in 1 file: 10 definitions in 6 files looked at" in result.stderr


def test_what_is_written_is_clean_and_nothing_is_left(tmp_path: Path) -> None:
    library(tmp_path, {"bert/modeling_bert.py": BERT, "electra/modeling_electra.py": COPY})
    result = run(tmp_path, "--write")
    assert result.exit_code == 0
    assert "wrote 2 markers in 1 file" in result.stderr
    assert (tmp_path / "src/lib/models/bert/modeling_bert.py").read_text() == BERT
    written = (tmp_path / "src/lib/models/electra/modeling_electra.py").read_text()
    assert "".join(line for line in written.splitlines(keepends=True) if "Copied from" not in line) == COPY
    again = run(tmp_path)
    assert (again.exit_code, again.stdout) == (0, "")
    checked = CliRunner().invoke(app, ["check-copies", "--strict", "--root", str(tmp_path)])
    assert checked.exit_code == 0
    assert "2 markers checked" in checked.stderr


def test_a_marker_stands_below_decorators_and_line_endings_stay(tmp_path: Path) -> None:
    decorated = (
        "@first\n@second(\n    1\n)\ndef pool(values):\n    total = sum(values)\n    return total / len(values)\n"
    )
    library(tmp_path, {"a/modeling_a.py": decorated, "b/modeling_b.py": decorated.replace("\n", "\r\n").encode()})
    run(tmp_path, "--write")
    assert (tmp_path / "src/lib/models/b/modeling_b.py").read_bytes() == (
        b"@first\r\n@second(\r\n    1\r\n)\r\n# Copied from lib.models.a.modeling_a.pool\r\ndef pool(values):\r\n"
        b"    total = sum(values)\r\n    return total / len(values)\r\n"
    )


def test_layout_does_not_count(tmp_path: Path) -> None:
    one = "def pool(values, weights):\n    return combine(values, weights, 'mean')\n\n\n"
    other = 'def pool(values, weights):\n    return combine(\n        values,\n        weights,\n        "mean",\n    )\n\n\n'
    library(tmp_path, {"a/modeling_a.py": one, "b/modeling_b.py": other})
    assert found(tmp_path, "--min-lines", "2") == {"modeling_b.py pool": "# Copied from lib.models.a.modeling_a.pool"}


def test_the_original_is_the_one_that_others_name(tmp_path: Path) -> None:
    pool = "def pool(values):\n    total = sum(values)\n    return total\n"
    marked = f"# Copied from lib.models.z.modeling_z.pool\n{pool}"
    library(tmp_path, {"a/modeling_a.py": pool, "b/modeling_b.py": marked, "z/modeling_z.py": pool})
    assert found(tmp_path) == {"modeling_a.py pool": "# Copied from lib.models.z.modeling_z.pool"}


def test_the_original_is_in_the_model_that_the_rest_of_the_file_is_copied_from(tmp_path: Path) -> None:
    pool = "def pool(values):\n    total = sum(values)\n    return total\n"
    library(
        tmp_path,
        {"a/modeling_a.py": pool, "bert/modeling_bert.py": BERT + pool, "electra/modeling_electra.py": COPY + pool},
    )
    assert found(tmp_path)["modeling_electra.py pool"] == "# Copied from lib.models.bert.modeling_bert.pool"


def test_the_original_is_the_oldest_by_git(tmp_path: Path) -> None:
    pool = "def pool(values):\n    total = sum(values)\n    return total\n"

    def git(*arguments: str) -> None:
        settings = ["-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *settings, *arguments], cwd=tmp_path, check=True, capture_output=True)

    library(tmp_path, {"z/modeling_z.py": pool})
    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "--message", "one", "--date", "2001-01-01T00:00:00")
    library(tmp_path, {"a/modeling_a.py": pool})
    git("add", ".")
    git("commit", "--quiet", "--message", "two")
    assert found(tmp_path) == {"modeling_a.py pool": "# Copied from lib.models.z.modeling_z.pool"}


def test_methods_are_found_where_their_classes_differ(tmp_path: Path) -> None:
    other = COPY.replace("self.activation = nn.Tanh()", "self.activation = nn.ReLU(); self.more = 1")
    library(tmp_path, {"bert/modeling_bert.py": BERT, "electra/modeling_electra.py": other})
    assert found(tmp_path)["modeling_electra.py ElectraPooler.forward"] == (
        "# Copied from lib.models.bert.modeling_bert.BertPooler.forward with Bert->Electra all-casing"
    )


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"# Copied from lib.models.bert.modeling_bert.BertPooler\n{COPY.lstrip()}", id="a marker"),
        pytest.param(f"# This file was automatically generated from x.\n{COPY}", id="a generated file"),
        pytest.param(COPY.replace("dense", "x").replace("first", "y").replace("hidden", "z").replace("activation", "w"), id="too many names"),
        pytest.param(COPY.replace("Pools", "Does not pool"), id="other words"),
    ],
)  # fmt: skip
def test_what_is_no_unmarked_copy_is_not_found(text: str, tmp_path: Path) -> None:
    library(tmp_path, {"bert/modeling_bert.py": BERT, "electra/modeling_electra.py": text})
    assert not {name for name in found(tmp_path, "--min-lines", "5") if "Pooler" in name}


def test_only_the_files_that_are_named_are_looked_through_for_copies(tmp_path: Path) -> None:
    library(tmp_path, {"bert/modeling_bert.py": BERT, "r/modeling_r.py": COPY, "s/modeling_s.py": COPY})
    path = str(tmp_path / "src/lib/models/s/modeling_s.py")
    assert {name.partition(" ")[0] for name in found(tmp_path, path)} == {"modeling_s.py"}


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    library(tmp_path, {"bert/modeling_bert.py": BERT, "bad/modeling_bad.py": b"x = '\xff'\n"})
    result = run(tmp_path)
    assert result.exit_code == 2
    assert "modeling_bad.py:1 CP006 is not utf-8" in result.stdout


def test_sarif_names_the_command_and_its_rules(tmp_path: Path) -> None:
    library(tmp_path, {"bert/modeling_bert.py": BERT, "electra/modeling_electra.py": COPY})
    (log,) = json.loads(run(tmp_path, "--output-format", "sarif").stdout)["runs"]
    driver = log["tool"]["driver"]
    assert driver["name"] == "add-model find-copies"
    assert [driver["rules"][each["ruleIndex"]]["id"] for each in log["results"]] == ["FC001", "FC001"]


def test_every_proposal_holds_in_a_tree_of_its_own(tmp_path: Path) -> None:
    files = {"bert/modeling_bert.py": BERT, "electra/modeling_electra.py": COPY, "x/modeling_x.py": BERT.lower()}
    library(tmp_path, files)
    run(tmp_path, "--write", "--min-lines", "1")
    assert codes_of(write_library(tmp_path, {})) == []


def test_a_marker_within_an_original_is_a_line_of_its_copies_as_well(tmp_path: Path) -> None:
    share = "    def share(self, values):\n        total = sum(values)\n        return total\n"
    whole = f"class BertHead(nn.Module):\n    def __init__(self):\n        self.bert = 1\n\n{share}"
    files = {
        "a/modeling_a.py": f"class AHead(nn.Module):\n    size = 3\n\n{share}",
        "bert/modeling_bert.py": whole,
        "electra/modeling_electra.py": whole.replace("Bert", "Electra").replace("bert", "electra"),
    }
    library(tmp_path, files)
    assert list(found(tmp_path)) == ["modeling_bert.py BertHead.share", "modeling_electra.py ElectraHead"]
    run(tmp_path, "--write")
    marker = "    # Copied from lib.models.a.modeling_a.AHead.share\n"
    for name in ("bert", "electra"):
        assert marker in (tmp_path / f"src/lib/models/{name}/modeling_{name}.py").read_text()
    checked = CliRunner().invoke(app, ["check-copies", "--strict", "--root", str(tmp_path)])
    assert checked.exit_code == 0


def test_what_is_generated_from_a_file_is_no_original_of_what_stands_in_it(tmp_path: Path) -> None:
    banner = "# This file was automatically generated from modular_electra.py.\n"
    modular = "from ..bert.modeling_bert import BertPooler\n\n\nclass ElectraPooler(BertPooler):\n    pass\n"
    folder = "electra"
    files = {
        f"{folder}/modular_electra.py": modular,
        f"{folder}/modeling_electra.py": banner + COPY,
        "bert/modeling_bert.py": BERT,
    }
    library(tmp_path, files)
    assert found(tmp_path) == {}
    library(tmp_path, {f"{folder}/modular_electra.py": modular.replace("bert.modeling_bert", "c.modeling_c")})
    assert list(found(tmp_path)) == ["modeling_bert.py BertPooler", "modeling_bert.py BertModel"]


def test_of_equal_originals_what_is_written_by_hand_comes_first(tmp_path: Path) -> None:
    pool = "def pool(values):\n    total = sum(values)\n    return total\n"
    generated = f"# This file was automatically generated from modular_a.py.\n{pool}"
    library(tmp_path, {"a/modeling_a.py": generated, "b/modeling_b.py": pool, "c/modeling_c.py": pool})
    assert found(tmp_path)["modeling_c.py pool"] == "# Copied from lib.models.b.modeling_b.pool"
