"""A corpus is what its folder, pattern or manifest says, in the same order each time, with a name for every result."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unmuffle.corpus import clips_of
from unmuffle.corpus.clip import output_name
from unmuffle.errors import AudioFileError, InvalidParameterError

DEST = Path("/nowhere/dest")


def touch(*paths):
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def listed(source, **options):
    return {clip.key: clip.output for clip in clips_of(source, DEST, **options)}


def test_a_folder_is_searched_through_all_levels_in_a_fixed_order(tmp_path):
    touch(tmp_path / "b" / "x.wav", tmp_path / "a.flac", tmp_path / "notes.txt", tmp_path / ".hidden" / "y.wav")
    assert list(listed(tmp_path)) == ["a.flac", "b/x.wav"]
    assert listed(tmp_path, suffix="opus") == {"a.flac": "a.opus", "b/x.wav": "b/x.opus"}


def test_what_lies_in_the_destination_is_no_part_of_the_corpus(tmp_path):
    touch(tmp_path / "a.wav", tmp_path / "clear" / "a.wav")
    assert [clip.key for clip in clips_of(tmp_path, tmp_path / "clear")] == ["a.wav"]


def test_a_pattern_names_results_from_its_fixed_part_on(tmp_path):
    touch(tmp_path / "talks" / "one" / "a.wav", tmp_path / "talks" / "two" / "b.wav", tmp_path / "talks" / "c.mp3")
    assert listed(str(tmp_path / "talks" / "**" / "*.wav")) == {"one/a.wav": "one/a.wav", "two/b.wav": "two/b.wav"}


def test_one_file_is_a_corpus(tmp_path):
    touch(tmp_path / "a.wav")
    assert listed(tmp_path / "a.wav") == {"a.wav": "a.wav"}


def test_rows_in_the_manner_of_nemo_keep_their_fields(tmp_path):
    rows = [
        {"audio_filepath": "wavs/a.wav", "duration": 2.5, "text": "hello", "speaker": 7},
        {"audio_filepath": "wavs/a.wav", "offset": 1.25, "duration": 0.5, "text": "lo"},
        {"audio_filepath": "/elsewhere/b.wav", "text": ""},
    ]
    manifest = tmp_path / "train.jsonl"
    manifest.write_text("\ufeff" + "\n\n".join(map(json.dumps, rows)), encoding="utf-8")
    whole, span, other = clips_of(manifest, DEST)
    assert dict(whole.fields) == rows[0]
    assert (whole.source, whole.span_s, whole.output) == (str(tmp_path / "wavs" / "a.wav"), None, "wavs/a.wav")
    assert (span.source, span.span_s, span.output) == (whole.source, (1.25, 1.75), "wavs/a_000001250ms.wav")
    assert span.key != whole.key
    assert (other.source, other.output) == ("/elsewhere/b.wav", "elsewhere/b.wav")


@pytest.mark.parametrize("kind", ["csv", "parquet", "jsonl"])
def test_the_kinds_of_manifest_say_the_same(tmp_path, kind):
    rows = [{"id": "7", "path": "a b,c.wav", "text": "é"}, {"id": "8", "path": "d.wav", "text": "line\nline"}]
    manifest = tmp_path / f"list.{kind}"
    if kind == "csv":
        manifest.write_text('id,path,text\n7,"a b,c.wav",é\n8,d.wav,"line\nline"\n', encoding="utf-8")
    elif kind == "jsonl":
        manifest.write_text("\n".join(map(json.dumps, rows)))
    else:
        arrow = pytest.importorskip("pyarrow")
        pytest.importorskip("pyarrow.parquet").write_table(arrow.Table.from_pylist(rows), manifest)
    assert [dict(clip.fields) for clip in clips_of(manifest, DEST)] == rows
    assert listed(manifest) == {"7": "a b,c.wav", "8": "d.wav"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"text": "hello"}', "row 1 names no audio"),
        ('{"audio_filepath": "a.wav"}\n{"audio_filepath": ', "line 2 is not JSON"),
        ("[1, 2]", "line 1 is not an object"),
        ('{"audio_filepath": "a.wav", "offset": -1, "duration": 1}', "offset is -1"),
        ('{"audio_filepath": "a.wav", "offset": 1}', "needs a duration above 0"),
        ('{"audio_filepath": "a.wav", "offset": "soon", "duration": 1}', "offset is 'soon'"),
    ],
)
def test_a_bad_row_is_named(tmp_path, text, message):
    manifest = tmp_path / "list.jsonl"
    manifest.write_text(text)
    with pytest.raises(InvalidParameterError, match=message):
        list(clips_of(manifest, DEST))


def test_a_row_of_csv_with_cells_missing_is_named(tmp_path):
    manifest = tmp_path / "list.csv"
    manifest.write_text("path,text\na.wav,hello\nb.wav\n")
    with pytest.raises(InvalidParameterError, match="line 3 has not as many cells"):
        list(clips_of(manifest, DEST))


@pytest.mark.parametrize(("name", "message"), [("gone", "does not exist"), ("*.wav", "nothing matches")])
def test_a_source_that_is_not_there_is_told(tmp_path, name, message):
    with pytest.raises(AudioFileError, match=message):
        list(clips_of(str(tmp_path / name), DEST))


def test_an_empty_source_is_told(tmp_path):
    (tmp_path / "empty.jsonl").write_text("")
    with pytest.raises(AudioFileError, match="holds no audio"):
        list(clips_of(tmp_path, DEST))
    with pytest.raises(AudioFileError, match="holds no row"):
        list(clips_of(tmp_path / "empty.jsonl", DEST))


def test_a_file_that_is_no_parquet_is_told(tmp_path):
    pytest.importorskip("pyarrow")
    (tmp_path / "list.parquet").write_text("no table")
    with pytest.raises(AudioFileError, match="no Parquet file"):
        list(clips_of(tmp_path / "list.parquet", DEST))


def test_names_never_lead_out_of_the_destination(tmp_path):
    for hostile in ("../../etc/passwd.wav", "/etc/passwd.wav", "a/../../b.wav", "con<>:x?.wav"):
        name = output_name(hostile, tmp_path)
        assert ".." not in Path(name).parts
        assert not Path(name).is_absolute()
        assert not set(name) & set('<>:"|?*')
