"""What a check of a library finds, and what it passes over."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from add_model.copies.finding import Code, Severity
from add_model.copies.fixing.fix import fix
from add_model.copies.judging import check as engine
from add_model.copies.judging.check import Check
from add_model.errors import AddModelError
from add_model.library import library_at

from .libraries import codes_of, findings_of, write_library

BERT = '''
class BertLayer(Base):
    """A layer of Bert."""

    def __init__(self, config):
        self.bert = BertDense(config)

    @property
    def size(self):
        return self.bert.size
'''
VIT = BERT.replace("Bert", "ViT").replace("bert", "vit").lstrip()
MARKER = "# Copied from my_models.bert.BertLayer with Bert->ViT all-casing\n"


def test_a_finding_says_what_and_where(tmp_path: Path) -> None:
    copy = f"import x\n\n\n{MARKER}@decorated\nclass ViTLayer(Base):\n" + VIT.partition("\n")[2].replace(
        "vit.size", "vit"
    )
    (finding,) = findings_of(write_library(tmp_path, {"my_models/bert.py": BERT, "my_models/vit.py": copy}))
    assert (finding.code, finding.severity, finding.fixable) == (Code.CP001, Severity.ERROR, True)
    assert (finding.path, finding.line, finding.end_line) == ("src/my_models/vit.py", 4, 14)
    assert (finding.object, finding.source) == ("ViTLayer", "my_models.bert.BertLayer")
    assert finding.difference is not None
    assert (finding.difference.line, finding.difference.expected, finding.difference.found) == (14, "return self.vit.size", "return self.vit")  # fmt: skip


@pytest.mark.parametrize(
    ("copy", "name"),
    [
        ("class A:\n    @property\n    def v(self): ...\n\n    MARKER\n    @v.setter\n    def v(self, v):\n        return v\n", "A.v"),
        ("if x:\n    def g(): ...\nelse:\n    MARKER\n    def g():\n        return 2\n", "g"),
    ],
)  # fmt: skip
def test_a_second_definition_of_a_name_is_named(copy: str, name: str, tmp_path: Path) -> None:
    copy = copy.replace("MARKER", "# Copied from my_models.bert.f")
    (finding,) = findings_of(
        write_library(tmp_path, {"my_models/bert.py": "def f(): ...\n", "my_models/vit.py": copy})
    )
    assert (finding.code, finding.object) == (Code.CP001, name)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("(Base)", "(Other)"),
        ("(self, config)", "(self, config, more)"),
        ("ViTDense", "BertDense"),
        ("    @property\n", ""),
        ("A layer", "One layer"),
        ("        return self.vit.size\n", "        return self.vit.size\n\n    def more(self): ...\n"),
        ("        return", "        # why\n        return"),
    ],
)
def test_every_edit_of_a_copy_is_found(old: str, new: str, tmp_path: Path) -> None:
    library = write_library(tmp_path, {"my_models/bert.py": BERT, "my_models/vit.py": MARKER + VIT})
    assert codes_of(library) == []
    assert old in VIT
    (tmp_path / "src/my_models/vit.py").write_text(MARKER + VIT.replace(old, new))
    assert codes_of(library) == ["CP001"]


@pytest.mark.parametrize(
    "copy",
    [
        f"@decorated\n{MARKER}{VIT}",
        f"{MARKER}# why it is a copy\n@decorated(\n    1\n)\n\n{VIT}",
        f"{MARKER}{VIT}# a comment at the left\n\nx = 1\n",
        f"{MARKER}{VIT}".rstrip(),
        f"{MARKER}{VIT}".replace("\n", "\r\n"),
        f"\ufeff{MARKER}{VIT}",
        "if True:\n    " + f"{MARKER}{VIT}".replace("\n", "\n    ").rstrip() + "\n",
        f'"""\n# Copied from my_models.bert.Nothing.at_all\n"""\n{MARKER}{VIT}',
        f"{MARKER}# Copied from my_models.bert.BertLayer with Bert->ViT,bert->vit\n{VIT}",
    ],
    ids=[
        "decorator above",
        "much between",
        "comment behind",
        "no newline",
        "crlf",
        "bom",
        "below if",
        "in a string",
        "two",
    ],
)
def test_equal_copies(copy: str, tmp_path: Path) -> None:
    library = write_library(tmp_path, {"my_models/bert.py": BERT, "my_models/vit.py": copy.encode()})
    check = Check(library)
    assert list(check.findings()) == []
    assert check.counts.markers == copy.count("with Bert")


def test_a_line_more_behind_an_equal_block_is_found(tmp_path: Path) -> None:
    copy = f"{MARKER}{VIT}# at the left\n        return None\n"
    assert codes_of(write_library(tmp_path, {"my_models/bert.py": BERT, "my_models/vit.py": copy})) == ["CP001"]


def test_methods_and_functions_at_any_indentation(tmp_path: Path) -> None:
    copy = "class Other:\n    # Copied from my_models.bert.BertLayer.__init__ with Bert->ViT,bert->vit\n    def start(self, config):\n        self.vit = ViTDense(config)\n"
    function = (
        "# Copied from my_models.bert.BertLayer.size with bert->vit\ndef size(self):\n    return self.vit.size\n"
    )
    files = {"my_models/bert.py": BERT, "my_models/vit.py": copy + function}
    assert codes_of(write_library(tmp_path, files)) == []


def test_a_copy_of_the_zoo_is_judged_strictly(tmp_path: Path) -> None:
    marker = "# Copied from add_model.errors.AddModelError with AddModel->My\n"
    library = write_library(tmp_path, {"my_models/errors.py": f"{marker}class MyError(Exception):\n    pass\n"})
    assert codes_of(library) == ["CP001"]


def test_a_package_that_is_not_installed_is_said_to_be_unchecked(tmp_path: Path) -> None:
    library = write_library(
        tmp_path, {"my_models/vit.py": "# Copied from no_such_package.bert.Bert\nclass Bert: ...\n"}
    )
    check = Check(library)
    (finding,) = check.findings()
    assert (finding.code, finding.severity) == (Code.CP002, Severity.WARNING)
    assert "unchecked" in finding.message and check.counts.unchecked == 1


def test_the_nearest_path_is_offered(tmp_path: Path) -> None:
    files = {
        "my_models/bert.py": BERT,
        "my_models/vit.py": "# Copied from my_models.bert.BertLayers with Bert->ViT\n" + VIT,
    }
    (finding,) = findings_of(write_library(tmp_path, files))
    assert finding.code is Code.CP002 and "did you mean `my_models.bert.BertLayer`?" in finding.message


@pytest.mark.parametrize(
    ("comment", "offered"),
    [
        ("# copied from my_models.bert.BertLayers with Bert->ViT", "my_models.bert.BertLayer"),
        ("# Copied my_models.bert.BertLayers with Bert->ViT", "my_models.bert.BertLayer"),
        ("# copied from my_models.BertLayer.__init__", "my_models.bert.BertLayer.__init__"),
        ("# Copied from my_model.BertLayer.__init__", "my_models.bert.BertLayer.__init__"),
        ("# copied from my_models.bert.BertLayer", None),
        ("# TODO: Copied from my_models.bert.BertLayers", None),
        ("# Copied from: my_models.bert.BertLayer with Bert->ViT", None),
        ("# Copied from `my_models.bert.BertLayers` with Bert->ViT", "my_models.bert.BertLayer"),
        ("# Copied from my_models.bert:BertLayer with Bert->ViT", None),
        ("# Copied from my_models..bert.BertLayer with Bert->ViT", None),
        ("# Copied from .bert.BertLayer with Bert->ViT", "my_models.bert.BertLayer"),
        ("# Copied from .bert.BertLayers with Bert->ViT", "my_models.bert.BertLayer"),
        ("# Copied from bert.BertLayer with Bert->ViT", "my_models.bert.BertLayer"),
        ("# Copied from bert.BertLayer.size", "my_models.bert.BertLayer.size"),
        ("# Copied from my_models.BertLayer with Bert->ViT", "my_models.bert.BertLayer"),
        ("# Copied from My_Models.bert.BertLayer with Bert->ViT", "my_models.bert.BertLayer"),
    ],
)
def test_what_was_meant_as_a_marker_is_offered_a_path_that_exists(
    comment: str, offered: str | None, tmp_path: Path
) -> None:
    files = {"my_models/bert.py": BERT, "my_models/vit.py": f"{comment}\n{VIT}"}
    (finding,) = findings_of(write_library(tmp_path, files))
    assert finding.code is Code.CP003
    assert offered is None if "did you mean" not in finding.message else f"`{offered}`" in finding.message


def test_a_method_of_a_class_behind_the_named_one_is_compared_and_named(tmp_path: Path) -> None:
    original = "class Bert:\n    x = 1\n\n\nclass BertModel:\n    def f(self):\n        return 1\n"
    copy = "class ViT:\n    # Copied from my_models.bert.Bert.f\n    def f(self):\n        return 2\n"
    findings = findings_of(write_library(tmp_path, {"my_models/bert.py": original, "my_models/vit.py": copy}))
    assert [(finding.code, finding.severity) for finding in findings] == [
        (Code.CP001, Severity.ERROR),
        (Code.CP002, Severity.WARNING),
    ]
    assert "my_models.bert.BertModel.f" in findings[1].message


def test_prose_in_a_library_is_no_finding(tmp_path: Path) -> None:
    prose = """
# Copied from fairseq for no_repeat_ngram in beam_search
# copied from m4.training.packing
# Copied from https://github.com/my_models/blob/main/my_models/bert.py
# Copied from my_models, see there
# 3. Process the images. Copied from my_models.vision.bert
# Copied from OnnxConfig.generate_dummy_inputs
# Copied from OnnxConfig.export.generate_dummy_inputs
# Copied from https://github.com:my_models/bert.py
# Copied from vision.bert
# Copied from bert.py
# Copied from .github/workflows
# Copied from ...somewhere.else.
# Copied from `my_models.bert.BertLayer` and simplified
# The rest is copied from: my_models.bert.BertLayer
x = "# copied from my_models.bert.BertLayer"
"""
    files = {"my_models/bert.py": BERT, "my_models/vision/bert.py": "", "my_models/prose.py": prose}
    assert codes_of(write_library(tmp_path, files)) == []


def test_a_path_that_starts_with_dots_is_read_from_the_file_on(tmp_path: Path) -> None:
    files = {"my_models/models/bert.py": BERT, "my_models/models/vit/vit.py": f"# Copied from ..bert.BertLayer\n{VIT}"}
    (finding,) = findings_of(write_library(tmp_path, files))
    assert finding.code is Code.CP003 and finding.source == "my_models.models.bert.BertLayer"
    assert "did you mean `my_models.models.bert.BertLayer`?" in finding.message


def test_a_package_may_have_capitals_and_a_class_any_letter(tmp_path: Path) -> None:
    original, copy = (f"class {name}Layer:\n    x = 1\n" for name in ("Über", "ViT"))
    marker = "# Copied from MyLib.bert.ÜberLayer with Über->ViT\n"
    files = {"MyLib/bert.py": original, "MyLib/vit.py": marker + copy, "MyLib/drifted.py": marker + copy.replace("1", "2")}  # fmt: skip
    check = Check(write_library(tmp_path, files))
    assert [(finding.path, finding.code) for finding in check.findings()] == [("src/MyLib/drifted.py", Code.CP001)]
    assert check.counts.markers == 2


def test_tests_are_a_package_of_test_files_alone(tmp_path: Path) -> None:
    marker = "# Copied from tests.models.test_bert.check\n"
    library = write_library(tmp_path, {"my_models/vit.py": f"{marker}def check(): ...\n"})
    for name, text in {"test_bert.py": "def check(): ...\n", "test_vit.py": f"{marker}def check(): ...\n"}.items():
        (tmp_path / "tests/models").mkdir(parents=True, exist_ok=True)
        (tmp_path / "tests/models" / name).write_text(text)
    library = library_at(tmp_path)
    assert [(finding.path, finding.code) for finding in findings_of(library)] == [("src/my_models/vit.py", Code.CP003)]


def test_a_broken_file_is_named_and_the_rest_checked(tmp_path: Path) -> None:
    drifted = MARKER + VIT.replace("size", "width")
    files = {
        "my_models/bert.py": BERT,
        "my_models/broken.py": "x = 1\nclass A(:\n    pass\n",
        "my_models/latin.py": b"x = '\xe9'\n",
        "my_models/vit.py": drifted,
    }
    findings = findings_of(write_library(tmp_path, files))
    assert [(finding.path, finding.line, finding.code.name) for finding in findings] == [
        ("src/my_models/broken.py", 2, "CP006"),
        ("src/my_models/latin.py", 1, "CP006"),
        ("src/my_models/vit.py", 1, "CP001"),
    ]
    assert "line 2, column" in findings[0].message


def test_in_a_large_library_a_broken_original_is_still_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "PARSED_BYTES", 0)
    files = {"my_models/bert.py": f"class A(:\n{BERT}", "my_models/vit.py": MARKER + VIT.replace("size", "width")}
    assert codes_of(write_library(tmp_path, files)) == ["CP006", "CP001"]


def test_an_unreadable_original_is_named_once_and_its_copies_are_counted_as_unchecked(tmp_path: Path) -> None:
    files = {"my_models/bert.py": b"x = '\xff'\n" + BERT.encode(), "my_models/vit.py": MARKER + VIT + MARKER + VIT}
    check = Check(write_library(tmp_path, files))
    assert [(finding.path, finding.code.name) for finding in check.findings()] == [("src/my_models/bert.py", "CP006")]
    assert check.counts.unchecked == 2


def test_circles_name_their_members(tmp_path: Path) -> None:
    files = {
        f"my_models/{name}.py": f"# Copied from my_models.{source}.f\ndef f(): ...\n"
        for name, source in {"a": "b", "b": "c", "c": "a", "d": "a"}.items()
    }
    findings = findings_of(write_library(tmp_path, files))
    assert [(finding.code, finding.path[-4:]) for finding in findings] == [
        (Code.CP004, f"{name}.py") for name in "abc"
    ]
    assert all(f"my_models.{name}.f" in finding.message for finding in findings for name in "abc")


def test_members_of_a_circle_that_differ_are_nothing_that_can_be_fixed(tmp_path: Path) -> None:
    text = "# Copied from my_models.a.g\ndef f():\n    return 1\n\n\n# Copied from my_models.a.f\ndef g():\n    return 2\n"
    other = "# Copied from my_models.a.f\ndef f():\n    return 3\n"
    findings = findings_of(write_library(tmp_path, {"my_models/a.py": text, "my_models/b.py": other}))
    assert [(finding.path[-4:], finding.code.name, finding.fixable) for finding in findings] == [
        ("a.py", "CP001", False),
        ("a.py", "CP004", False),
        ("a.py", "CP001", False),
        ("a.py", "CP004", False),
        ("b.py", "CP001", True),
    ]


def test_an_inner_marker_yields_to_the_outer_one_unless_its_method_is_ignored(tmp_path: Path) -> None:
    inner = "    # Copied from my_models.bert.BertLayer.size\n    @property"
    nested = MARKER + VIT.replace("    @property", inner)
    library = write_library(tmp_path, {"my_models/bert.py": BERT, "my_models/vit.py": nested})
    assert codes_of(library) == ["CP011"]
    (tmp_path / "src/my_models/vit.py").write_text(nested.replace("    @property", "    # Ignore copy\n    @property"))
    assert codes_of(library) == ["CP001"]


def test_only_the_paths_that_are_given_are_checked(tmp_path: Path) -> None:
    drifted = MARKER + VIT.replace("size", "width")
    files = {"my_models/bert.py": BERT, "my_models/one/vit.py": drifted, "my_models/two/vit.py": drifted}
    library = write_library(tmp_path, files)
    for path in (tmp_path / "src/my_models/one", tmp_path / "src/my_models/one/vit.py"):
        assert [finding.path for finding in Check(library, [path]).findings()] == ["src/my_models/one/vit.py"]
    with pytest.raises(AddModelError, match="no such file or folder"):
        Check(library, [tmp_path / "missing"])


def test_configuration_excludes_files_and_registers_full_copies(tmp_path: Path) -> None:
    drifted = MARKER + VIT.replace("size", "width")
    files = {
        "my_models/bert.py": BERT,
        "my_models/old/vit.py": drifted,
        "my_models/a.py": "x = 1\n",
        "my_models/b.py": "x = 2\n",
    }
    write_library(tmp_path, files)
    (tmp_path / "pyproject.toml").write_text(
        '[tool.add-model]\nexclude = ["src/my_models/old/*"]\n'
        '[tool.add-model.full-copies]\n"src/my_models/b.py" = "src/my_models/a.py"\n"src/my_models/c.py" = "no.py"\n'
    )
    findings = findings_of(library_at(tmp_path))
    assert [(finding.path, finding.code.name) for finding in findings] == [
        ("src/my_models/b.py", "CP001"),
        ("src/my_models/c.py", "CP002"),
    ]


def test_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    library = write_library(tmp_path, {"my_models/bert.py": BERT})
    (tmp_path / "src/my_models/loop").symlink_to(tmp_path / "src/my_models")
    check = Check(library)
    assert list(check.findings()) == [] and check.counts.files == 2


def test_an_original_behind_a_link_or_excluded_is_found_where_it_stands(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    for name in ("__init__.py", "bert.py"):
        (outside / name).write_text(BERT if name == "bert.py" else "")
    files = {"my_models/vit.py": MARKER.replace(".bert.", ".linked.bert.") + VIT, "my_models/old/bert.py": BERT}
    files["my_models/other.py"] = MARKER.replace(".bert.", ".old.bert.") + VIT.replace("size", "width")
    write_library(tmp_path, files)
    (tmp_path / "src/my_models/linked").symlink_to(outside)
    (tmp_path / "pyproject.toml").write_text('[tool.add-model]\nexclude = ["src/my_models/old/*"]\n')
    assert codes_of(library_at(tmp_path)) == ["CP001"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(content=st.binary(max_size=200), text=st.text(max_size=80))
def test_no_file_crashes_it(content: bytes, text: str, tmp_path: Path) -> None:
    marker = b"# Copied from my_models.bert.BertLayer with Bert->ViT\n"
    files = {
        "my_models/bert.py": BERT,
        "my_models/odd.py": marker + content,
        "my_models/text.py": text.encode("utf-8", "replace") + b"\n" + marker + VIT.encode(),
    }
    findings_of(write_library(tmp_path, files))


@pytest.mark.parametrize(
    "written",
    [
        "# Copied from {source} with Bert -> ViT",
        "# Copied from {source} whit Bert->ViT",
        "# Copied from {source} with Bert=>ViT",
        "# copied from {source} with Bert->ViT",
    ],
)
def test_a_slip_in_a_marker_of_the_zoo_is_never_silent(tmp_path: Path, written: str) -> None:
    marker = written.format(source="add_model.zoo.models.bert.modeling_bert.BertPooler")
    library = write_library(tmp_path, {"my_models/vit.py": f"{marker}\nclass ViTPooler:\n    pass\n"})
    assert "CP003" in codes_of(library)


def test_a_header_that_a_replacement_breaks_leaves_the_body_to_be_compared_in_any_layout(tmp_path: Path) -> None:
    original = "class Base:\n    def prepare(self, width):\n        return width * self.scale\n"
    copy = "class Sound:\n    # Copied from diffusers.base.Base.prepare with width->self.config.width\n    def prepare(self):\n        return (\n            self.config.width\n            * self.scale\n        )\n"
    library = write_library(tmp_path, {"diffusers/base.py": original, "diffusers/sound.py": copy})
    assert codes_of(library) == ["CP010"]


@pytest.mark.parametrize(
    "written", ["transformers.tests.models", "test.models", "tests.models", "transformer.tests.models"]
)
@pytest.mark.parametrize("place", ["tests/models/test_vit.py", "src/transformers/models/vit.py"])
def test_a_path_that_looks_for_tests_in_the_wrong_place(place: str, written: str, tmp_path: Path) -> None:
    write_library(tmp_path, {"transformers/models/bert.py": BERT, "transformers/models/old.py": ""})
    (tmp_path / "tests/models").mkdir(parents=True)
    (tmp_path / "tests/models/bert.py").write_text(BERT)
    (tmp_path / place).write_text(f"# Copied from {written}.bert.BertLayer with Bert->ViT all-casing\n{VIT}")
    found = findings_of(library_at(tmp_path))
    in_tests = place.startswith("tests")
    if in_tests and written == "tests.models":
        assert found == []
        return
    (finding,) = found
    assert finding.code is Code.CP003 and finding.severity is Severity.WARNING and not finding.fixable
    meant = "tests" if in_tests else "transformers"
    assert finding.message == (
        f"checks nothing: `{written}.bert.BertLayer` leads out of the library; did you mean `{meant}.models.bert.BertLayer`?"
    )


def test_a_package_may_have_tests_of_its_own(tmp_path: Path) -> None:
    files = {"my_models/tests/bert.py": BERT, "my_models/vit.py": f"# Copied from my_models.tests.bert.BertLayer with Bert->ViT all-casing\n{VIT}"}  # fmt: skip
    assert codes_of(write_library(tmp_path, files)) == []


LONG_HEADER = "def f(\n    x,\n    y: int = 1,\n) -> int:\n    return x\n"


@pytest.mark.parametrize(
    ("copy", "code"),
    [
        (LONG_HEADER.replace("y: int", "y: float"), "CP001"),
        (LONG_HEADER.replace("-> int", "-> float"), "CP001"),
        (LONG_HEADER.replace(",\n)", ", z=1\n)"), "CP001"),
        ("def f(x, y: int = 1) -> float:\n    return x\n", "CP001"),
        (LONG_HEADER.replace("f(\n    x,", "f(x: int,"), "CP001"),
        ("def f(x, y: float = 1) -> int:\n    return x\n", "CP001"),
    ],
)
def test_a_header_differs_behind_its_first_line(copy: str, code: str, tmp_path: Path) -> None:
    files = {"diffusers/base.py": LONG_HEADER, "diffusers/copy.py": f"# Copied from diffusers.base.f\n{copy}"}
    (finding,) = findings_of(write_library(tmp_path, files))
    assert finding.code.name == code and finding.fixable


def test_a_header_of_several_lines_differs_in_its_first(tmp_path: Path) -> None:
    original = "def f(x,\n    y: int = 1,\n    z=2\n) -> int:\n    return x\n"
    copy = "# Copied from diffusers.base.f\ndef g(x: int,\n    y: int=1, z=2,\n) -> int:\n    return x\n"
    library = write_library(tmp_path, {"diffusers/base.py": original, "diffusers/copy.py": copy})
    (finding,) = findings_of(library)
    assert finding.code is Code.CP010 and not finding.fixable
    assert fix(library).after == {}


@pytest.mark.parametrize(
    ("copy", "code"),
    [
        ("def f(x): return 2\n", "CP001"),
        ("def f(x):\n    return 2\n", "CP001"),
        ("def f(x, y={1: 2}): return 1\n", "CP010"),
        ("def f(x) -> int:  # why\n    return 1\n", "CP010"),
    ],
)
def test_the_body_of_a_block_on_one_line_is_no_header(copy: str, code: str, tmp_path: Path) -> None:
    original = "def f(x): return 1\n"
    files = {"diffusers/base.py": original, "diffusers/copy.py": f"# Copied from diffusers.base.f\n{copy}"}
    # What stands on one line is what that library's own script cannot read, whatever it is a copy of.
    assert set(codes_of(write_library(tmp_path, files))) - {"CP012"} == {code}
