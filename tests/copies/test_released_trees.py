"""The two largest users of the language, as released: no drift, and every odd comment is either reported or prose."""

from __future__ import annotations

import importlib.util
import json
from collections import Counter
from pathlib import Path

import pytest

from add_model.copies.check import Check
from add_model.copies.finding import Code, Finding, Severity
from add_model.library import Library, library_at

from .released import released


def check_installed(name: str) -> tuple[Check, list[Finding]]:
    specification = importlib.util.find_spec(name)
    if specification is None or specification.origin is None:
        pytest.skip(f"{name} is not installed")
    folder = Path(specification.origin).parent
    check = Check(Library(folder.parent, {name: folder}))
    return check, list(check.findings())


@pytest.fixture(scope="module")
def transformers() -> tuple[Check, list[Finding]]:
    return check_installed("transformers")


@pytest.fixture(scope="module")
def diffusers() -> tuple[Check, list[Finding]]:
    return check_installed("diffusers")


@pytest.mark.parametrize(("tree", "markers"), [("transformers", 1130), ("diffusers", 2223)])
def test_no_drift(tree: str, markers: int, request: pytest.FixtureRequest) -> None:
    check, findings = request.getfixturevalue(tree)
    assert check.counts.markers == markers
    assert [finding for finding in findings if finding.severity is Severity.ERROR] == []


@pytest.mark.slow
def test_no_drift_in_the_release_with_the_most_markers() -> None:
    check = Check(released("transformers-4.46.3"))
    errors = [finding for finding in check.findings() if finding.severity is Severity.ERROR]
    assert check.counts.markers == 3395
    assert errors == []


@pytest.mark.slow
def test_the_one_copy_in_its_tests_that_has_drifted() -> None:
    """Upstream's script looks at the tests of the models alone, which the archive lacks; this copy is beside those."""
    check = Check(library_at(released("transformers-4.46.3").root.parent))
    errors = [finding for finding in check.findings() if finding.severity is Severity.ERROR]
    assert check.counts.markers == 3396
    assert [(finding.code, finding.path, finding.line) for finding in errors] == [
        (Code.CP001, "tests/test_modeling_common.py", 2457)
    ]


def test_what_is_reported_of_diffusers(diffusers: tuple[Check, list[Finding]]) -> None:
    _, findings = diffusers
    codes = Counter(finding.code for finding in findings)
    assert codes[Code.CP003] == 8 and codes[Code.CP010] == 64
    foreign = [finding for finding in findings if finding.code is Code.CP009]
    assert {finding.source for finding in foreign} == {
        "transformers.models.bart.modeling_bart.BartAttention",
        "transformers.models.bart.modeling_bart.BartPretrainedModel",
    }


@pytest.mark.parametrize("tree", ["transformers", "diffusers"])
def test_all_that_was_meant_as_a_marker_and_nothing_else(tree: str, request: pytest.FixtureRequest) -> None:
    _, findings = request.getfixturevalue(tree)
    found = [
        f"{finding.path.partition('/')[2]}: {finding.source}" for finding in findings if finding.code is Code.CP003
    ]
    listed = json.loads(Path(__file__).with_name("meant_as_markers.json").read_text(encoding="utf-8"))
    assert sorted(found) == listed[tree]


def test_meant_as_markers_in_transformers(transformers: tuple[Check, list[Finding]]) -> None:
    _, findings = transformers
    meant = {
        (finding.path.rpartition("/")[2], finding.line): finding.message
        for finding in findings
        if finding.code is Code.CP003
    }
    expected = {
        (
            "modeling_flaubert.py",
            1346,
        ): "did you mean `transformers.models.xlm.modeling_xlm.XLMForQuestionAnsweringOutput`",
        ("modeling_data2vec_vision.py", 345): "did you mean `transformers.models.beit.modeling_beit.BeitAttention`",
        ("modeling_t5.py", 1426): "did you mean `transformers.models.bart.modeling_bart.BartModel.forward`",
        ("loss_lw_detr.py", 168): "did you mean `transformers.loss.loss_for_object_detection.ImageLoss.loss_boxes`",
        ("modeling_megatron_bert.py", 101): "is not written `Copied from`",
        ("modeling_bigbird_pegasus.py", 1621): "behind code",
        ("modeling_kyutai_speech_to_text.py", 351): "`NO LONGER EXIST` stands before it",
        ("modeling_align.py", 764): "`Bert -> AlignText` is not understood",
        ("modeling_rt_detr_resnet.py", 117): "`-> RTDetrResNetShortCut` is not understood",
        ("modeling_dab_detr.py", 87): "`2 (anchor points)->4 (anchor points)` is not understood",
    }
    for place, message in expected.items():
        assert message in meant[place], place


def test_prose_in_transformers(transformers: tuple[Check, list[Finding]]) -> None:
    _, findings = transformers
    reported = {finding.path.rpartition("/")[2] for finding in findings if finding.code is Code.CP003}
    prose = {"logits_process.py", "processing_kosmos2.py", "processing_idefics.py", "import_utils.py", "modeling_bloom.py", "configuration_utils.py", "modeling_tf_bert.py"}  # fmt: skip
    assert not reported & prose
