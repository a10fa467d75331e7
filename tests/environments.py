"""Virtual environments with all that the tests need, each on a Python of its own, made once per machine."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from filelock import FileLock

ROOT = Path(__file__).parents[1]
# Asked for at once: the tests exchange the folder for one of their own, which holds no earlier environment.
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "add-model-tests"
_INSTALLED = "pyenv: ~/.pyenv/versions; uv: ~/.local/share/uv/python"


def interpreter(version: str) -> Path | None:
    """A Python of this version, such as "3.12", on the path or where pyenv and uv install theirs; `None` where there is none."""
    return next((path for path in _candidates(version) if _version(path) == version), None)


def where_searched(version: str) -> str:
    """Where `interpreter` has looked."""
    return f"there is no Python {version}: neither python{version} on the path, nor one of pyenv or uv ({_INSTALLED})"


def environment(name: str, python: Path, *further: str) -> Path:
    """The Python of an environment with this project, its test dependencies and then these requirements, in this order."""
    wanted = "\n".join([*((ROOT / file).read_text() for file in ("pyproject.toml", "constraints.txt")), str(ROOT), str(python), *further])  # fmt: skip
    digest = sha256(wanted.encode()).hexdigest()
    folder = _CACHE / "versions" / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        made = folder / "made"
        if not made.is_file() or made.read_text() != digest:
            shutil.rmtree(folder, ignore_errors=True)
            subprocess.run([str(python), "-m", "venv", str(folder)], check=True)
            pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            # torch first and alone, as in scripts/environment.sh.
            subprocess.run([*pip, "--constraint", str(ROOT / "constraints.txt"), "torch"], check=True)
            subprocess.run([*pip, "--constraint", str(ROOT / "constraints.txt"), "--editable", f"{ROOT}[test]"], check=True)  # fmt: skip
            for requirement in further:
                subprocess.run([*pip, requirement], check=True)
            made.write_text(digest)
    return folder / "bin" / "python"


def _candidates(version: str) -> Iterator[Path]:
    on_path = shutil.which(f"python{version}")
    if on_path is not None:
        yield Path(on_path)
    for folder, pattern in ((".pyenv/versions", f"{version}.*"), (".local/share/uv/python", f"cpython-{version}.*")):
        yield from (path / "bin" / "python3" for path in sorted((Path.home() / folder).glob(pattern), reverse=True))


def _version(python: Path) -> str | None:
    code = "import sys; print('.'.join(map(str, sys.version_info[:2])))"
    try:
        result = subprocess.run([str(python), "-c", code], capture_output=True, text=True)
    except OSError:
        return None
    return result.stdout.strip() if result.returncode == 0 else None
