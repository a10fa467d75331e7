"""Repositories as somebody else may send them in: every setting of git that names a command leaves a marker."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.cli.commands import Tree, tree

BERT = "class Bert:\n    def f(self):\n        return 1\n\n    def g(self):\n        x = 1\n        return x\n"
VIT = "# Copied from my_models.bert.Bert with Bert->ViT\n" + BERT.replace("Bert", "ViT")
HOOKS = (
    "fsmonitor-watchman",
    "post-checkout",
    "post-index-change",
    "pre-auto-gc",
    "pre-commit",
    "reference-transaction",
)


def git(folder: Path, *arguments: str) -> str:
    """Runs git as the author of the tree would."""
    own = [
        "-c",
        "user.name=A",
        "-c",
        "user.email=a@example.org",
        "-c",
        "commit.gpgsign=false",
        "-c",
        "core.fsmonitor=",
    ]
    run = subprocess.run(["git", "-C", str(folder), *own, *arguments], check=True, capture_output=True, text=True)
    return run.stdout


def write_drifted(folder: Path) -> None:
    """A library of two models, committed, where an original has moved since and a file was renamed."""
    package = folder / "src/my_models"
    package.mkdir(parents=True)
    texts = {"__init__.py": "", "bert.py": BERT, "vit.py": VIT, "deit.py": VIT.replace("ViT", "DeiT")}
    for name, text in texts.items():
        (package / name).write_text(text)
    if not (folder / ".git").exists():
        git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "All of it")
    git(folder, "mv", "src/my_models/deit.py", "src/my_models/deit2.py")
    (package / "bert.py").write_text(BERT.replace("return 1", "return 2"))
    (package / "vit.py").write_text(VIT.replace("return x", "return x + 1"))


class Marker:
    """A command that writes down that it ran, in a file that must stay absent."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._log = folder / "ran.txt"
        self.script = folder / "mark"
        self.script.write_text(f'#!/bin/sh\necho "$0 $*" >> "{self._log}"\nexit 1\n')
        self.script.chmod(0o755)

    def command(self, name: str) -> str:
        """The command, with the name of what has started it."""
        return f"{self.script} {name}"

    @property
    def ran(self) -> list[str]:
        """What has run."""
        return self._log.read_text().splitlines() if self._log.exists() else []


def plant(git_folder: Path, marker: Marker, *, work_tree: str = "") -> None:
    """Writes the configuration and the hooks of a repository, each of which starts the marker's command."""

    def mark(name: str) -> str:
        return marker.command(name)

    included = git_folder / "included"
    included.write_text(f'[core]\n\tfsmonitor = "{mark("included fsmonitor")}"\n')
    own = f"\tworktree = {work_tree}\n" if work_tree else ""
    aliases = "".join(
        f'\t{name} = "!{mark(f"alias {name}")}"\n'
        for name in ("rev-parse", "diff-index", "cat-file", "status", "diff")
    )
    pagers = "".join(f'\t{name} = "{mark(f"pager {name}")}"\n' for name in ("diff", "status", "config"))
    (git_folder / "config").write_text(
        f"""[core]
	repositoryformatversion = 1
	bare = false
	fsmonitor = "{mark("fsmonitor")}"
	hooksPath = "{git_folder / "hooks"}"
	pager = "{mark("pager")}"
	editor = "{mark("editor")}"
	sshCommand = "{mark("ssh")}"
	askPass = "{mark("askpass")}"
	gitProxy = "{mark("proxy")}"
	alternateRefsCommand = "{mark("alternates")}"
{own}[extensions]
	partialClone = origin
[remote "origin"]
	url = "ext::{mark("remote helper")}"
	promisor = true
	uploadpack = "{mark("upload-pack")}"
	partialclonefilter = blob:none
[protocol]
	allow = always
[protocol "ext"]
	allow = always
[credential]
	helper = "!{mark("credentials")}"
[gpg]
	program = "{mark("gpg")}"
[filter "planted"]
	clean = "{mark("clean")}"
	smudge = "{mark("smudge")}"
[filter "process"]
	process = "{mark("process")}"
[diff]
	external = "{mark("external diff")}"
[diff "planted"]
	command = "{mark("diff command")}"
	textconv = "{mark("textconv")}"
[merge]
	default = planted
[merge "planted"]
	driver = "{mark("merge driver")}"
[pager]
{pagers}[alias]
{aliases}[include]
	path = included
"""
    )
    (git_folder / "hooks").mkdir(exist_ok=True)
    for name in HOOKS:
        hook = git_folder / "hooks" / name
        hook.write_text(f"#!/bin/sh\n{mark(f'hook {name}')}\n")
        hook.chmod(0o755)


def plant_attributes(folder: Path) -> None:
    """Names the planted filters and drivers for every file of a tree."""
    (folder / ".gitattributes").write_text("*.py filter=planted diff=planted merge=planted\nbert.py filter=process\n")


def touch_everything(folder: Path) -> None:
    """Makes the index out of date, so that git has to look into every file."""
    for path in folder.rglob("*.py"):
        os.utime(path, (1, 1))


def version_control(folder: Path) -> dict[str, object]:
    """Everything below the folders of git in a tree, to the time of its last change."""
    entries: Tree = tree(folder)
    return {path: entry for path, entry in entries.items() if ".git/" in f"{path}/"}
