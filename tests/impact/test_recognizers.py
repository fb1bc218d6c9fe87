"""Recognisers: what the contract asks, tried on PocketSphinx itself and on modules of the interfaces of the others."""

from __future__ import annotations

import json
import pickle
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import soundfile

from unmuffle.errors import AudioFileError, InvalidParameterError, MissingExtraError, UnmuffleError
from unmuffle.measure.impact.normalizer import TextNormalizer
from unmuffle.measure.impact.recognizers.base import Recognizer, as_pcm16
from unmuffle.measure.impact.recognizers.pocket_sphinx import EFFORTS, PocketSphinx
from unmuffle.measure.impact.recognizers.registry import find_recognizer
from unmuffle.measure.impact.word_errors import count_word_errors
from unmuffle.signal.resample import resample

EXAMPLES = Path(__file__).parents[2] / "examples"
SAID = (
    "Good morning, and welcome back to the show. It is raining, the fan is on, and somebody keeps typing. "
    "So nobody can hear a word we say? They can now. One command, and only our voices are left. Then let us begin."
)
RATE = 16_000


def example(name: str) -> np.ndarray:
    audio, rate = soundfile.read(EXAMPLES / name, dtype="float32")
    return resample(audio, rate, RATE)[0]


@pytest.fixture(scope="module")
def sphinx() -> PocketSphinx:
    pytest.importorskip("pocketsphinx", reason="the extra impact is not installed")
    return PocketSphinx("fast")


@pytest.fixture(scope="module")
def pieces() -> list[np.ndarray]:
    clean = example("clean.flac")
    # Two short stretches of speech, one with noise that would disturb a tracker of noise.
    second = clean[66_000:82_000] + 0.02 * np.random.default_rng(0).standard_normal(16_000).astype(np.float32)
    return [clean[17_000:41_000], second]


def test_pocketsphinx_understands_the_clean_example_better_than_the_noisy(sphinx):
    normalize = TextNormalizer()
    texts = [sphinx.transcribe(example(name), RATE) for name in ("clean.flac", "noisy.flac")]
    clean, noisy = (count_word_errors(normalize(SAID), normalize(text)).rate for text in texts)
    # Its voices are synthetic, and strange to a model of human ones.
    assert clean < 0.95
    assert clean < noisy


def test_pocketsphinx_does_not_remember_what_it_heard_before(sphinx, pieces):
    one, two = pieces

    def heard(piece, recognizer=sphinx):
        # Texts may agree by chance; the scores would not.
        return recognizer.transcribe(piece, RATE), recognizer.model.hyp().score

    first, _, again = heard(one), heard(two), heard(one)
    assert first[0]
    assert first == again == heard(one, PocketSphinx("fast"))


def test_a_loaded_recogniser_can_be_sent_to_a_worker(sphinx, pieces):
    said = sphinx.transcribe(pieces[0], RATE)
    assert pickle.loads(pickle.dumps(sphinx)).transcribe(pieces[0], RATE) == said


def test_efforts_are_named_apart():
    names = {find_recognizer(f"pocketsphinx:{effort}").name for effort in EFFORTS}
    assert names == {"pocketsphinx", "pocketsphinx:fast"}
    with pytest.raises(InvalidParameterError, match="heroic"):
        find_recognizer("pocketsphinx:heroic")


def test_pcm_is_rounded_and_clipped():
    samples = np.frombuffer(as_pcm16(np.array([0.0, 0.5, 1.0, 2.0, -1.0, -3.0], np.float32)), "<i2")
    assert samples.tolist() == [0, 16384, 32767, 32767, -32768, -32768]


def hide(monkeypatch, module: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)


@pytest.mark.parametrize(
    ("spec", "module", "install"),
    [
        ("pocketsphinx", "pocketsphinx", 'pip install "unmuffle[impact]"'),
        ("faster-whisper:{}", "faster_whisper", "pip install faster-whisper"),
        ("vosk:{}", "vosk", "pip install vosk"),
        ("nemo:{}", "nemo.collections.asr", "nemo_toolkit"),
    ],
)
def test_a_missing_package_is_named_with_its_command(monkeypatch, tmp_path, spec, module, install):
    hide(monkeypatch, module)
    recognizer = find_recognizer(spec.format(tmp_path))
    with pytest.raises(MissingExtraError) as error:
        recognizer.transcribe(np.zeros(RATE, np.float32), RATE)
    assert install in str(error.value)


@pytest.mark.parametrize("name", ["faster-whisper", "vosk", "nemo"])
@pytest.mark.parametrize("model", ["", ":/nowhere/model"])
def test_a_model_on_this_machine_is_demanded(name, model):
    with pytest.raises(AudioFileError, match="path of a model on this machine"):
        find_recognizer(name + model)


def test_faster_whisper_is_called_as_its_documentation_says(monkeypatch, tmp_path):
    heard = {}

    class WhisperModel:
        def __init__(self, model_size_or_path, device="auto", local_files_only=False, **_):
            heard["model"] = (model_size_or_path, device, local_files_only)

        def transcribe(self, audio, language=None, temperature=(0.0, 0.2), **options):
            heard["audio"] = (audio.dtype, audio.ndim, language, temperature)
            heard["options"] = options
            segments = (types.SimpleNamespace(text=text) for text in (" Hello there.", " How are you?"))
            return segments, types.SimpleNamespace(language="en", language_probability=1.0)

    monkeypatch.setitem(sys.modules, "faster_whisper", types.SimpleNamespace(WhisperModel=WhisperModel))
    recognizer = find_recognizer(f"faster-whisper:{tmp_path}")
    assert recognizer.transcribe(np.zeros(RATE, np.float32), RATE) == "Hello there. How are you?"
    assert heard["model"] == (str(tmp_path), "cpu", True)
    assert heard["audio"] == (np.float32, 1, "en", 0.0)
    assert heard["options"]["condition_on_previous_text"] is False


def test_vosk_is_called_as_its_documentation_says(monkeypatch, tmp_path):
    made = []

    class KaldiRecognizer:
        def __init__(self, model, rate):
            made.append((model.path, rate))
            self.bytes = 0

        def AcceptWaveform(self, data):  # noqa: N802
            assert isinstance(data, bytes)
            self.bytes += len(data)
            return self.bytes == 16_000

        def Result(self):  # noqa: N802
            return json.dumps({"text": "first part"})

        def FinalResult(self):  # noqa: N802
            return json.dumps({"text": f"and {self.bytes} bytes"})

    module = types.SimpleNamespace(
        KaldiRecognizer=KaldiRecognizer,
        Model=lambda path: types.SimpleNamespace(path=path),
        SetLogLevel=lambda _: None,
    )
    monkeypatch.setitem(sys.modules, "vosk", module)
    recognizer = find_recognizer(f"vosk:{tmp_path}")
    for _ in range(2):
        assert recognizer.transcribe(np.zeros(RATE, np.float32), RATE) == "first part and 32000 bytes"
    # The model once, a recogniser for each clip.
    assert made == [(str(tmp_path), 16_000.0)] * 2


@pytest.mark.parametrize("shape", ["texts", "hypotheses", "best and all"])
def test_nemo_is_called_as_its_documentation_says(monkeypatch, tmp_path, shape):
    path = tmp_path / "small.nemo"
    path.write_bytes(b"")

    class ASRModel:
        @classmethod
        def restore_from(cls, restore_path, **_):
            assert restore_path == str(path)
            return cls()

        def eval(self):
            return self

        def transcribe(self, audio, **_):
            assert len(audio) == 1
            assert audio[0].dtype == np.float32
            text = "hello there"
            if shape == "texts":
                return [text]
            hypotheses = [types.SimpleNamespace(text=text)]
            return hypotheses if shape == "hypotheses" else (hypotheses, [hypotheses])

    collection = types.ModuleType("nemo.collections.asr")
    collection.models = types.SimpleNamespace(ASRModel=ASRModel)
    monkeypatch.setitem(sys.modules, "nemo", types.ModuleType("nemo"))
    monkeypatch.setitem(sys.modules, "nemo.collections", types.ModuleType("nemo.collections"))
    monkeypatch.setitem(sys.modules, "nemo.collections.asr", collection)
    assert find_recognizer(f"nemo:{path}").transcribe(np.zeros(RATE, np.float32), RATE) == "hello there"


LENGTH_OF = "import sys, wave; f = wave.open(sys.argv[1]); print(f.getnframes(), f.getframerate(), f.getnchannels())"


def script(tmp_path: Path, source: str) -> str:
    path = tmp_path / "tool with space.py"
    path.write_text(source)
    return f"command:'{sys.executable}' '{path}' {{in}}"


def test_a_command_is_given_a_file_and_its_output_is_the_text(tmp_path):
    recognizer = find_recognizer(script(tmp_path, LENGTH_OF))
    assert recognizer.transcribe(np.zeros(1_234, np.float32), RATE) == "1234 16000 1"


def test_a_command_that_fails_is_told_with_its_last_line(tmp_path):
    recognizer = find_recognizer(script(tmp_path, "import sys; print('oh\\nno model', file=sys.stderr); sys.exit(4)"))
    with pytest.raises(UnmuffleError, match="exit code 4: no model"):
        recognizer.transcribe(np.zeros(10, np.float32), RATE)


@pytest.mark.parametrize(
    ("spec", "named"),
    [
        ("command:echo", "has no {in}"),
        ("command:no-such-tool-at-all {in}", "no-such-tool-at-all"),
        ("command:echo '{in}", "cannot be read"),
        ("siri", "siri"),
        (3, "function"),
    ],
)
def test_what_is_no_recogniser_is_named(spec, named):
    with pytest.raises(InvalidParameterError) as error:
        find_recognizer(spec)
    assert named in str(error.value)


def test_a_function_is_a_recogniser_under_its_name():
    def shout(audio, rate):
        return f"{audio.size} at {rate}"

    recognizer = find_recognizer(shout)
    assert isinstance(recognizer, Recognizer)
    assert (recognizer.name, recognizer.transcribe(np.zeros(5, np.float32), RATE)) == ("shout", "5 at 16000")
    assert find_recognizer(recognizer) is recognizer
