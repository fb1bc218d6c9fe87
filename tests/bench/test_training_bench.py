"""The part on training measures what it says; on a corpus of its own and few steps here."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="torch, which training needs, is not installed")

from bench import page, training


def test_the_part_measures_speed_and_mixing_and_the_page_shows_them(monkeypatch, tmp_path):
    monkeypatch.setattr(training, "STEPS", 26)
    monkeypatch.setattr(training, "WARM_STEPS", 1)
    monkeypatch.setattr(training, "SECONDS", 1.0)
    monkeypatch.setattr(training, "ITEMS", 2)
    packed = training._pack(tmp_path)
    mixing = training.mixing_ms(str(packed), 16_000)
    assert set(mixing) == set(training.EFFECTS)
    assert mixing["coded"] > mixing["as by default"] > 0
    text = training.CONFIG.replace('name = "unmuffle_s"', 'name = "unmuffle_s"\nchannels = 8\nblocks = 1\nedge = 8')
    monkeypatch.setattr(training, "CONFIG", text)
    row = training._train(tmp_path, packed, 1, half=False, full_band_share=0.0)
    assert row["real_time"] > 0
    figures = {
        "allocator": "a",
        "runs": [row],
        "mixing_ms": {"16000": mixing},
        "item_s": 3.0,
        "date": "d",
        "machine": "m",
    }
    written = page.render({"training": figures})
    assert f"| 1, float32, 16 kHz | {row['real_time']:.0f} |" in written
    assert f"| coded | {mixing['coded']:.1f} |" in written
