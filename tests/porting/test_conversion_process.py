"""What a conversion takes and leaves, in a process of its own: memory, interruption, a full disk."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from tests.cli.commands import SOURCES

# A checkpoint that is larger than the memory which is allowed for it.
pytestmark = pytest.mark.slow

MEGABYTE = 2**20
COLUMNS, LAYERS = 768, 4
LARGEST = 8 * COLUMNS * COLUMNS * 4
# All of its weights would not fit into the memory that is allowed.
CONFIG = {"vocab_size": 1024, "n_positions": 32, "n_embd": COLUMNS, "n_head": 12, "n_layer": LAYERS, "n_inner": 8 * COLUMNS}  # fmt: skip
# What a process takes is counted from that of the one that starts it, which has to be small therefore.
SMALL_STARTER = ["/bin/sh", "-c", '"$@"; exit $?', "sh"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(SOURCES), "OMP_NUM_THREADS": "1"}
# Runs the command, and prints the most memory that it has used, in kilobytes.
MEASURED = "import resource, sys; from add_model.cli import main\ntry: main()\nexcept SystemExit as end: code = end.code\nprint(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr); sys.exit(code)"  # fmt: skip


def large_weights() -> dict[str, torch.Tensor]:
    """The weights of GPT-2 with linear layers, so that every projection has to be transposed: about 190 MB."""
    width, inner = CONFIG["n_embd"], CONFIG["n_inner"]
    weights = {"wte.weight": torch.randn(1024, width), "wpe.weight": torch.randn(32, width)}
    for layer in range(LAYERS):
        shapes = {
            "ln_1.weight": (width,),
            "ln_1.bias": (width,),
            "attn.c_attn.weight": (3 * width, width),
            "attn.c_attn.bias": (3 * width,),
            "attn.c_proj.weight": (width, width),
            "attn.c_proj.bias": (width,),
            "ln_2.weight": (width,),
            "ln_2.bias": (width,),
            "mlp.c_fc.weight": (inner, width),
            "mlp.c_fc.bias": (inner,),
            "mlp.c_proj.weight": (width, inner),
            "mlp.c_proj.bias": (width,),
        }
        weights |= {f"h.{layer}.{name}": torch.randn(shape) for name, shape in shapes.items()}
    return weights | {"ln_f.weight": torch.ones(width), "ln_f.bias": torch.zeros(width)}


RULES = """
[[fill]]
from = "h.{layer}.attn.c_attn.weight"
do = [{ transpose = [0, 1] }]
to = "h.{layer}.attn.c_attn.weight"

[[fill]]
from = "h.{layer}.attn.c_proj.weight"
do = [{ transpose = [0, 1] }]
to = "h.{layer}.attn.c_proj.weight"

[[fill]]
from = "h.{layer}.mlp.c_fc.weight"
do = [{ transpose = [0, 1] }]
to = "h.{layer}.mlp.c_fc.weight"

[[fill]]
from = "h.{layer}.mlp.c_proj.weight"
do = [{ transpose = [0, 1] }]
to = "h.{layer}.mlp.c_proj.weight"
"""
CASTS = RULES + '\n[[fill]]\nfrom = "wte.weight"\ndo = [{ cast = "float16" }]\nto = "wte.weight"\n'


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A large checkpoint in every format; not to be changed."""
    folder = tmp_path_factory.mktemp("originals")
    weights = large_weights()
    (folder / "config.json").write_text(json.dumps(CONFIG))
    (folder / "rules.toml").write_text(RULES)
    (folder / "casts.toml").write_text(CASTS)
    save_file(weights, folder / "one.safetensors")
    torch.save({"model": weights, "step": 3}, folder / "one.pt")
    numpy.savez(folder / "one.npz", **{name: tensor.numpy() for name, tensor in weights.items()})
    names = list(weights)
    shards = {"a.safetensors": names[::2], "b.safetensors": names[1::2]}
    for file_name, own in shards.items():
        save_file({name: weights[name] for name in own}, folder / file_name)
        torch.save({name: weights[name] for name in own}, folder / file_name.replace("safetensors", "bin"))
    index = json.dumps({"weight_map": {name: file_name for file_name, own in shards.items() for name in own}})
    (folder / "two.safetensors.index.json").write_text(index)
    (folder / "two.bin.index.json").write_text(index.replace("safetensors", "bin"))
    return folder


def command(originals: Path, file_name: str, out: Path, *more: str, rules: str = "rules.toml") -> list[str]:
    arguments = [
        "convert",
        "zoo:gpt2",
        str(originals / file_name),
        "--rules",
        str(originals / rules),
        "--out",
        str(out),
    ]
    return [*arguments, *more]


def bare_interpreter() -> int:
    """What Python itself takes, in kilobytes."""
    code = "import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    return int(subprocess.run([*SMALL_STARTER, sys.executable, "-c", code], capture_output=True, text=True).stdout)


@pytest.mark.parametrize(
    "file_name, rules",
    [
        ("one.safetensors", "rules.toml"),
        ("one.safetensors", "casts.toml"),
        ("two.safetensors.index.json", "rules.toml"),
        ("one.pt", "rules.toml"),
        ("two.bin.index.json", "rules.toml"),
        ("one.npz", "rules.toml"),
    ],
)
def test_memory_depends_on_the_largest_weight_alone(
    originals: Path, file_name: str, rules: str, tmp_path: Path
) -> None:
    line = [
        *SMALL_STARTER,
        sys.executable,
        "-c",
        MEASURED,
        *command(originals, file_name, tmp_path / "new", rules=rules),
    ]
    result = subprocess.run(line, capture_output=True, text=True, env=ENVIRONMENT)
    assert result.returncode == 0, result.stderr
    used = (int(result.stderr.split()[-1]) - bare_interpreter()) * 1024
    size = sum(path.stat().st_size for path in (tmp_path / "new").iterdir())
    allowed = 2 * LARGEST + 300 * MEGABYTE
    print(f"{file_name} {rules}: {used / MEGABYTE:.0f} MB, allowed {allowed / MEGABYTE:.0f} MB, written {size / MEGABYTE:.0f} MB")  # fmt: skip
    assert 0 < used < allowed < size + 200 * MEGABYTE
    with safe_open(tmp_path / "new" / "model.safetensors", "pt") as new:
        with safe_open(originals / "one.safetensors", "pt") as old:
            for name in ("h.3.mlp.c_proj.weight", "h.0.attn.c_attn.weight"):
                assert torch.equal(new.get_tensor(name), old.get_tensor(name).T)


def test_a_run_that_is_killed_leaves_nothing_and_can_be_run_again(originals: Path, tmp_path: Path) -> None:
    line = [sys.executable, "-m", "add_model", *command(originals, "one.safetensors", tmp_path / "new")]
    whole = time.monotonic()
    assert subprocess.run(line, capture_output=True, env=ENVIRONMENT).returncode == 0
    whole = time.monotonic() - whole
    complete = {path.name: path.read_bytes() for path in (tmp_path / "new").iterdir()}
    killed = 0
    for part in (0.7, 0.85, 0.95):
        target = tmp_path / f"killed at {part}"
        line[-1] = str(target)
        process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENVIRONMENT)
        time.sleep(whole * part)
        process.send_signal(signal.SIGKILL)
        process.wait()
        killed += process.returncode == -signal.SIGKILL
        left = {path.name: path.read_bytes() for path in target.iterdir()} if target.exists() else {}
        assert left in ({}, {**complete})
        assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    assert killed
    line[-1] = str(tmp_path / "killed at 0.7")
    subprocess.run([*line, "--force"], capture_output=True, env=ENVIRONMENT, check=True)
    again = {path.name: path.read_bytes() for path in (tmp_path / "killed at 0.7").iterdir()}
    assert again == complete


def test_a_full_disk(originals: Path, tmp_path: Path) -> None:
    """The system refuses to let the file grow, as it does on a full disk."""
    limit = 64 * MEGABYTE
    result = subprocess.run(
        [sys.executable, "-m", "add_model", *command(originals, "one.safetensors", tmp_path / "made" / "new")],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert result.returncode == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ") and "cannot be written" in line and "nothing was changed" in line
    assert list(tmp_path.iterdir()) == []
