"""What status finds out by looking, without running anything: environment, skeleton, and which evidence still holds."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from math import prod
from pathlib import Path

from add_model.errors import AddModelError
from add_model.library import installed_package
from add_model.porting.evidence import Evidence, fingerprint, load, stale_because
from add_model.porting.model.documented import Finding, public_classes
from add_model.porting.model.ported_model import PortedModel
from add_model.porting.steps.docs_page import docs_findings
from add_model.registry import CONFIGURATION_MAPPING, MODEL_MAPPING

# As many as one types, or copies from a terminal.
_MOST_IDS = 64
_FORMATTERS = ("ruff", "black")


@dataclass(frozen=True)
class Held:
    """A result that is kept.

    Attributes:
        evidence: the result.
        stale: why it no longer counts, or `None`.
    """

    evidence: Evidence
    stale: str | None


@dataclass(frozen=True)
class Looked:
    """What a look at something gave.

    Attributes:
        found: what is there, in a few words.
        missing: what is not, in a few words; empty where nothing is missing.
    """

    found: str
    missing: str = ""


@dataclass(frozen=True)
class Facts:
    """Everything that the state of the fourteen steps follows from.

    Attributes:
        model: the model.
        held: every result that is kept for it, by kind.
        environment: whether the model's library can be imported here, as its sources stand.
        skeleton: whether the classes that the registry names are there.
        docs: what is left to do in the documentation.
        checkpoint: the folder of the converted checkpoint, where it is known.
    """

    model: PortedModel
    held: Mapping[str, Held]
    environment: Looked
    skeleton: Looked
    docs: tuple[Finding, ...]
    checkpoint: str | None = None

    @property
    def recording(self) -> Held | None:
        """The recording of the original: as it was stored, or as the comparison names that it was used in."""
        stored = self.held.get("recording")
        comparison = self.held.get("comparison")
        if comparison is None or (stored is not None and stored.stale is None):
            return stored
        evidence = comparison.evidence
        original = str(evidence.details.get("original") or "")
        if original not in evidence.files:
            return stored
        seen = Evidence("recording", 4, evidence.made_at, True, original, {original: evidence.files[original]})
        return Held(seen, stale_because(self.model.root, seen))

    @property
    def recorded_input_ids(self) -> str | None:
        """The ids that the original was recorded with, as they are typed; `None` where it took anything else, or many."""
        held = self.recording
        if held is None or held.stale is not None or not held.evidence.files:
            return None
        path = self.model.root / next(iter(held.evidence.files))
        try:
            from add_model.porting.recording.file import load_recording, tensors_of

            recording = load_recording(path)
            inputs = dict(tensors_of(recording.root.inputs))
            found = inputs.get("input_ids")
            if found is None or len(inputs) > 1 or len(found.shape) != 2 or prod(found.shape) > _MOST_IDS:
                return None
            rows = recording.values(found).tolist()
        except (AddModelError, ImportError, KeyError):
            return None
        return ";".join(",".join(str(number) for number in row) for row in rows)


def gather(model: PortedModel) -> Facts:
    """Looks at a model and at everything that is kept about it.

    Raises:
        AddModelError: a result that is kept cannot be read.
    """
    skeleton = _skeleton(model)
    kept = load(model.root, model.name)
    # Several results rest on the same checkpoint, which may be large.
    digest = functools.cache(fingerprint)
    return Facts(
        model=model,
        held={kind: Held(found, _stale(model, found, digest)) for kind, found in kept.items()},
        environment=_environment(model),
        skeleton=skeleton,
        docs=() if skeleton.missing else docs_findings(model),
        checkpoint=_checkpoint(model, kept),
    )


def default_checkpoint(model: PortedModel) -> Path:
    """The folder of the converted checkpoint, as the results of earlier steps name it.

    Raises:
        AddModelError: none of them does.
    """
    name = _checkpoint(model, load(model.root, model.name))
    if name is None:
        raise AddModelError(f"no converted checkpoint of {model.name} is known; name its folder: --checkpoint DIR")
    return model.root / name


def _checkpoint(model: PortedModel, kept: Mapping[str, Evidence]) -> str | None:
    """The folder that results name, relative to the root; one that is no checkpoint any more does not count."""
    # What a conversion calls its checkpoint is the original's; the folder is what it made of it.
    keys = {"conversion": "folder", "end-to-end": "checkpoint", "tokenizer": "checkpoint", "notebook": "checkpoint"}
    for kind, key in keys.items():
        name = kept[kind].details.get(key) if kind in kept else None
        if isinstance(name, str) and (model.root / name / "config.json").is_file():
            return model.shown(model.root / name)
    return None


def _stale(model: PortedModel, evidence: Evidence, digest: Callable[[Path], str]) -> str | None:
    because = stale_because(model.root, evidence, digest)
    if because is None and evidence.kind in ("tests", "end-to-end"):
        # A file that was added since speaks as loud as one that was changed.
        for path in (*model.modules(), *model.tests()):
            if model.shown(path) not in evidence.files:
                return f"{model.shown(path)} is new"
    return because


def _environment(model: PortedModel) -> Looked:
    top = model.library.package.partition(".")[0]
    installed = installed_package(top)
    folder = model.library.packages.get(top)
    versions = {name: _version(name) for name in ("torch", *_FORMATTERS)}
    if installed is None:
        return Looked("", f"{top} cannot be imported here")
    if folder is None or installed.resolve() != folder.resolve():
        return Looked("", f"{top} is imported from {installed}, not from this library's sources")
    if versions["torch"] is None:
        return Looked("", "PyTorch is not installed here")
    formatter = next((name for name in _FORMATTERS if versions[name] is not None), None)
    if formatter is None:
        return Looked("", "no formatter is installed here")
    return Looked(f"{top} imports from its sources; torch {versions['torch']}, {formatter} {versions[formatter]}")


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _skeleton(model: PortedModel) -> Looked:
    modules = model.modules()
    if not modules:
        return Looked("", f"{model.shown(model.folder)} holds no modules")
    try:
        names = {found.name: found for found in public_classes(modules)}
    except AddModelError as error:
        return Looked("", _relative(str(error), model.root))
    wanted = dict.fromkeys(model.classes.values())
    for mapping in (CONFIGURATION_MAPPING, MODEL_MAPPING):
        if model.classes and mapping not in model.classes:
            return Looked("", f"the registry names no class in {mapping}")
    absent = [name for name in wanted if name not in names]
    if absent:
        return Looked("", f"{absent[0]}, which the registry names, is not exported by {model.shown(model.folder)}")
    if not names:
        return Looked("", f"{model.shown(model.folder)} exports no class")
    models = [name for name in names if name.endswith("Model") and not name.endswith("PreTrainedModel")]
    base = model.classes.get(MODEL_MAPPING) or min(models or names, key=len)
    number = f"{len(wanted)} classes registered" if wanted else f"{len(names)} classes exported"
    return Looked(f"{base} in {model.shown(names[base].path)}, {number}")


def _relative(text: str, root: Path) -> str:
    return text.replace(f"{root}/", "")
