import numpy as np
import pytest
from toys import Copy

from unmuffle.errors import InvalidAudioError
from unmuffle.process import process_whole


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(700_000,), (2, 900), (3, 1)])
def test_shape_and_type_are_kept_and_nothing_is_shifted(dtype, shape):
    audio = np.random.default_rng(0).integers(-(2**15), 2**15, shape)
    audio = (audio << 8).astype(dtype) if dtype is np.int32 else (audio if dtype is np.int16 else audio / 2**15)
    audio = np.asarray(audio, dtype)
    out = process_whole(audio, lambda channels: Copy(600, 100, channels=channels))
    assert out.dtype == dtype
    np.testing.assert_array_equal(out, audio)


@pytest.mark.parametrize(("audio", "complaint"), [([], "no samples"), (np.zeros((1, 1, 2)), "3 dimensions"),
                                                  ([np.nan], "NaN")])  # fmt: skip
def test_what_is_no_audio_is_refused(audio, complaint):
    with pytest.raises(InvalidAudioError, match=complaint):
        process_whole(audio, lambda channels: Copy(0, channels=channels))
