"""A corpus is what its folder, pattern or manifest says, in the same order each time, with a name for every result."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
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


def pack(path, *members):
    """Write a tar archive of names and contents."""
    with tarfile.open(path, "w") as archive:
        for name, content in members:
            head = tarfile.TarInfo(name)
            head.size = len(content)
            archive.addfile(head, io.BytesIO(content))


def test_a_shard_holds_clips_with_what_stands_beside_them(tmp_path):
    pack(
        tmp_path / "s-000.tar",
        ("a/1.flac", b"sound one"),
        ("a/1.json", b'{"speaker": 3}'),
        ("a/1.txt", b"hello\n"),
        ("a/2.wav", b"sound two"),
        ("a/2.cls", b"7"),
        ("readme.md", b"no clip"),
    )
    one, two = clips_of(tmp_path / "s-000.tar", DEST)
    assert one.fields == {"__key__": "a/1", "speaker": 3, "txt": "hello"}
    assert two.fields == {"__key__": "a/2", "cls": "7"}
    assert [clip.output for clip in (one, two)] == ["s-000/a/1.flac", "s-000/a/2.wav"]
    content = (tmp_path / "s-000.tar").read_bytes()
    assert content[one.member.offset :][: one.member.size] == b"sound one"
    assert content[two.member.offset :][: two.member.size] == b"sound two"


def test_a_pattern_of_shards_is_one_corpus(tmp_path):
    for number in range(3):
        pack(tmp_path / f"s-{number}.tar", ("x.wav", b"sound"))
    assert list(listed(str(tmp_path / "s-*.tar"))) == ["s-0/x.wav", "s-1/x.wav", "s-2/x.wav"]


def test_a_compressed_shard_is_told(tmp_path):
    with tarfile.open(tmp_path / "s.tar", "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("x.wav"))
    with pytest.raises(AudioFileError, match="compressed: unpack it"):
        list(clips_of(tmp_path / "s.tar", DEST))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # it leaves the archive open
def test_shards_agree_with_webdataset(tmp_path):
    webdataset = pytest.importorskip("webdataset")
    with webdataset.TarWriter(str(tmp_path / "s.tar")) as shard:
        for number in range(3):
            shard.write({"__key__": f"c{number}", "flac": bytes([number]), "json": {"n": number}})
    theirs = list(webdataset.WebDataset(str(tmp_path / "s.tar"), shardshuffle=False))
    ours = list(clips_of(tmp_path / "s.tar", DEST))
    assert [clip.fields["__key__"] for clip in ours] == [item["__key__"] for item in theirs]
    assert [clip.fields["n"] for clip in ours] == [json.loads(item["json"])["n"] for item in theirs]


def test_urls_of_folders_and_in_rows(tmp_path):
    pytest.importorskip("fsspec")
    touch(tmp_path / "in" / "b" / "x.wav", tmp_path / "in" / "a.flac", tmp_path / "in" / "notes.txt")
    url = f"file://{tmp_path}/in"
    first, second = clips_of(url, DEST)
    assert (first.key, first.source, first.output) == ("a.flac", f"{url}/a.flac", "a.flac")
    assert second.output == "b/x.wav"
    (tmp_path / "list.jsonl").write_text(json.dumps({"audio_filepath": f"{url}/a.flac"}))
    (row,) = clips_of(tmp_path / "list.jsonl", DEST)
    before = row.mark
    assert row.source == first.source
    (tmp_path / "in" / "a.flac").write_bytes(b"other")
    (row,) = clips_of(tmp_path / "list.jsonl", DEST)
    assert row.mark != before


def cut(**changes):
    recording = {
        "id": "r",
        "sources": [{"type": "file", "channels": [0], "source": "wavs/a.wav"}],
        "sampling_rate": 16_000,
        "num_samples": 160_000,
        "duration": 10.0,
    }
    row = {"id": "c", "start": 2.0, "duration": 3.0, "channel": 0, "supervisions": [], "recording": recording}
    return row | {"type": "MonoCut"} | changes


def test_cuts_of_lhotse_are_spans_of_recordings(tmp_path):
    with gzip.open(tmp_path / "cuts.jsonl.gz", "wt") as file:
        file.write(json.dumps(cut()) + "\n" + json.dumps(cut(id="w", start=0.0, duration=10.0)))
    span, whole = clips_of(tmp_path / "cuts.jsonl.gz", DEST)
    assert (span.key, span.span_s, span.output) == ("c", (2.0, 5.0), "wavs/a_000002000ms.wav")
    assert (whole.key, whole.span_s, whole.output) == ("w", None, "wavs/a.wav")
    assert span.source == str(tmp_path / "wavs" / "a.wav")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"type": "MixedCut", "tracks": []}, "no cut of one recording"),
        (cut(recording={"sources": [{"type": "command", "source": "cat"}], "duration": 1.0}), "in 'command'"),
    ],
)
def test_cuts_that_are_no_files_are_told(tmp_path, row, message):
    (tmp_path / "cuts.jsonl").write_text(json.dumps(row))
    with pytest.raises(InvalidParameterError, match=message):
        list(clips_of(tmp_path / "cuts.jsonl", DEST))
