from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from add_model.errors import AddModelError
from add_model.names import ModelName
from add_model.scaffold.answers import Answers
from add_model.scaffold.surroundings.templates import bundled_folder, render_folder

NAME = ModelName.from_snake("brand_new_bert")
BERT = ModelName("bert", "Bert", "BERT")
VALUES = {
    "name": NAME,
    "reference": {"name": BERT, "specification": "zoo:bert"},
    "package": "my_models",
    "module": "my_models.models.brand_new_bert",
    "follows": [],
    "tool": "add-model~=0.1.0",
    "sizes": {},
    "requirements": ["torch>=2.5"],
    "version": "0.1.0",
    "answers": Answers("zoo:bert", "brand_new_bert", "my_models", ("masked-lm",)),
    "classes": {"CONFIG_MAPPING_NAMES": "BrandNewBertConfig", "MODEL_MAPPING_NAMES": "BrandNewBertModel"},
    "heads": {"masked-lm": "BrandNewBertForMaskedLM"},
    "tokenizer": None,
    "documentation": (),
    "folders": {"model": "src/my_models/models/brand_new_bert", "tests": "tests/models/brand_new_bert", "docs": "docs", "state": ".add-model/models/brand_new_bert"},
}  # fmt: skip
PAGE = PurePosixPath("docs/models/brand_new_bert.md")


def rendered(own: Path | None, group: str = "model", **values: Any) -> dict[PurePosixPath, str]:
    return dict(render_folder([group], {**VALUES, **values}, NAME.snake, own))


def template(folder: Path, text: str | bytes, path: str = "docs/models/NAME.md.jinja", group: str = "model") -> Path:
    """Puts a template of the user's own into a folder, and returns that folder."""
    place = folder / group / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(text.encode() if isinstance(text, str) else text)
    return folder


def refused(own: Path, said: str) -> None:
    with pytest.raises(AddModelError, match=said) as error:
        rendered(own)
    assert "\n" not in str(error.value)


def test_the_bundled_templates_render() -> None:
    model, library = rendered(None), rendered(None, "library")
    assert PAGE in model and "BrandNewBert" in model[PAGE]
    assert PurePosixPath("pyproject.toml") in library and "my_models" in library[PurePosixPath("pyproject.toml")]
    assert (bundled_folder() / "model").is_dir()
    for path, text in {**model, **library}.items():
        assert "NAME" not in str(path) and path.suffix != ".jinja" and not path.is_absolute()
        assert text.endswith("\n"), path


def test_a_template_of_ones_own_wins(tmp_path: Path) -> None:
    own = template(tmp_path, "{{ name.title }} in {{ package }}, like {{ reference.name.title }}\n")
    found = rendered(own)
    assert found[PAGE] == "BrandNewBert in my_models, like BERT\n"
    assert found.keys() == rendered(None).keys()


def test_further_templates_are_written_as_well(tmp_path: Path) -> None:
    own = template(
        tmp_path, "{% for task in heads %}\n- {{ task }}\n{% endfor %}\n", "notes/NAME/heads_of_NAME.txt.jinja"
    )
    template(own, "not a template", "notes/README.md")
    found = rendered(own)
    assert found[PurePosixPath("notes/brand_new_bert/heads_of_brand_new_bert.txt")] == "- masked-lm\n"
    assert found.keys() - rendered(None).keys() == {PurePosixPath("notes/brand_new_bert/heads_of_brand_new_bert.txt")}


def test_a_template_may_build_on_others(tmp_path: Path) -> None:
    own = template(tmp_path, "A{% include 'part.md.jinja' %}C\n")
    template(own, "B", "part.md.jinja")
    assert rendered(own)[PAGE] == "ABC\n"


def test_names_with_special_letters_are_not_escaped(tmp_path: Path) -> None:
    assert rendered(template(tmp_path, "{{ novelty }}\n"), novelty="<a> & 'b' é")[PAGE] == "<a> & 'b' é\n"


def test_templates_of_one_group_do_not_count_for_the_other(tmp_path: Path) -> None:
    own = template(tmp_path, "mine\n", "README.md.jinja", group="library")
    assert rendered(own) == rendered(None)
    assert rendered(own, "library")[PurePosixPath("README.md")] == "mine\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("one\n{% if %}\n", r"NAME\.md\.jinja:2: .*; mend it and run again"),
        ("{% for x in heads %}", "NAME.md.jinja:1: .*; mend it"),
        ("{{ nmae }}", "'nmae' is undefined; mend it"),
        ("{{ name.snak }}", "has no attribute 'snak'; mend it"),
        ("{{ 1 / 0 }}", "fails with ZeroDivisionError: .*; mend it"),
        ("{{ 'a' + 1 }}", "fails with TypeError: .*; mend it"),
        ("{{ name | nothing }}", "nothing.*; mend it"),
        ("{{ name.from_snake('Not a name') }}", "not a snake_case name|NAME.md.jinja"),
        ("{% include 'docs/models/NAME.md.jinja' %}", "fails with RecursionError"),
        ("{% for x in range(1000000000) %}{% endfor %}", "fails with OverflowError"),
        ("{% include 'missing.jinja' %}", "missing.jinja.*; mend it"),
        (b"\xff", "fails with UnicodeDecodeError"),
    ],
)
def test_a_template_that_fails_is_named_with_the_reason(tmp_path: Path, text: str | bytes, said: str) -> None:
    refused(template(tmp_path, text), said)


@pytest.mark.parametrize(
    "text",
    [
        "{{ name.__class__.__mro__ }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ name.from_snake.__func__.__globals__ }}",
        "{{ cycler.__init__.__globals__.os.system('true') }}",
        "{{ self.__init__.__globals__ }}",
        "{{ answers.__dict__ }}",
        "{{ heads.update({'a': 'b'}) }}",
        "{{ heads.clear() }}",
        "{{ '{0.__class__}'.format(name) }}",
        "{% set name.snake = 'x' %}",
        "{% include '../../outside.txt' %}",
        "{% include '/etc/passwd' %}",
        "{% extends 'docs/../../../outside.txt' %}",
        "{% import '../outside.txt' as x %}",
    ],
)
def test_a_template_that_reaches_outside_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "outside.txt").write_text("secret")
    refused(template(tmp_path / "own", text), "NAME.md.jinja")


@pytest.mark.parametrize("place", ["docs/models/NAME.md.jinja", "part.jinja"])
def test_a_link_out_of_the_templates_is_refused(tmp_path: Path, place: str) -> None:
    (tmp_path / "outside.txt").write_text("secret")
    own = template(tmp_path / "own", "{% include 'part.jinja' %}")
    (own / "model" / place).unlink(missing_ok=True)
    (own / "model" / place).symlink_to(tmp_path / "outside.txt")
    refused(own, "outside")


def test_a_folder_of_templates_that_is_not_there_is_named(tmp_path: Path) -> None:
    refused(tmp_path / "missing", "missing: no such folder; make it, or take `templates` out")


def test_an_empty_folder_of_templates_changes_nothing(tmp_path: Path) -> None:
    assert rendered(tmp_path) == rendered(None)


def test_templates_cannot_change_what_the_next_one_sees(tmp_path: Path) -> None:
    own = template(tmp_path, "{% set package = 'other' %}{{ package }}\n", "a.txt.jinja")
    template(own, "{{ package }}\n", "b.txt.jinja")
    found = rendered(own)
    assert (found[PurePosixPath("a.txt")], found[PurePosixPath("b.txt")]) == ("other\n", "my_models\n")
