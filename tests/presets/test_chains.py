import numpy as np
import pytest

import unmuffle
from unmuffle.errors import InvalidParameterError
from unmuffle.level import Gain
from unmuffle.presets import STAGES, StageChoice, build_chain, options_of, parse_chain
from unmuffle.process import Chain, Processor

RATE = 16_000


@pytest.mark.parametrize("name", STAGES)
def test_every_stage_makes_a_processor_with_its_defaults_and_runs(name):
    processor, _ = build_chain([StageChoice(name)], RATE, 2, link_channels=True)
    assert isinstance(processor, Processor)
    audio = 0.1 * np.random.default_rng(0).standard_normal((2, RATE)).astype(np.float32)
    out = np.concatenate([processor.process(audio), processor.flush()], axis=1)
    assert out.shape == audio.shape
    assert np.isfinite(out).all()


@pytest.mark.parametrize("name", STAGES)
def test_every_option_takes_its_own_default_as_text(name):
    options = {key: option.default for key, option in options_of(STAGES[name]).items()}
    as_text = StageChoice(name, {key: str(value) for key, value in options.items()})
    assert dict(as_text.options) == options


def test_options_reach_their_stage():
    (choice,) = parse_chain("gain:gain_db=-6")
    processor, _ = build_chain([choice], RATE)
    assert isinstance(processor, Gain)
    np.testing.assert_allclose(processor.process(np.ones((1, 100), np.float32)), 10 ** (-6 / 20), rtol=1e-6)


def test_stages_work_in_the_order_of_the_chain():
    processor, _ = build_chain(parse_chain("highpass, denoise:strength=.5, limit"), RATE)
    assert isinstance(processor, Chain)
    assert [type(part).__name__ for part in processor.processors] == ["HighPass", "DryWet", "Limiter"]
    assert processor.processors[1].strength == 0.5


def test_a_value_may_hold_colons():
    (choice,) = parse_chain("hearing:audiogram=250:10:rule=half-gain")
    assert dict(choice.options) == {"audiogram": "250:10", "rule": "half-gain"}


def test_a_value_may_hold_commas_before_numbers():
    first, second = parse_chain("hearing:audiogram=250:10,500:20, 1000:30|250:0:rule=half-gain,limit")
    assert dict(first.options) == {"audiogram": "250:10,500:20, 1000:30|250:0", "rule": "half-gain"}
    assert second.name == "limit"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "empty"),
        (" , ", "empty"),
        ("denoiz", "no stage 'denoiz' .did you mean denoise.*declip, declick"),
        ("highpass:cutof=80", "no option 'cutof' .did you mean cutoff_hz"),
        ("highpass:cutoff_hz=low", "highpass:cutoff_hz is 'low'; it must be of type float"),
        ("highpass:order=2.5", "highpass:order is '2.5'; it must be of type int"),
        ("highpass:80", "'80' in 'highpass:80' is no option: write them as highpass:OPTION=VALUE"),
        ("level,denoise", "denoise comes after level, but it needs .*: the order that works is denoise,level"),
        ("limit:ceiling_dbtp=-2,gain", "the order that works is gain,limit:ceiling_dbtp=-2.0"),
        ("denoise,denoise", "denoise twice"),
    ],
)
def test_what_does_not_fit_is_named_with_the_way_out(text, complaint):
    with pytest.raises(InvalidParameterError, match=complaint):
        parse_chain(text)


def test_arguments_beside_a_chain_are_for_its_denoiser():
    noisy = 0.1 * np.random.default_rng(0).standard_normal(RATE).astype(np.float32)
    told = unmuffle.Enhancer(chain="denoise:method=wiener:strength=.3").enhance(noisy, RATE)
    beside = unmuffle.Enhancer("wiener", 0.3, chain="denoise").enhance(noisy, RATE)
    np.testing.assert_array_equal(told, beside)
    with pytest.raises(InvalidParameterError, match="strength is for the denoiser, which chain lacks"):
        unmuffle.Enhancer(strength=0.5, chain="highpass")


def test_a_chain_in_a_stream_is_that_of_the_file():
    noisy = 0.1 * np.random.default_rng(1).standard_normal((2, 2 * RATE)).astype(np.float32)
    enhancer = unmuffle.Enhancer(chain="highpass,denoise:method=log_mmse,level,limit")
    stream = enhancer.open_stream(RATE, 2)
    blocks = [stream.process(noisy[:, at : at + 333]) for at in range(0, noisy.shape[1], 333)]
    streamed = np.concatenate([*blocks, stream.flush()], axis=1)
    np.testing.assert_allclose(streamed, enhancer.enhance(noisy, RATE), atol=2e-6)
