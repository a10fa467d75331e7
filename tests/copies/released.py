"""The three trees, as released, that the language comes from; nothing of them is kept in this repository."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from functools import cache
from importlib import metadata
from pathlib import Path

from filelock import FileLock

from add_model.library import Library

RELEASES = ("transformers-5.23.0", "transformers-4.46.3", "diffusers-0.42.1")
_ARCHIVED = "transformers==4.46.3"
# Asked for at once: the tests exchange the folder for one of their own, which holds no earlier download.
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "add-model-tests"


@cache
def released(release: str) -> Library:
    """The library of a release, to be read and never written to."""
    name, _, version = release.partition("-")
    folder = _unpacked_archive() if f"{name}=={version}" == _ARCHIVED else _installed(name, version)
    return Library(folder.parent, {name: folder})


def copy_of(release: str, folder: Path) -> Library:
    """A library of one's own with the modules of a release."""
    library = released(release)
    for name, package in library.packages.items():
        shutil.copytree(package, folder / "src" / name, ignore=_no_modules)
    return Library(folder, {name: folder / "src" / name for name in library.packages})


def installed_apart(requirement: str) -> Path:
    """The folder of a package of a certain version, beside whatever is installed; fetched once per machine."""
    _CACHE.mkdir(parents=True, exist_ok=True)
    target = _CACHE / requirement.replace("==", "-")
    with FileLock(f"{target}.lock"):
        if not target.is_dir():
            with tempfile.TemporaryDirectory(dir=_CACHE) as scratch:
                install = [
                    sys.executable,
                    "-m",
                    "pip",
                    "install",
                    "--quiet",
                    "--no-deps",
                    # It is read, and never imported.
                    "--ignore-requires-python",
                    "--disable-pip-version-check",
                ]
                subprocess.run([*install, "--target", f"{scratch}/installed", requirement], check=True)
                Path(scratch, "installed").rename(target)
    return target


def _no_modules(folder: str, names: list[str]) -> list[str]:
    """What of a folder is not copied: compiled modules, data."""
    return [name for name in names if name == "__pycache__" or (os.path.isfile(f"{folder}/{name}") and not name.endswith(".py"))]  # fmt: skip


def _installed(name: str, version: str) -> Path:
    if metadata.version(name) != version:
        # Where the tests run with another version of it, the tree is still that of the release.
        return installed_apart(f"{name}=={version}") / name
    specification = importlib.util.find_spec(name)
    assert specification is not None and specification.origin is not None, f"{name} belongs to the test dependencies"
    return Path(specification.origin).parent


def _unpacked_archive() -> Path:
    """The package in the source archive, fetched and unpacked once per machine.

    The package index is asked for the archive alone, yet `pip` reads its metadata by running its `setup.py`; for that
    `pip` and a `setuptools` that can do so by itself are test dependencies.
    """
    _CACHE.mkdir(parents=True, exist_ok=True)
    target = _CACHE / _ARCHIVED.replace("==", "-")
    with FileLock(f"{target}.lock"):
        if not target.is_dir():
            with tempfile.TemporaryDirectory(dir=_CACHE) as scratch:
                download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
                options = ["--no-build-isolation", "--disable-pip-version-check", "--dest", scratch]
                subprocess.run([*download, *options, _ARCHIVED], check=True)
                (archive,) = Path(scratch).glob("*.tar.gz")
                with tarfile.open(archive) as file:
                    file.extractall(scratch, filter="data")
                (Path(scratch) / target.name).rename(target)
    return target / "src" / _ARCHIVED.partition("==")[0]
