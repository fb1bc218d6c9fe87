"""The figures of the documentation can be drawn anew, and those it names are there."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from bench.drawing import draw

from bench import figures, page_screenshots

pytest.importorskip("matplotlib", reason="matplotlib, which figures need, is not installed")
Image = pytest.importorskip("PIL.Image", reason="pillow, which figures need, is not installed")

DOCS = Path(__file__).parents[2] / "docs"
MOST_BYTES, MOST_BYTES_IN_ALL = 150_000, 1_500_000
PICTURES = {figures.FOLDER: figures.FIGURES, page_screenshots.FOLDER: page_screenshots.SHOTS}


def named_in_docs() -> set[Path]:
    pages = DOCS.glob("*.md")
    return {
        (page.parent / name).resolve() for page in pages for name in re.findall(r"!\[.+?\]\((.+?)\)", page.read_text())
    }


def test_the_documentation_shows_every_figure_and_no_other():
    made = {folder / f"{name}.png" for folder, names in PICTURES.items() for name in names}
    there = {path.resolve() for folder in PICTURES for path in folder.iterdir()}
    assert named_in_docs() == {path.resolve() for path in made} == there


@pytest.mark.parametrize("folder", PICTURES, ids=lambda folder: folder.name)
def test_figures_are_small(folder):
    sizes = [path.stat().st_size for path in folder.iterdir()]
    assert max(sizes) < MOST_BYTES
    assert sum(sizes) < MOST_BYTES_IN_ALL


@pytest.mark.parametrize("name", figures.FIGURES)
def test_a_figure_is_drawn_with_axes_that_tell_their_units(name, tmp_path):
    made = []

    def make():
        made.append(figures.FIGURES[name]())
        return made[0]

    draw(make, tmp_path / "figure.png")
    axes = [axis for axis in made[0].axes if axis.get_label() != "<colorbar>"]
    assert all(axis.get_ylabel() for axis in axes)
    assert axes[-1].get_xlabel() in ("s", "ms", "Hz")
    with Image.open(tmp_path / "figure.png") as image:
        assert image.size[0] == 800
        assert np.unique(np.asarray(image)).size > 8
