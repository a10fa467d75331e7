"""Bad input to `add-model convert`: one line, the remedy, exit 2, and nothing written."""

import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy
import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.cli.commands import add_model_here, contents, done
from tests.porting.foreign_checkpoints import GPT2, stored_weights, write_safetensors


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with an original whose names are our own."""
    write_safetensors(GPT2, tmp_path / "original")
    return tmp_path


def refused(folder: Path, *arguments: str, naming: tuple[str, ...], checkpoint: str = "original") -> str:
    """Runs the command, which must exit with 2 and one line; returns stdout."""
    before = contents(folder)
    result = add_model_here(folder, "convert", "zoo:gpt2", checkpoint, "--out", "new", *arguments)
    assert result.returncode == 2, (result.stdout, result.stderr)
    lines = [line for line in result.stderr.splitlines() if not line.startswith("note: ")]
    assert len(lines) == 1 and lines[0].startswith("error: "), result.stderr
    missing = [text for text in naming if text not in lines[0]]
    assert not missing, f"{missing} not in {lines[0]}"
    assert contents(folder) == before
    return result.stdout


class Bomb:
    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, ("touch exploded",)


def as_pickle(path: Path, protocol: int) -> None:
    path.write_bytes(pickle.dumps({"model": Bomb()}, protocol=protocol))


def as_torch_file(path: Path) -> None:
    torch.save({"model": {"a": torch.ones(2)}, "hook": Bomb()}, path)


def as_old_torch_file(path: Path) -> None:
    torch.save({"a": torch.ones(2), "hook": Bomb()}, path, _use_new_zipfile_serialization=False)


@pytest.mark.parametrize("write", [as_torch_file, as_old_torch_file, lambda path: as_pickle(path, 2), lambda path: as_pickle(path, 4)])  # fmt: skip
def test_a_pickle_that_would_run_code_is_refused_with_the_reason(folder: Path, write: Callable[[Path], None]) -> None:
    write(folder / "bomb.pt")
    refused(folder, checkpoint="bomb.pt", naming=("bomb.pt: was not loaded", "could run code", "safetensors"))
    assert not (folder / "exploded").exists()


def test_the_reason_names_what_the_pickle_asks_for(folder: Path) -> None:
    as_torch_file(folder / "bomb.pt")
    refused(folder, checkpoint="bomb.pt", naming=(f"asks for {os.system.__module__}.system",))


def test_an_array_of_objects_is_refused(folder: Path) -> None:
    numpy.savez(folder / "bomb.npz", a=numpy.array([Bomb()], dtype=object))
    refused(folder, checkpoint="bomb.npz", naming=("bomb.npz: a.npy holds Python objects", "could run code"))
    assert not (folder / "exploded").exists()


def whole_file(folder: Path, suffix: str) -> bytes:
    weights = stored_weights(GPT2.build())
    path = folder / f"whole{suffix}"
    if suffix == ".safetensors":
        save_file(weights, path)
    elif suffix == ".npz":
        numpy.savez(path, **{name: tensor.numpy() for name, tensor in weights.items()})
    else:
        torch.save(weights, path, _use_new_zipfile_serialization=suffix != ".old.pt")
    content = path.read_bytes()
    path.unlink()
    return content


@pytest.mark.parametrize("part", [0.001, 0.1, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("suffix", [".safetensors", ".pt", ".old.pt", ".npz"])
def test_a_checkpoint_that_is_cut_off(folder: Path, suffix: str, part: float) -> None:
    content = whole_file(folder, suffix)
    (folder / f"cut{suffix}").write_bytes(content[: int(len(content) * part)])
    refused(folder, checkpoint=f"cut{suffix}", naming=(f"cut{suffix}",))


def test_a_member_of_an_archive_that_is_damaged(folder: Path) -> None:
    weights = {name: tensor.numpy() for name, tensor in stored_weights(GPT2.build()).items()}
    numpy.savez(folder / "damaged.npz", **weights)
    content = bytearray((folder / "damaged.npz").read_bytes())
    place = content.index(weights["transformer.wte.weight"].tobytes()[:64])
    content[place : place + 64] = bytes(64)
    (folder / "damaged.npz").write_bytes(bytes(content))
    (folder / "config.json").write_text((folder / "original" / "config.json").read_text())
    refused(folder, checkpoint="damaged.npz", naming=("damaged.npz: ", "transformer.wte.weight"))


@pytest.mark.parametrize(
    "name, content, said",
    [
        ("model.h5", b"\x89HDF\r\n\x1a\n" + bytes(99), "Keras"),
        ("model.ckpt.index", bytes(99), "TensorFlow"),
        ("flax_model.msgpack", b"\x81" + bytes(99), "Flax"),
        ("model.gguf", b"GGUF" + bytes(99), "GGUF"),
        ("model.onnx", b"\x08\x07" + bytes(99), "ONNX"),
        ("model.safetensors", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
        ("model.pt", b"", "is empty"),
        ("model.pt", b"<html>not found</html>", "model.pt"),
        ("model.npz", b"<html>not found</html>", "no whole .npz"),
        ("x.safetensors.index.json", b"{}", "no index"),
        ("x.safetensors.index.json", b'{"weight_map": {"a": "../b.safetensors"}}', "outside its folder"),
        ("x.safetensors.index.json", b'{"weight_map": {"a": "b.safetensors"}}', "b.safetensors: is missing"),
    ],
)
def test_files_of_another_kind(folder: Path, name: str, content: bytes, said: str) -> None:
    (folder / name).write_bytes(content)
    refused(folder, checkpoint=name, naming=(name.partition(".ckpt")[0].split("x.")[0], said))


def test_a_tensorflow_checkpoint_by_its_prefix(folder: Path) -> None:
    (folder / "bert_model.ckpt.index").write_bytes(bytes(9))
    refused(folder, checkpoint="bert_model.ckpt", naming=("bert_model.ckpt: belongs to a TensorFlow", "numpy.savez"))


def test_no_checkpoint_or_several(folder: Path) -> None:
    refused(folder, checkpoint="nothing.pt", naming=("nothing.pt: no such checkpoint",))
    (folder / "empty").mkdir()
    refused(folder, checkpoint="empty", naming=("empty: holds no checkpoint",))
    for name in ("a.npz", "b.npz"):
        numpy.savez(folder / "empty" / name, a=numpy.ones(2))
    refused(folder, checkpoint="empty", naming=("several checkpoints (a.npz, b.npz)", "name one"))


def test_an_index_that_promises_what_its_file_lacks(folder: Path) -> None:
    save_file({"a": torch.ones(2)}, folder / "one.safetensors")
    index = {"weight_map": {"a": "one.safetensors", "b": "one.safetensors"}}
    (folder / "x.safetensors.index.json").write_text(json.dumps(index))
    refused(folder, checkpoint="x.safetensors.index.json", naming=("one.safetensors: lacks b",))


def test_a_checkpoint_without_weights(folder: Path) -> None:
    torch.save({"step": 3}, folder / "step.pt")
    refused(folder, checkpoint="step.pt", naming=("step.pt: holds no weights",))
    with zipfile.ZipFile(folder / "empty.npz", "w"):
        pass
    refused(folder, checkpoint="empty.npz", naming=("empty.npz: holds no weights",))


def with_rules(folder: Path, text: str) -> tuple[str, str]:
    (folder / "rules.toml").write_text(text)
    return "--rules", "rules.toml"


def fill(old: str, new: str, more: str = "") -> str:
    return f'[[fill]]\nfrom = "{old}"\nto = "{new}"\n{more}\n'


@pytest.mark.parametrize(
    "text, naming",
    [
        (fill("h.{layer}.w", "x.{layer}.w"), ("rules.toml:1: h.{layer}.w matches no weight",)),
        (
            fill("transformer.{rest*}", "transformer.{rest*}")
            + fill("transformer.wte.weight", "transformer.wte.weight"),
            ("rules.toml:5: transformer.wte.weight is matched here and by rules.toml:1",),
        ),
        (
            fill("transformer.wte.weight", "transformer.wpe.weight"),
            ("transformer.wte.weight [40, 24] -> transformer.wpe.weight [20, 24]", "[40, 24] is not [20, 24]"),
        ),
        (
            fill("transformer.ln_f.weight", "transformer.ln_f.bias"),
            ("transformer.ln_f.bias would be filled twice, from transformer.ln_f.weight and transformer.ln_f.bias",),
        ),
        (fill("transformer.wte.weight", "wte"), ("GPT2LMHeadModel has no such weight",)),
        (
            fill("transformer.wte.weight", "transformer.wte.weight", 'do = [{ cast = "int64" }]'),
            ("is float32, not int64",),
        ),
        (
            fill("transformer.wte.weight", "transformer.wte.weight", "do = [{ split = 0, parts = 2 }]"),
            ("leads to 2 tensors for 1 names",),
        ),
        (
            '[[drop]]\nfrom = "transformer.ln_f.bias"\nreason = "unneeded"\n',
            ("transformer.ln_f.bias [24] of GPT2LMHeadModel is not filled",),
        ),
        ('[[keep]]\nto = "transformer.ln_f.bias"\nreason = "zero"\n', ("is filled by another rule already",)),
        ('[[share]]\nfrom = "transformer.ln_f.bias"\nwith = "transformer.wte.weight"\n', ("cannot be one weight",)),
        (fill("transformer.ln_f.bias", "transformer.ln_f.bias", "unsure = true"), ("rules.toml:1", "--accept-unsure")),
    ],
)
def test_rules_that_lead_nowhere(folder: Path, text: str, naming: tuple[str, ...]) -> None:
    refused(folder, *with_rules(folder, text), naming=naming)


def test_everything_that_is_open_is_listed_with_its_shape(folder: Path) -> None:
    weights = load_file(folder / "original" / "model.safetensors")
    weights["strange.weight"] = weights.pop("transformer.h.0.ln_1.weight")[:5]
    save_file(weights, folder / "original" / "model.safetensors")
    stdout = refused(
        folder, naming=("strange.weight [5] of the checkpoint is not used", "1 more", "--suggest writes them")
    )
    assert "transformer.h.0.ln_1.weight [24] of GPT2LMHeadModel is not filled" in stdout
    document = json.loads(refused(folder, "--json", naming=("strange.weight",)))
    assert len(document["problems"]) == 2


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_weight_that_is_not_finite(folder: Path, value: float) -> None:
    weights = load_file(folder / "original" / "model.safetensors")
    weights["transformer.h.1.mlp.c_fc.weight"][3, 4] = value
    save_file(weights, folder / "original" / "model.safetensors")
    refused(folder, naming=("transformer.h.1.mlp.c_fc.weight", "NaN or infinity", "--accept-not-finite"))
    accepted = add_model_here(folder, "convert", "zoo:gpt2", "original", "--out", "new", "--accept-not-finite")
    assert accepted.returncode == 0
    new = load_file(folder / "new" / "model.safetensors")
    assert torch.equal(new["transformer.h.1.mlp.c_fc.weight"].nan_to_num(), weights["transformer.h.1.mlp.c_fc.weight"].nan_to_num())  # fmt: skip


def test_tied_weights_that_differ(folder: Path) -> None:
    weights = load_file(folder / "original" / "model.safetensors")
    weights["lm_head.weight"] = weights["transformer.wte.weight"] + 1
    save_file(weights, folder / "original" / "model.safetensors")
    refused(folder, naming=("transformer.wte.weight", " and ", "lm_head.weight", "differ", "tie_word_embeddings"))
    rules = with_rules(folder, '[[share]]\nfrom = "lm_head.weight"\nwith = "transformer.wte.weight"\n')
    refused(folder, *rules, naming=("lm_head.weight and transformer.wte.weight", "differ", "[[share]]"))


def test_a_folder_that_is_not_empty_is_left_alone(folder: Path) -> None:
    (folder / "new").mkdir()
    (folder / "new" / "mine.txt").write_text("mine")
    refused(folder, naming=("new: is not empty", "--force"))
    assert add_model_here(folder, "convert", "zoo:gpt2", "original", "--out", "new", "--force").returncode == 0
    assert (folder / "new" / "mine.txt").read_text() == "mine"
    refused(folder, "--out", "original/config.json", naming=("config.json: is a file",))


@pytest.mark.parametrize(
    "arguments, naming",
    [
        (("--class", "GPT2ForMaskedLM"), ("has no class 'GPT2ForMaskedLM'", "GPT2LMHeadModel")),
        (("--config", "none.json"), ("none.json: cannot be read",)),
        (("--config", "broken.json"), ("broken.json: is not valid JSON",)),
        (("--config", "other.json"), ("other.json: holds none of the values of GPT2Config",)),
        (("--config", "refused.json"), ("GPT2Config refuses the configuration",)),
        (("--shard-size", "big"), ("'big' is no size",)),
        (("--rules", "none.toml"), ("none.toml: no such rules file",)),
    ],
)
def test_options_that_cannot_be(folder: Path, arguments: tuple[str, ...], naming: tuple[str, ...]) -> None:
    (folder / "broken.json").write_text("{")
    (folder / "other.json").write_text('{"color": "red"}')
    (folder / "refused.json").write_text('{"n_layer": 1, "problem_type": "none"}')
    refused(folder, *arguments, naming=naming)


def test_a_configuration_of_another_size_shows_both_shapes(folder: Path) -> None:
    values = {**json.loads((folder / "original" / "config.json").read_text()), "n_embd": 32}
    (folder / "larger.json").write_text(json.dumps(values))
    stdout = refused(folder, "--config", "larger.json", naming=("the configuration is from larger.json",))
    assert "transformer.wte.weight [40, 24] -> transformer.wte.weight [40, 32]: the shapes do not fit" in stdout


def test_a_model_that_does_not_import(folder: Path) -> None:
    done(folder, "gpt2", "--name", "tiny_gpt", "--into", "my_models", "--yes")
    path = folder / "my_models" / "src" / "my_models" / "models" / "tiny_gpt" / "modeling_tiny_gpt.py"
    path.write_text(path.read_text().replace("import math", "import maths", 1))
    line = path.read_text().split("import maths")[0].count("\n") + 1
    result = add_model_here(folder, "convert", "tiny_gpt", "original", "--into", "my_models")
    assert result.returncode == 2 and f"modeling_tiny_gpt.py:{line}: tiny_gpt cannot be imported" in result.stderr
    # Misspelt, or not installed: a library that was just made has not been, and says itself what it needs.
    assert f"install what its library needs (pip install -e {folder / 'my_models'}), or mend it," in result.stderr
    path.write_text(path.read_text().replace("import maths", "raise ValueError", 1))
    result = add_model_here(folder, "convert", "tiny_gpt", "original", "--into", "my_models")
    assert result.returncode == 2 and "pip install" not in result.stderr and "mend it and run again" in result.stderr


def test_rules_that_exist_are_not_written_over(folder: Path) -> None:
    (folder / "gpt2.rules.toml").write_text("# mine\n")
    refused(folder, "--suggest", naming=("gpt2.rules.toml: exists already", "--force"))


def test_bytes_that_are_no_checkpoint_are_refused_whatever_they_are(folder: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02}q\x00.")
    (folder / "half.pt").write_bytes(buffer.getvalue())
    refused(folder, checkpoint="half.pt", naming=("half.pt",))


def test_a_whole_checkpoint_beside_the_parts_of_another(folder: Path) -> None:
    """One of the two is left over, and nobody knows which."""
    save_file({"a": torch.ones(2)}, folder / "original" / "part.safetensors")
    index = folder / "original" / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "part.safetensors"}}))
    refused(folder, naming=("original: holds two checkpoints", "model.safetensors and", index.name, "name one"))
    refused(
        folder, checkpoint="original/model.safetensors.index.json", naming=("a [2] of the checkpoint is not used",)
    )
    assert add_model_here(folder, "convert", "zoo:gpt2", "original/model.safetensors", "--out", "new").returncode == 0


def test_parts_of_a_checkpoint_without_their_index(folder: Path) -> None:
    (folder / "parts").mkdir()
    for number in (1, 2):
        save_file({f"a.{number}": torch.ones(2)}, folder / "parts" / f"model-{number:05d}-of-00002.safetensors")
    refused(folder, checkpoint="parts", naming=("parts: holds parts of a checkpoint", "fetch model.safetensors.index.json"))  # fmt: skip


def test_the_folder_that_the_command_runs_in_is_not_replaced(folder: Path) -> None:
    (folder / "inside").mkdir()
    for out in (".", ".."):
        result = add_model_here(folder / "inside", "convert", "zoo:gpt2", "../original", "--out", out, "--force")
        assert result.returncode == 2
        assert f"error: {out}: is the folder that the command runs in" in result.stderr
    assert not list((folder / "inside").iterdir())


@pytest.mark.parametrize("arguments", [(), ("--force",)])
def test_a_link_to_a_folder_stays_one(folder: Path, arguments: tuple[str, ...]) -> None:
    (folder / "elsewhere").mkdir()
    (folder / "new").symlink_to("elsewhere")
    if arguments:
        (folder / "elsewhere" / "mine.txt").write_text("mine")
    result = add_model_here(folder, "convert", "zoo:gpt2", "original", "--out", "new", *arguments)
    assert result.returncode == 0, result.stderr
    assert (folder / "new").is_symlink() and (folder / "elsewhere" / "model.safetensors").is_file()
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]
