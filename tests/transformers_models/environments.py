"""A Python that can import Transformers 4.46.3: its dependencies are older than those that the tests run with."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from filelock import FileLock

# The newest that 4.46.3 accepts; it is imported from its source tree, and not installed.
_OLDER = ("tokenizers>=0.20,<0.21", "huggingface_hub<1.0", "numpy<2", "torch==2.13.0")
_ANY = ("filelock", "packaging", "pyyaml", "regex", "requests", "safetensors", "tqdm", "pillow", "sentencepiece")


def python_for_4() -> Path:
    """An interpreter in an environment of its own, which is made once per machine."""
    cache = Path(os.environ.get("ADD_MODEL_TEST_CACHE") or Path.home() / ".cache" / "add-model-tests")
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / f"transformers-4.46.3-python-{sys.version_info.major}.{sys.version_info.minor}"
    python = folder / "bin" / "python"
    with FileLock(f"{folder}.lock"):
        if not (folder / "complete").is_file():
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
            install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            # torch first and alone, so that none of the others asks for another build of it.
            subprocess.run([*install, _OLDER[-1]], check=True)
            subprocess.run([*install, *_OLDER, *_ANY], check=True)
            (folder / "complete").touch()
    return python
