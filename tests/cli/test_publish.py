"""`add-model publish`: nothing leaves the machine unless asked; what is uploaded is complete, and the token is secret."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from .commands import Result, add_model_here, add_model_process, check_refusal, tree
from .hub import COMMIT, TOKEN, Hub, running_hub

NAME = "brand_new_bert"
REPOSITORY = "somebody/brand-new-bert"
CARD = f"docs/model_cards/{NAME}.md"
WEIGHTS_ONE = save({"a": torch.arange(3000.0)})
WEIGHTS_TWO = save({"b": torch.ones(3)})
CODE = """```python
from my_models.models.brand_new_bert import BrandNewBertConfig

config = BrandNewBertConfig.from_pretrained("path/to/checkpoint")
assert config.hidden_size == 24
```"""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with running_hub() as started:
        monkeypatch.setenv("HF_ENDPOINT", started.address)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        # Large files go over plain HTTP, which the server here speaks.
        monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
        yield started


@pytest.fixture
def ready(library: Path) -> Path:
    """A library with a converted checkpoint and a finished card."""
    folder = library / "converted"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": NAME, "hidden_size": 24}))
    (folder / "model-00001-of-00002.safetensors").write_bytes(WEIGHTS_ONE)
    (folder / "model-00002-of-00002.safetensors").write_bytes(WEIGHTS_TWO)
    shards = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))
    (folder / "vocab.txt").write_text("[PAD]\n")
    for name in ("conversion.json", "pytorch_model.bin", "README.md"):
        (folder / name).write_text("not to be published")
    card = library / CARD
    text = card.read_text().replace("---\n", "---\nlicense: apache-2.0\n", 1)
    lines = ["Filled in." if "To fill in" in line else line for line in text.splitlines()]
    start = lines.index("```python")
    lines[start : lines.index("```", start) + 1] = [CODE]
    card.write_text("\n".join(lines) + "\n")
    return library


def publish(library: Path, *arguments: str) -> Result:
    return add_model_here(library, "publish", NAME, "--checkpoint", "converted", *arguments)


def upload(library: Path, *arguments: str) -> Result:
    """A process of its own: huggingface_hub reads the address of the Hub when it is imported."""
    return add_model_process(library, "publish", NAME, "--checkpoint", "converted", "--repository", REPOSITORY, "--upload", *arguments)  # fmt: skip


def test_without_upload_it_shows_what_would_be_uploaded(ready: Path, hub: Hub) -> None:
    before = tree(ready)
    result = publish(ready, "--repository", REPOSITORY)
    assert result.returncode == 0
    assert "nothing was uploaded" in result.stderr and f"--repository {REPOSITORY} --upload" in result.stderr
    shown = [line.split()[1] for line in result.stdout.splitlines() if "left out" not in line]
    assert shown == ["README.md", "config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json", "vocab.txt"]  # fmt: skip
    left_out = {line.split()[2]: line for line in result.stdout.splitlines() if "left out" in line}
    assert set(left_out) == {"README.md", "conversion.json", "pytorch_model.bin"}
    assert "pickle" in left_out["pytorch_model.bin"]
    assert hub.requests == [] and tree(ready) == before


def test_the_folder_can_be_looked_at_first(ready: Path) -> None:
    assert publish(ready, "--repository", REPOSITORY, "--out", "look").returncode == 0
    assert sorted(path.name for path in (ready / "look").iterdir()) == ["README.md", "config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json", "vocab.txt"]  # fmt: skip
    card = (ready / "look/README.md").read_text()
    assert f'from_pretrained("{REPOSITORY}")' in card and "path/to/checkpoint" not in card
    check_refusal(publish(ready, "--out", "look"), ("--out look", "exists"))


def test_what_is_left_on_the_card_is_listed_with_its_line(ready: Path) -> None:
    card = ready / CARD
    text = card.read_text()
    card.write_text(text.replace("license: apache-2.0\n", "").replace("Filled in.", "<!-- To fill in: more -->"))
    result = publish(ready)
    lines = card.read_text().splitlines()
    expected = [number for number, line in enumerate(lines, 1) if "To fill in" in line]
    found = [line for line in result.stdout.splitlines() if line.startswith(CARD)]
    assert result.returncode == 1
    assert f"{CARD}:1 its metadata names no license; add one, such as license: apache-2.0" in found
    assert [int(line.split(":")[1].split()[0]) for line in found if "placeholder" in line] == expected
    assert any("'Limits' is empty" in line for line in found)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("---\nlicense", "license", "no metadata"),
        ("license: apache-2.0", "license: [", "no metadata"),
        ("## Limits\n\nFilled in.\n", "", "does not say its limits"),
        ("## Training data", "## Other", "does not say the training data"),
        ("```python", "```text", "shows no code"),
    ],
)
def test_a_card_that_leaves_something_out_is_not_ready(ready: Path, old: str, new: str, message: str) -> None:
    card = ready / CARD
    assert old in card.read_text()
    card.write_text(card.read_text().replace(old, new, 1))
    result = publish(ready)
    assert result.returncode == 1 and message in result.stdout


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("config.json", None, "holds no config.json"),
        ("config.json", '{"model_type": "bart"}', "model_type is 'bart'"),
        ("vocab.txt", None, "holds no tokenizer"),
        ("model-00002-of-00002.safetensors", None, "names model-00002-of-00002.safetensors, which is not there"),
    ],
)
def test_a_checkpoint_that_is_not_whole_is_not_ready(ready: Path, name: str, content: str | None, message: str) -> None:  # fmt: skip
    path = ready / "converted" / name
    path.unlink()
    if content is not None:
        path.write_text(content)
    result = publish(ready)
    assert result.returncode == 1 and message in result.stdout


@pytest.mark.parametrize("content", [WEIGHTS_ONE[:2000], WEIGHTS_ONE[:-1], WEIGHTS_ONE + b" ", WEIGHTS_ONE[:5], b""])
def test_weights_that_are_not_whole_are_not_ready(ready: Path, content: bytes) -> None:
    name = "model-00001-of-00002.safetensors"
    (ready / "converted" / name).write_bytes(content)
    result = publish(ready)
    assert result.returncode == 1
    (line,) = [line for line in result.stdout.splitlines() if line.startswith(f"converted/{name}")]
    assert "is no whole safetensors file" in line and line.endswith("; convert the checkpoint again")


def test_a_link_out_of_the_folder_is_refused(ready: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("a secret")
    link = ready / "converted/special_tokens_map.json"
    for target in ("../../secret", str(tmp_path / "secret"), "../converted/../README.md"):
        link.symlink_to(target)
        before = tree(ready)
        naming = ("converted/special_tokens_map.json: is a link that leads out of its folder", "put the file itself there")  # fmt: skip
        check_refusal(publish(ready), naming)
        check_refusal(publish(ready, "--out", "look"), naming)
        assert tree(ready) == before
        link.unlink()
    # What stays at home may lead anywhere; what leads into the folder is in it.
    (ready / "converted/notes.txt").symlink_to("../../secret")
    link.symlink_to("vocab.txt")
    assert publish(ready, "--out", "look").returncode == 0
    assert (ready / "look/special_tokens_map.json").read_text() == "[PAD]\n"


def test_a_snapshot_in_the_cache_of_the_hub_keeps_its_files_beside_it(ready: Path) -> None:
    repository = ready / "hub/models--somebody--brand-new-bert"
    snapshot, blobs = repository / "snapshots/0123", repository / "blobs"
    (repository / "snapshots").mkdir(parents=True)
    (ready / "converted").rename(snapshot)
    blobs.mkdir()
    for number, path in enumerate(sorted(snapshot.iterdir())):
        path.rename(blobs / str(number))
        path.symlink_to(f"../../blobs/{number}")
    (ready / "converted").symlink_to(snapshot)
    assert publish(ready).returncode == 0
    (ready / "elsewhere").mkdir()
    (ready / "elsewhere/blob").write_text("a secret")
    (snapshot / "merges.txt").symlink_to("../../../../elsewhere/blob")
    check_refusal(publish(ready), ("converted/merges.txt: is a link that leads out",))
    (snapshot / "merges.txt").unlink()
    blobs.rename(ready / "blobs")
    blobs.symlink_to(ready / "blobs")
    check_refusal(publish(ready), ("is a link that leads out",))


@pytest.mark.slow
def test_an_upload_is_one_commit_and_counts_as_evidence(ready: Path, hub: Hub) -> None:
    result = upload(ready, "--private")
    assert result.returncode == 0, result.stderr
    assert f"uploaded: {REPOSITORY} at {COMMIT[:12]}, 6 files" in result.stdout
    assert hub.repositories[REPOSITORY]["visibility"] == "private"
    files = hub.commits[REPOSITORY]
    assert sorted(files) == ["README.md", "config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json", "vocab.txt"]  # fmt: skip
    assert files["model-00001-of-00002.safetensors"] == WEIGHTS_ONE
    assert f'"{REPOSITORY}"' in files["README.md"].decode()
    assert sum("commit" in request for request in hub.requests) == 1

    shown = json.loads(add_model_here(ready, "status", NAME, "--json").stdout)["steps"][11]
    assert shown["state"] == "done" and REPOSITORY in shown["evidence"]
    (ready / CARD).write_text((ready / CARD).read_text() + "One more limit.\n")
    shown = json.loads(add_model_here(ready, "status", NAME, "--json").stdout)["steps"][11]
    assert shown["state"] == "open" and f"{CARD} has changed" in shown["evidence"]

    assert upload(ready).returncode == 0  # into the repository that is there
    assert "One more limit." in hub.commits[REPOSITORY]["README.md"].decode()
    everything = "".join(path.read_text(errors="ignore") for path in ready.rglob("*") if path.is_file())
    assert TOKEN not in everything + result.stdout + result.stderr


@pytest.mark.slow
def test_a_card_whose_code_fails_is_not_uploaded(ready: Path, hub: Hub) -> None:
    card = ready / CARD
    card.write_text(card.read_text().replace("== 24", "== 25"))
    result = upload(ready)
    line = next(number for number, line in enumerate(card.read_text().splitlines(), 1) if "== 25" in line)
    assert result.returncode == 1
    assert f"{CARD}:{line} its code fails: AssertionError" in result.stdout
    assert "nothing was uploaded" in result.stderr and hub.requests == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("status", "token", "naming"),
    [
        (200, "hf_anotherToken", ("does not accept the token", "hf auth login")),
        (403, TOKEN, ("may not write", REPOSITORY)),
        (400, TOKEN, ("refused the upload (400)", "<token>")),
    ],
)
def test_a_refusal_is_one_line_without_the_token(ready: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch, status: int, token: str, naming: tuple[str, ...]) -> None:  # fmt: skip
    monkeypatch.setenv("HF_TOKEN", token)
    hub.status = status
    result = upload(ready)
    check_refusal(result, naming)
    assert token not in result.stderr
    assert not (ready / f".add-model/models/{NAME}/evidence").exists()


@pytest.mark.slow
def test_a_hub_that_is_not_there_is_named(ready: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    check_refusal(upload(ready), ("http://127.0.0.1:9 cannot be reached", "HF_ENDPOINT"))


@pytest.mark.slow
def test_without_a_token_it_says_how_to_log_in(ready: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:  # fmt: skip
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "nobody"))
    check_refusal(upload(ready), ("not logged in", "hf auth login", "HF_TOKEN"))
    assert hub.requests == []


@pytest.mark.parametrize(
    ("arguments", "naming"),
    [
        (["--upload"], ("--repository USER/NAME",)),
        (["--repository", "no name"], ("--repository 'no name'", "USER/NAME")),
        (["--repository", "a/../b"], ("USER/NAME",)),
        (["--checkpoint", "gone"], ("--checkpoint gone is no folder",)),
        (["--card", "gone.md"], ("gone.md: is not there",)),
    ],
)
def test_a_wrong_request_is_one_line_with_the_remedy(ready: Path, arguments: list[str], naming: tuple[str, ...]) -> None:  # fmt: skip
    before = tree(ready)
    check_refusal(publish(ready, *arguments), naming)
    assert tree(ready) == before


def test_a_checkpoint_that_nobody_named_is_asked_for(ready: Path) -> None:
    check_refusal(add_model_here(ready, "publish", NAME), ("no converted checkpoint", "--checkpoint DIR"))
