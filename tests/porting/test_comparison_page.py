"""The page of a comparison: what it says, and how it looks and behaves in a real browser."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest
import torch
from torch import nn

from add_model.porting.comparison.chart import layer_of
from add_model.porting.comparison.comparing import compare
from add_model.porting.comparison.diagnosis import diagnose
from add_model.porting.comparison.page import DARK, LIGHT, page
from add_model.porting.recording import record_forward
from add_model.porting.recording.file import Recording, load_recording

from .browser import Browser, missing, opened

MADE = datetime(2026, 3, 4, 5, 6, tzinfo=timezone.utc)
WIDTHS = (1280, 700, 500)
SCHEMES = {"light": LIGHT, "dark": DARK}


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a_projection_with_a_long_name = nn.Linear(4, 4)
        self.norm = nn.LayerNorm(4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.norm(x + torch.tanh(self.a_projection_with_a_long_name(x)))


class Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.ModuleList(Block() for _ in range(12))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.layer:
            x = layer(x)
        return x


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embeddings = nn.Embedding(9, 4)
        self.encoder = Encoder()
        self.head = nn.Linear(4, 2)

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        return self.head(self.encoder(self.embeddings(input_ids)))


def recorded(model: nn.Module, path: Path, **facts: str) -> Recording:
    with torch.no_grad(), record_forward(model, path, facts=facts):
        model(input_ids=torch.tensor([[1, 2, 3]]))
    return load_recording(path)


def written(folder: Path, differs: bool = True) -> Path:
    torch.manual_seed(0)
    model = Model().eval()
    original = recorded(model, folder / "original.safetensors", target="somebody/the-original")
    if differs:
        weight = model.encoder.layer[3].a_projection_with_a_long_name.weight
        weight.data[0, 0] += 0.5
    new = recorded(model, folder / "new.safetensors", name="brand_new_model")
    comparison = compare(original, new)
    path = folder / "page.html"
    path.write_text(page(comparison, diagnose(comparison), made=MADE))
    return path


def test_title_and_head_say_which_models_when_within_what_and_the_verdict(tmp_path: Path) -> None:
    text = written(tmp_path).read_text()
    head = text[: text.index("<h2")]
    for said in ("Model (somebody/the-original)", "Model (brand_new_model)", "2026-03-04 05:06 UTC", "0.001", "different: largest difference"):  # fmt: skip
        assert said in head, said
    assert "<title>different: Model (somebody/the-original) and Model (brand_new_model)</title>" in text
    assert 'name="viewport"' in text


def test_runs_that_are_equal_offer_no_filter(tmp_path: Path) -> None:
    text = written(tmp_path, differs=False).read_text()
    assert "<title>equal: " in text and "<input" not in text and "None of the" in text


def test_what_a_recording_is_called_cannot_break_out_of_the_page(tmp_path: Path) -> None:
    model = Model().eval()
    hostile = '<b id="reached">"&\''
    one = recorded(model, tmp_path / "one.safetensors", target=hostile)
    two = recorded(model, tmp_path / "two.safetensors", name=hostile)
    text = page(compare(one, two), None)
    assert hostile not in text and "<b id" not in text and "&lt;b id=" in text


@pytest.mark.parametrize(
    ("path", "layer"),
    [
        ("", "model"),
        ("bert", "bert"),
        ("bert.embeddings.word_embeddings", "embeddings"),
        ("bert.encoder.layer.11.attention.self", "encoder.layer.11"),
        ("model.decoder.layers.3", "decoder.layers.3"),
        ("h.0", "h.0"),
        ("0", "0"),
    ],
)
def test_a_layer_is_named_as_its_submodules_are(path: str, layer: str) -> None:
    assert layer_of(path) == layer


def luminance(colour: str) -> float:
    """Of WCAG 2: how bright a colour, #rrggbb, is seen."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    bright, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("ground", ["page", "panel", "marked"])
@pytest.mark.parametrize("writing", ["text", "quiet", "differs", "within", "equal"])
def test_every_colour_of_writing_can_be_read_on_every_ground(scheme: str, ground: str, writing: str) -> None:
    assert contrast(SCHEMES[scheme][writing], SCHEMES[scheme][ground]) >= 4.5


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    absent = missing()
    if absent is not None:
        pytest.skip(absent)
    with opened(tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("page"))


VISIBLE = "return [...document.querySelectorAll('tbody tr')].filter(row => row.getClientRects().length).map(row => row.children[1].textContent)"  # fmt: skip


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_in_a_browser(browser: Browser, shown: Path, width: int, scheme: str) -> None:
    browser.open(shown, width, scheme)
    assert browser.run("return innerWidth") == width
    assert browser.run("return document.documentElement.scrollWidth") <= width, "the page overflows"
    # Tables and pictures scroll within themselves, and a cell is not folded to a letter a line.
    outside = "return [...document.querySelectorAll('h1, p, dd, .scroll, label')].filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80))"  # fmt: skip
    assert browser.run(outside) == []
    heights = "return [...document.querySelectorAll('tbody tr')].map(row => row.getBoundingClientRect().height)"
    assert max(browser.run(heights)) < 90
    folder = os.environ.get("ADD_MODEL_PICTURES")
    if folder:
        browser.picture(Path(folder) / f"comparison-{width}-{scheme}.png")

    every = browser.run(VISIBLE)
    assert set(every) == {"differs", "equal"}
    browser.click("label[for=only-differing]")
    assert set(browser.run(VISIBLE)) == {"differs"} and len(browser.run(VISIBLE)) == every.count("differs")
    # A point leads to its row, also to one that the filter hides.
    for place in ("place-0", "place-40", browser.run("return document.querySelector('tr.first').id")):
        browser.click(f"svg a[href='#{place}']")
        assert browser.run("return location.hash") == f"#{place}"
        inside = "const r = document.getElementById(arguments[0]).getBoundingClientRect(); return r.height > 0 && r.top >= 0 && r.bottom <= innerHeight"  # fmt: skip
        assert browser.run(inside, place), place
    browser.click("label[for=only-differing]")
    assert browser.run(VISIBLE) == every
    assert browser.messages() == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_colours_that_are_seen_are_those_that_were_judged(browser: Browser, shown: Path, scheme: str) -> None:
    browser.open(shown, 700, scheme)
    seen = "const s = getComputedStyle(document.querySelector(arguments[0])); return [s.color, s.backgroundColor]"
    colours = SCHEMES[scheme]
    assert browser.run(seen, "body") == [rgb(colours["text"]), rgb(colours["page"])]
    assert browser.run(seen, "td.differs")[0] == rgb(colours["differs"])
    assert browser.run(seen, "td.equal")[0] == rgb(colours["equal"])
    assert browser.run(seen, "tr.first td") == [rgb(colours["text"]), rgb(colours["marked"])]


def rgb(colour: str) -> str:
    return f"rgb({', '.join(str(int(colour[start : start + 2], 16)) for start in (1, 3, 5))})"


def test_the_layers_stand_below_the_points_and_no_two_names_meet(browser: Browser, shown: Path) -> None:
    browser.open(shown, 1280, "light")
    names = browser.run("return [...document.querySelectorAll('text.layer')].map(e => e.textContent)")
    assert [name for name in names if "layer." in name] == [f"encoder.layer.{number}" for number in range(12)]
    places = browser.run("return [...document.querySelectorAll('text.layer')].map(e => e.getBoundingClientRect().right)")  # fmt: skip
    assert all(second - first >= 12 for first, second in zip(places, places[1:], strict=False))
