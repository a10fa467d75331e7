"""What is published of a checkpoint: a folder with its weights, configuration, tokenizer and card; and its upload."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from add_model.errors import AddModelError
from add_model.library import installed_package
from add_model.porting.checkpoints.staged import staged_folder
from add_model.porting.destinations import destination
from add_model.porting.documents import MOST_BYTES, parse_json, read_json
from add_model.porting.evidence import Evidence, make
from add_model.porting.model.documented import Finding
from add_model.porting.model.ported_model import PortedModel
from add_model.porting.steps.custom_code import with_code
from add_model.porting.steps.model_card import CHECKPOINT_PLACEHOLDER, card_findings
from add_model.porting.tensor_file import open_regular
from add_model.references import read_text

CARD = "README.md"
_CONFIGURATION = "config.json"
# What loading a published model asks for; everything else in the folder stays at home.
_PUBLISHED = re.compile(
    r"config\.json|generation_config\.json|(?:pre|post)?processor_config\.json|.*\.safetensors(?:\.index\.json)?"
    r"|tokenizer\.json|tokenizer_config\.json|special_tokens_map\.json|added_tokens\.json|chat_template\.j(?:inja|son)"
    r"|vocab\.(?:txt|json)|merges\.txt|.*\.(?:model|spm|bpe|tiktoken)"
)
# The Hub's cache keeps a repository's files in one folder, and links to them in one folder for each revision.
_SNAPSHOTS, _BLOBS = "snapshots", "blobs"
# A model that reads images or sound is of no use without what prepares them.
_PROCESSORS = {"AutoImageProcessor": "image processor", "AutoFeatureExtractor": "feature extractor"}
_PROCESSOR_SETTINGS = {"preprocessor_config.json", "processor_config.json"}
_TOKENIZER = re.compile(r"tokenizer\.json|vocab\..*|merges\.txt|.*\.(?:model|spm|bpe|tiktoken)")
_PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


@dataclass(frozen=True)
class Publication:
    """What would be uploaded.

    Attributes:
        repository: `user/name`; `None` while it is not chosen.
        card: the model card as it is published.
        card_path: the file that it was made from.
        files: the files beside the card that are published as they are.
        made: those that are made for it: name -> content.
        left_out: files of the checkpoint's folder that stay at home, each with why.
        findings: what is left to do before it may be uploaded.
    """

    repository: str | None
    card: str
    card_path: Path
    files: tuple[Path, ...]
    made: Mapping[str, bytes]
    left_out: tuple[tuple[str, str], ...]
    findings: tuple[Finding, ...]


def plan_publication(model: PortedModel, checkpoint: Path, repository: str | None, card: Path) -> Publication:
    """Looks at what would be published; touches nothing.

    Raises:
        AddModelError: the folder or the card is not there, the repository's name is none, or a file is a link that
            leads out of the folder.
    """
    if repository is not None and not _REPOSITORY.fullmatch(repository):
        raise AddModelError(f"--repository {repository!r} is no name of a repository; write USER/NAME")
    if not checkpoint.is_dir():
        raise AddModelError(f"--checkpoint {checkpoint} is no folder; pass the one that add-model convert wrote")
    if not card.is_file():
        raise AddModelError(f"{model.shown(card)}: is not there; write the model card, or name another: --card FILE")
    present = [path for path in sorted(checkpoint.iterdir()) if path.is_file()]
    files = tuple(path for path in present if _PUBLISHED.fullmatch(path.name))
    _refuse_links_out_of(checkpoint, files)
    text = read_text(card)
    findings = (*card_findings(card, text), *_checkpoint_findings(model, checkpoint, files))
    if repository is not None:
        text = text.replace(CHECKPOINT_PLACEHOLDER, repository)
    made, code = with_code(model, files)
    published = (*(path for path in files if path.name not in made), *code)
    # The checkpoint's own copy of a module is not another file: the library's takes its place.
    left_out = tuple(_left_out(present, {path.name for path in (*files, *code)}))
    return Publication(repository, text, card, published, made, left_out, findings)


def holds_tokenizer(checkpoint: Path) -> bool:
    """Whether a folder has files that a tokenizer is loaded from."""
    return any(_TOKENIZER.fullmatch(path.name) for path in checkpoint.glob("*"))


def write_folder(publication: Publication, folder: Path) -> None:
    """Writes what would be published into a new folder, to look at.

    Raises:
        AddModelError: the folder is there already, or cannot be written.
    """
    if os.path.lexists(folder):
        raise AddModelError(f"--out {folder}: exists already; name a folder that does not")
    destination(folder, "--out")
    try:
        with staged_folder(folder) as staged:
            staged.create(CARD).write(publication.card.encode("utf-8"))
            for name, content in publication.made.items():
                staged.create(name).write(content)
            for path in publication.files:
                with open_regular(path) as source:
                    shutil.copyfileobj(source, staged.create(path.name), 1 << 20)
    except OSError as error:
        raise AddModelError(f"--out {folder}: cannot be written: {error.strerror or error}") from error


def upload(model: PortedModel, publication: Publication, private: bool | None) -> Evidence:
    """Uploads what is planned in one commit, and returns the result of step 12.

    Raises:
        AddModelError: nobody is logged in, or the Hub refuses or cannot be reached.
    """
    if installed_package("huggingface_hub") is None:
        raise AddModelError("huggingface_hub is not installed beside add-model; install it: pip install huggingface_hub")  # fmt: skip
    from huggingface_hub import CommitOperationAdd, HfApi, get_token

    assert publication.repository is not None
    token = get_token()
    if token is None:
        raise AddModelError("you are not logged in to the Hub; run `hf auth login`, or set HF_TOKEN to a token that may write")  # fmt: skip
    api: Any = HfApi(token=token)
    operations = [CommitOperationAdd(CARD, publication.card.encode("utf-8"))]
    operations += [CommitOperationAdd(name, content) for name, content in publication.made.items()]
    operations += [CommitOperationAdd(path.name, str(path)) for path in publication.files]
    try:
        api.create_repo(publication.repository, private=private, exist_ok=True)
        commit = api.create_commit(publication.repository, operations, commit_message=f"Upload {model.name}")
    except Exception as error:
        _refused(error, token, api.endpoint, publication.repository)
    number = len(publication.files) + len(publication.made) + 1
    return make(
        model.root,
        "publish",
        passed=True,
        figure=f"{publication.repository} at {str(commit.oid)[:12]}, {number} files",
        files=[publication.card_path, *publication.files],
        details={"repository": publication.repository, "commit": str(commit.oid), "endpoint": api.endpoint},
    )


def _refuse_links_out_of(folder: Path, files: tuple[Path, ...]) -> None:
    """What is published lies in the folder, or, where it is a snapshot in the Hub's cache, with the repository's files.

    A folder that comes from somebody else must not choose what else of this machine is published.
    """
    real = folder.resolve()
    homes = [real]
    if real.parent.name == _SNAPSHOTS:
        homes.append(real.parent.parent / _BLOBS)
    for path in files:
        target = path.resolve()
        if not any(target.is_relative_to(home) for home in homes):
            raise AddModelError(f"{path}: is a link that leads out of its folder, to {target}; put the file itself there, or take the link away")  # fmt: skip


def _checkpoint_findings(model: PortedModel, checkpoint: Path, files: tuple[Path, ...]) -> Iterator[Finding]:
    names = [path.name for path in files]
    if _CONFIGURATION not in names:
        yield Finding(checkpoint, 1, f"holds no {_CONFIGURATION}; convert the checkpoint with add-model convert")
    else:
        yield from _configuration_findings(model, checkpoint / _CONFIGURATION)
    if not any(name.endswith(".safetensors") for name in names):
        yield Finding(checkpoint, 1, "holds no weights in safetensors; save the model with save_pretrained")
    for path in (path for path in files if path.suffix == ".safetensors"):
        if not _is_whole(path):
            yield Finding(path, 1, "is no whole safetensors file; convert the checkpoint again")
    for index in (path for path in files if path.name.endswith(".index.json")):
        yield from _missing_shards(index)
    if model.has_tokenizer and not any(_TOKENIZER.fullmatch(name) for name in names):
        yield Finding(checkpoint, 1, "holds no tokenizer; put the original's vocabulary files there, or save the tokenizer there with its save_pretrained")  # fmt: skip
    for auto, what in _PROCESSORS.items():
        if auto in model.held.auto_classes and not _PROCESSOR_SETTINGS & {*names}:
            processor = model.held.auto_classes[auto]
            yield Finding(checkpoint, 1, f"holds no settings of its {what}; save them there: {processor}().save_pretrained({str(checkpoint)!r})")  # fmt: skip


def _configuration_findings(model: PortedModel, path: Path) -> Iterator[Finding]:
    content = _json(path)
    found = content.get("model_type")
    if model.classes and found != model.name:
        yield Finding(
            path, 1, f"its model_type is {found!r}, not {model.name!r}; it is the checkpoint of another model"
        )


def _is_whole(path: Path) -> bool:
    """Whether a safetensors file is as large as its header says; it can be asked without safetensors being installed."""
    size = path.stat().st_size
    try:
        with open_regular(path) as file:
            length = int.from_bytes(file.read(8), "little")
            header = parse_json(file.read(length)) if length <= min(size, MOST_BYTES) else {}
        ends = [weight["data_offsets"][1] for name, weight in header.items() if name != "__metadata__"]
        return bool(size == 8 + length + max(ends, default=0))
    except (OSError, ValueError, AttributeError, KeyError, TypeError, IndexError):
        return False


def _missing_shards(index: Path) -> Iterator[Finding]:
    content = _json(index).get("weight_map")
    shards = sorted(set(map(str, content.values()))) if isinstance(content, dict) else []
    for shard in shards:
        if os.path.basename(shard) != shard or not (index.parent / shard).is_file():
            yield Finding(index, 1, f"names {shard}, which is not there; convert the checkpoint again")


def _json(path: Path) -> dict[str, Any]:
    try:
        content = read_json(path)
    except (OSError, ValueError) as error:
        raise AddModelError(f"{path}: is no JSON: {error}; convert the checkpoint again") from error
    return content if isinstance(content, dict) else {}


def _left_out(present: list[Path], published: Set[str]) -> Iterator[tuple[str, str]]:
    for path in present:
        if path.name in published:
            continue
        if path.name == CARD:
            yield path.name, "the model card takes its place"
        elif path.suffix in _PICKLED:
            yield path.name, "a pickle can hold code; safetensors are published"
        else:
            yield path.name, "loading the model does not ask for it"


def _refused(error: Exception, token: str, endpoint: str, repository: str) -> NoReturn:
    """Says in one line why an upload failed; whatever a server answered, the token is not repeated."""
    from huggingface_hub.errors import HfHubHTTPError

    said = " ".join(str(error).split()).replace(token, "<token>")
    status = error.response.status_code if isinstance(error, HfHubHTTPError) and error.response is not None else None
    if status == 401:
        message = f"{endpoint} does not accept the token; run `hf auth login` again, or set HF_TOKEN"
    elif status == 403:
        message = f"the token may not write to {repository}; take one that may, or another --repository"
    elif status is not None:
        message = f"{endpoint} refused the upload ({status}): {said}"
    elif isinstance(error, OSError) or "connect" in type(error).__name__.lower() or "connect" in said.lower():
        message = f"{endpoint} cannot be reached: {said}; check the connection and HF_ENDPOINT"
    else:
        message = f"the upload to {endpoint} failed: {type(error).__name__}: {said}"
    raise AddModelError(message) from error
