"""The model folders of a tree: all of them, the fixed sample, and those whose architectures the domain page names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

# Names that stand in other words, folders with several configurations or modeling files, types that are called otherwise
# than their folder, names with digits, and one of each kind of model besides.
SAMPLE = (
    "opt", "led", "sam", "vit", "bit", "git", "mamba", "wav2vec2", "whisper", "gpt2", "clip", "owlvit", "donut", "data2vec",
    "bert", "albert", "roberta", "t5", "mt5", "qwen2_5_vl", "sam3", "blip", "llama", "bart", "detr", "swin",
    "audio_spectrogram_transformer", "altclip", "encoder_decoder", "timm_wrapper", "layoutlmv2", "mixtral", "bark",
    "encodec", "speech_to_text", "perceiver", "gpt_oss", "maskformer", "pegasus_x", "time_series_transformer",
)  # fmt: skip

NAMED = (
    "convnext", "vit", "swin", "segformer", "beit", "vit_mae", "imagegpt", "detr", "bert", "roberta", "distilbert",
    "albert", "deberta", "longformer", "gpt2", "xlnet", "gptj", "opt", "bloom", "bart", "pegasus", "t5", "wav2vec2",
    "hubert", "speech_to_text", "whisper", "visual_bert", "vilt", "clip", "owlvit", "trocr", "donut",
    "decision_transformer", "deprecated/trajectory_transformer", "fsmt", "xlm",
)  # fmt: skip

# Reference -> why its copy cannot be what the reference is, in the upstream code.
EXCEPTIONS: Mapping[str, str] = {}


def model_folders(package: Path) -> list[str]:
    """The folders below `models` that hold a modeling file, those of deprecated models included, sorted.

    Args:
        package: the folder `transformers`.
    """
    models = package / "models"
    found = {path.parent.relative_to(models).as_posix() for path in models.rglob("modeling_*.py")}
    return sorted(folder for folder in found if folder not in ("", ".", "auto"))


def new_name(reference: str, pattern: str = "brand_new_{}") -> str:
    """What the model is called that is made from a folder, such as `brand_new_bert`."""
    return pattern.format(reference.rpartition("/")[2])
