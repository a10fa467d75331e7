"""The largest users of the language, as released: no drift, and every odd comment is either reported or prose."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from add_model.copies.finding import Code, Finding, Severity
from add_model.copies.judging.check import Check
from add_model.library import library_at

from .reference import MARKER
from .released import released

MARKERS = {"transformers-5.23.0": 1130, "transformers-4.46.3": 3395, "diffusers-0.42.1": 2223}
# One of them has to be fetched, which takes long.
EACH = [pytest.param(name, marks=[pytest.mark.slow] if name == "transformers-4.46.3" else []) for name in MARKERS]
# What the message says for each of the reasons by which the lists are sorted.
REASONS = {
    "not written `Copied from`": "it is not written",
    "behind code": "it stands behind code",
    "behind other words": "stands before it",
    "names itself": "names the very definition",
    "leads out of the library": "leads out of the library",
    "replacement not understood": "checks less than it says",
}
_SAYS_IT = re.compile(r"#.*\bcopied\s+from\b", re.IGNORECASE)


@cache
def checked(release: str) -> tuple[Check, list[Finding]]:
    check = Check(released(release))
    return check, list(check.findings())


def findings_of(release: str, code: Code) -> list[Finding]:
    return [finding for finding in checked(release)[1] if finding.code is code]


def listed(name: str, release: str) -> Any:
    return json.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))[release]


@pytest.mark.parametrize("release", EACH)
def test_no_drift(release: str) -> None:
    check, findings = checked(release)
    assert check.counts.markers == MARKERS[release]
    assert [finding for finding in findings if finding.severity is Severity.ERROR] == []


@pytest.mark.slow
def test_the_one_copy_in_its_tests_that_has_drifted() -> None:
    """Upstream's script looks at the tests of the models alone, which the archive lacks; this copy is beside those."""
    check = Check(library_at(released("transformers-4.46.3").root.parent))
    errors = [finding for finding in check.findings() if finding.severity is Severity.ERROR]
    assert check.counts.markers == 3396
    assert [(finding.code, finding.path, finding.line) for finding in errors] == [
        (Code.CP001, "tests/test_modeling_common.py", 2457)
    ]


def test_what_is_reported_of_diffusers() -> None:
    codes = Counter(finding.code for finding in checked("diffusers-0.42.1")[1])
    assert codes[Code.CP003] == 8 and codes[Code.CP010] == 64
    assert {finding.source for finding in findings_of("diffusers-0.42.1", Code.CP009)} == {
        "transformers.models.bart.modeling_bart.BartAttention",
        "transformers.models.bart.modeling_bart.BartPretrainedModel",
    }


@pytest.mark.parametrize("release", EACH)
def test_all_that_was_meant_as_a_marker_and_nothing_else(release: str) -> None:
    found: dict[str, list[str]] = {}
    for finding in findings_of(release, Code.CP003):
        (reason,) = (reason for reason, words in REASONS.items() if words in finding.message)
        place = f"{finding.path.partition('/')[2]}:{finding.line} {finding.source}"
        found.setdefault(reason, []).append(place)
    assert {reason: sorted(places) for reason, places in found.items()} == listed("meant_as_markers.json", release)


@pytest.mark.parametrize("release", EACH)
def test_whatever_else_says_copied_from_is_prose(release: str) -> None:
    """Each line that is listed was read, and none of them is a marker gone wrong."""
    check, findings = checked(release)
    reported = {(finding.path, finding.line) for finding in findings}

    def is_marker(line: str) -> bool:
        marker = MARKER.match(line)
        return marker is not None and marker[2].partition(".")[0] in check.library.packages

    prose = [
        f"{relative.partition('/')[2]}:{number}"
        for relative, path in check.files
        for number, line in enumerate(Path(path).read_text(encoding="utf-8").split("\n"), 1)
        if _SAYS_IT.search(line) and not is_marker(line) and (relative, number) not in reported
    ]
    assert prose == listed("prose.json", release)


@pytest.mark.parametrize(
    ("name", "line", "message"),
    [
        ("modeling_flaubert.py", 1346, "did you mean `transformers.models.xlm.modeling_xlm.XLMForQuestionAnsweringOutput`"),
        ("modeling_data2vec_vision.py", 345, "did you mean `transformers.models.beit.modeling_beit.BeitAttention`"),
        ("modeling_t5.py", 1426, "did you mean `transformers.models.bart.modeling_bart.BartModel.forward`"),
        ("loss_lw_detr.py", 168, "did you mean `transformers.loss.loss_for_object_detection.ImageLoss.loss_boxes`"),
        ("modeling_megatron_bert.py", 101, "is not written `Copied from`"),
        ("modeling_bigbird_pegasus.py", 1621, "behind code"),
        ("modeling_kyutai_speech_to_text.py", 351, "`NO LONGER EXIST` stands before it"),
        ("modeling_align.py", 764, "`Bert -> AlignText` is not understood"),
        ("modeling_rt_detr_resnet.py", 117, "`-> RTDetrResNetShortCut` is not understood"),
        ("modeling_dab_detr.py", 87, "`2 (anchor points)->4 (anchor points)` is not understood"),
    ],
)  # fmt: skip
def test_what_is_said_of_a_comment_that_was_meant_as_a_marker(name: str, line: int, message: str) -> None:
    said = [
        finding.message
        for finding in findings_of("transformers-5.23.0", Code.CP003)
        if finding.path.endswith(f"/{name}") and finding.line == line
    ]
    assert any(message in text for text in said)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "line", "message"),
    [
        ("modeling_deberta.py", 1127, "did you mean `transformers.models.bert.modeling_bert.BertOnlyMLMHead`"),
        ("modeling_grounding_dino.py", 57, "did you mean `transformers.models.deformable_detr.load_custom.load_cuda_kernels`"),
        ("modeling_flaubert.py", 647, "is not written `Copied from`"),
        ("modeling_mistral.py", 1315, "did you mean `transformers.models.bloom.modeling_bloom.BloomForQuestionAnswering.__init__`"),
    ],
)  # fmt: skip
def test_what_is_said_in_the_release_with_the_most_markers(name: str, line: int, message: str) -> None:
    (said,) = [
        finding.message
        for finding in findings_of("transformers-4.46.3", Code.CP003)
        if finding.path.endswith(f"/{name}") and finding.line == line
    ]
    assert message in said
