"""whisperX's writers, subtitles, voice activity detectors and logging."""

from __future__ import annotations

import json
import logging
import math
from itertools import pairwise
from types import MappingProxyType

import numpy as np
import pytest

from wortlaut.compat import whisperx
from wortlaut.compat.results import transcript_of
from wortlaut.compat.whisperx import utils, vads
from wortlaut.compat.whisperx.SubtitlesProcessor import SubtitlesProcessor
from wortlaut.errors import InvalidOption, OutputUnwritable, UnknownFormat

pytestmark = pytest.mark.usefixtures("whisperx_logging")


class TestWriters:
    RESULT = MappingProxyType(
        {
            "segments": [
                {"start": 0.0, "end": 1.0, "text": " a b", "words": [{"word": "a"}, {"word": "b", "score": math.nan}]}
            ],
            "language": "de",
        }
    )

    def test_options_may_be_missing_and_so_may_times(self, tmp_path):
        utils.get_writer("srt", tmp_path)(self.RESULT, "x.mp3", {})
        assert (tmp_path / "x.srt").read_text() == "1\n00:00:00,000 --> 00:00:01,000\na b\n\n"

    def test_numpy_numbers_are_numbers(self, tmp_path):
        segments = [{"start": np.float32(0.5), "end": np.float64(1), "text": "a"}]
        utils.WriteJSON(tmp_path)({"segments": segments, "mine": {"n": np.int64(3)}}, "x.mp3", None)
        assert json.loads((tmp_path / "x.json").read_text()) == {
            "segments": [{"start": 0.5, "end": 1.0, "text": "a"}],
            "mine": {"n": 3.0},
        }
        assert transcript_of({"segments": segments}).segments[0].start == 0.5

    def test_a_segment_keeps_its_speaker_where_a_word_says_otherwise(self, tmp_path):
        words = [{"word": "a", "start": 0.0, "end": 0.5, "speaker": "B"}, {"word": "b", "start": 0.5, "end": 1.0}]
        segments = [{"start": 0.0, "end": 1.0, "text": "a b", "words": words, "speaker": "A"}]
        utils.WriteTXT(tmp_path)({"segments": segments, "language": "de"}, "x.mp3")
        assert (tmp_path / "x.txt").read_text() == "[A]: a b\n"

    def test_an_open_file(self, tmp_path):
        with (tmp_path / "f").open("w", encoding="utf-8") as file:
            utils.WriteTXT(tmp_path).write_result(self.RESULT, file, {})
        assert (tmp_path / "f").read_text() == "a b\n"

    def test_what_cannot_be(self, tmp_path):
        with pytest.raises(UnknownFormat):
            utils.get_writer("docx", tmp_path)
        with pytest.raises(OutputUnwritable):
            utils.get_writer("txt", tmp_path / "nowhere")(self.RESULT, "x.mp3", {})

    def test_small_functions(self):
        assert utils.format_timestamp(3661.0625) == "01:01:01.062"
        assert utils.format_timestamp(61.5, always_include_hours=True, decimal_marker=",") == "00:01:01,500"
        assert utils.exact_div(480, 16) == 30
        assert utils.compression_ratio("ha" * 100) > 5
        assert utils.make_safe("für") == "für"
        with pytest.raises(ValueError, match="multiple"):
            utils.exact_div(5, 2)


class TestSubtitlesProcessor:
    TEXT = "the quick brown fox jumps over the lazy dog and runs through the silent forest until the night"
    SEGMENTS = (
        {
            "start": 0.0,
            "end": 9.0,
            "text": TEXT,
            "words": [{"word": word, "start": i * 0.5, "end": i * 0.5 + 0.4} for i, word in enumerate(TEXT.split())],
        },
    )

    @pytest.mark.parametrize(("language", "longest"), [("en", 45), ("hi", 30)])
    def test_lines_are_short_and_complete(self, language, longest):
        found = SubtitlesProcessor(self.SEGMENTS, language).process_segments()
        assert " ".join(each["text"] for each in found) == self.TEXT
        assert all(len(each["text"]) <= longest and "\n" not in each["text"] for each in found)
        assert all(a["end"] <= b["start"] for a, b in pairwise(found))
        assert len(found) > 1

    def test_files(self, tmp_path):
        count = SubtitlesProcessor(self.SEGMENTS, "en", is_vtt=True).save(tmp_path / "a.vtt")
        text = (tmp_path / "a.vtt").read_text()
        assert text.startswith("WEBVTT\n\n1\n00:00:00.000 --> ")
        assert text.count(" --> ") == count
        assert SubtitlesProcessor(self.SEGMENTS, "en").save(str(tmp_path / "a.srt"), advanced_splitting=False) == 1
        assert (tmp_path / "a.srt").read_text().startswith("1\n00:00:00,000 --> 00:00:08,900\nthe quick")


class TestVads:
    def test_merge_chunks(self):
        stretches = [vads.Segment(0, 10), vads.Segment(12, 25), vads.Segment(26, 40), vads.Segment(41, 42)]
        assert vads.Vad.merge_chunks(stretches, 30, 0.5, None) == [
            {"start": 0, "end": 25, "segments": [(0, 10), (12, 25)]},
            {"start": 26, "end": 42, "segments": [(26, 40), (41, 42)]},
        ]
        assert vads.Vad.merge_chunks([], 30, 0.5, None) == []

    @pytest.mark.parametrize("onset", [0, 1, -1])
    def test_an_onset_is_a_share(self, onset):
        with pytest.raises(InvalidOption, match="decimal value between 0 and 1"):
            vads.Vad(onset)

    @pytest.mark.models
    def test_silero_finds_speech_and_pyannote_is_silero(self, sample_conversation, capsys):
        from wortlaut.compat.whisperx.audio import load_audio

        sound = {"waveform": load_audio(sample_conversation), "sample_rate": 16000}
        found = vads.Silero(vad_onset=0.5, chunk_size=30)(sound)
        assert found
        assert all(0 <= each.start < each.end <= 30 for each in found)
        whisperx.setup_logging("warning")
        assert vads.Pyannote("cpu", vad_onset=0.5)(sound) == found
        assert "Silero VAD is used" in capsys.readouterr().out
        with pytest.raises(InvalidOption, match="16000Hz"):
            vads.Silero()({"waveform": sound["waveform"], "sample_rate": 8000})


class TestLogging:
    def test_levels_and_files(self, whisperx_logging, tmp_path, capsys):
        whisperx.setup_logging("error", str(tmp_path / "log"))
        whisperx.get_logger("whisperx.asr").warning("quiet")
        whisperx.get_logger("__main__").error("loud")
        assert capsys.readouterr().out.endswith(" - whisperx - ERROR - loud\n")
        assert (tmp_path / "log").read_text().count("\n") == 1
        whisperx.setup_logging("nonsense")
        assert whisperx_logging.level == logging.WARNING

    def test_a_log_file_that_cannot_be_is_said(self, whisperx_logging, tmp_path, capsys):
        whisperx.setup_logging("info", str(tmp_path))
        assert "cannot be written" in capsys.readouterr().out

    def test_get_logger_sets_up_once(self, whisperx_logging):
        for handler in list(whisperx_logging.handlers):
            whisperx_logging.removeHandler(handler)
        whisperx.get_logger("a")
        whisperx.get_logger("b")
        assert len(whisperx_logging.handlers) == 1
