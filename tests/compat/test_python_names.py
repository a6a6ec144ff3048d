"""whisperX's Python names, with stages that follow a script."""

from __future__ import annotations

import importlib
import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wortlaut.compat import whisperx
from wortlaut.compat.whisperx import asr, audio, utils, vads
from wortlaut.compat.whisperx.turn_table import TurnTable
from wortlaut.errors import InvalidOption, MediaNotFound, UnknownLanguage
from wortlaut.options import Decoding, Speakers
from wortlaut.transcript import Turn

pytestmark = pytest.mark.usefixtures("whisperx_logging")
SILENCE = np.zeros(40 * 16000, np.float32)


def test_the_readme_example_runs_unchanged(stage):
    model = whisperx.load_model("large-v2", "cuda", compute_type="float16")
    sound = whisperx.load_audio("audio.mp3")
    result = model.transcribe(sound, batch_size=16)
    assert result == {
        "segments": [
            {"text": " Guten Tag. Wie geht es?", "start": 0.8, "end": 9.2, "avg_logprob": 0.0},
            {"text": " Danke, gut.", "start": 19.8, "end": 28.2, "avg_logprob": 0.0},
        ],
        "language": "de",
    }
    model_a, metadata = whisperx.load_align_model(language_code=result["language"], device="cuda")
    result = whisperx.align(result["segments"], model_a, metadata, sound, "cuda", return_char_alignments=False)
    assert [segment["text"] for segment in result["segments"]] == ["Guten Tag.", "Wie geht es?", "Danke, gut."]
    diarize_model = whisperx.diarize.DiarizationPipeline(token="hf_x", device="cuda")
    diarize_segments = diarize_model(sound, min_speakers=2, max_speakers=2)
    result = whisperx.assign_word_speakers(diarize_segments, result)
    assert [segment["speaker"] for segment in result["segments"]] == ["SPEAKER_00", "SPEAKER_01", "SPEAKER_00"]
    assert result["word_segments"] == [word for segment in result["segments"] for word in segment["words"]]
    for word in result["word_segments"]:
        assert {"word", "start", "end", "score", "speaker"} <= set(word)
    assert stage.pipeline.diarizer.asked == [Speakers(2, 2)]
    assert stage.batch_sizes[0] == 16
    assert {settings.device for settings in stage.settings if settings} == {"cuda"}


def test_importing_it_loads_nothing_heavy():
    heavy = "['torch', 'pandas', 'numpy', 'ctranslate2', 'onnxruntime', 'av']"
    code = (
        "import sys; import wortlaut.compat.whisperx as whisperx; "
        f"assert not [name for name in {heavy} if name in sys.modules]; "
        "from wortlaut.compat.whisperx.diarize import DiarizationPipeline; whisperx.utils; whisperx.align; "
        "assert not [name for name in ['torch', 'pandas'] if name in sys.modules]"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_all_names_are_there_and_no_others():
    for name in whisperx.__all__:
        assert callable(getattr(whisperx, name))
    with pytest.raises(AttributeError, match="no_such"):
        _ = whisperx.no_such


class TestTranscribe:
    def test_language_and_task_of_the_call_beat_those_of_the_model(self, stage):
        model = whisperx.load_model("small", "cpu", language="German")
        assert model.transcribe(SILENCE)["language"] == "de"
        assert model.transcribe(SILENCE, language="fr", task="translate")["language"] == "fr"
        assert [options.task for options in stage.options] == ["transcribe", "transcribe", "translate"]

    def test_a_path_is_taken_and_a_missing_one_is_an_error(self, stage):
        model = whisperx.load_model("small", "cpu")
        assert len(model.transcribe("talk.mp3")["segments"]) == 2
        with pytest.raises(MediaNotFound):
            model.transcribe("missing.mp3")

    def test_detect_language(self, stage):
        assert whisperx.load_model("small", "cpu").detect_language(SILENCE) == "de"

    def test_silence(self, stage):
        object.__setattr__(stage.pipeline.detector, "regions", ())
        model = whisperx.load_model("small", "cpu")
        assert model.transcribe(SILENCE) == {"segments": [], "language": "und"}
        assert model.detect_language(SILENCE) == "und"

    def test_progress_is_printed_and_passed_on(self, stage, capsys):
        heard = []
        model = whisperx.load_model("small", "cpu")
        model.transcribe(SILENCE, print_progress=True, combined_progress=True, progress_callback=heard.append)
        assert heard == [50.0, 100.0]
        assert capsys.readouterr().out.splitlines() == ["Progress: 25.00%...", "Progress: 50.00%..."]

    def test_chunk_size_of_the_call_and_of_the_model(self, stage):
        model = whisperx.load_model("small", "cpu", vad_options={"chunk_size": 4})
        assert model.transcribe(SILENCE)["segments"][0]["end"] == pytest.approx(3.2)
        model = whisperx.load_model("small", "cpu")
        assert model.transcribe(SILENCE, chunk_size=4)["segments"][0]["end"] == pytest.approx(3.2)

    def test_a_vad_of_the_callers(self, stage):
        class Everywhere(vads.Vad):
            def __call__(self, audio, **_):
                return [vads.Segment(0.0, len(audio["waveform"]) / audio["sample_rate"])]

        model = whisperx.load_model("small", "cpu", vad_model=Everywhere(0.5))
        segments = model.transcribe(SILENCE)["segments"]
        assert (segments[0]["start"], segments[-1]["end"]) == (0.0, 40.0)


class TestOptions:
    def test_keys_are_mapped(self):
        options = {"beam_size": 1, "temperatures": [0.0], "log_prob_threshold": -2.0, "suppress_tokens": [-1, 3]}
        assert asr.read_decoding(options) == Decoding(
            beam_size=1, temperatures=(0.0,), logprob_threshold=-2.0, suppress_tokens=(-1, 3)
        )
        assert asr.read_decoding({}) == Decoding()

    def test_an_unknown_key_is_named(self, stage):
        with pytest.raises(InvalidOption, match="beams"):
            whisperx.load_model("small", "cpu", asr_options={"beams": 5})
        with pytest.raises(InvalidOption, match="onset"):
            whisperx.load_model("small", "cpu", vad_options={"onset": 0.5})

    def test_one_without_an_effect_is_logged_if_it_asks_for_anything(self, stage, capsys, whisperx_logging):
        whisperx.setup_logging("warning")
        asr.read_decoding(dict(asr.UNHEARD_OPTIONS))
        assert capsys.readouterr().out == ""
        asr.read_decoding({"word_timestamps": True})
        assert "asr_options without an effect: word_timestamps." in capsys.readouterr().out

    @pytest.mark.parametrize("wrong", [{"model": object()}, {"vad_method": "ears"}, {"device": "tpu"}])
    def test_what_cannot_be_is_refused(self, stage, wrong):
        with pytest.raises(InvalidOption):
            whisperx.load_model("small", **wrong)

    def test_the_installation(self, stage):
        whisperx.load_model("small", "cpu", compute_type="int8", download_root="here", local_files_only=True, threads=3)
        [settings] = stage.settings
        assert (str(settings.models_dir), settings.is_offline, settings.threads) == ("here", True, 3)
        assert (settings.compute_type, settings.idle) == ("int8", math.inf)


class TestAlign:
    def aligned(self, segments, **options):
        model, metadata = whisperx.load_align_model("de", "cpu")
        return whisperx.align(segments, model, metadata, SILENCE, "cpu", **options)

    def test_segments_are_never_joined_and_keep_their_score(self, stage):
        segments = [
            {"text": " a b", "start": 0.0, "end": 1.0, "avg_logprob": -0.3},
            {"text": " cat. Dog", "start": 1.0, "end": 3.0},
        ]
        found = self.aligned(segments)["segments"]
        assert [each["text"] for each in found] == ["a b", "cat.", "Dog"]
        assert found[0]["avg_logprob"] == -0.3
        assert all(each["chars"] is None for each in found)

    def test_a_segment_without_words_or_outside_the_recording_stays(self, stage):
        segments = [{"text": "  ", "start": 0.0, "end": 1.0}, {"text": " a", "start": 50.0, "end": 51.0}]
        found = self.aligned(segments)
        assert [(each["text"], each["words"]) for each in found["segments"]] == [("  ", []), (" a", [])]
        assert found["word_segments"] == []

    def test_a_segment_that_is_too_long_for_whisper_gets_interpolated_words(self, stage):
        [segment] = self.aligned([{"text": " a b c", "start": 0.0, "end": 39.0}])["segments"][:1]
        assert {word["source"] for word in segment["words"]} == {"interpolated"}
        assert {word["score"] for word in segment["words"]} == {0.0}

    def test_the_aligner_is_told_where_speech_is(self, stage):
        heard = []

        class Listening:
            def align(self, audio, passages, /):
                for passage in passages:
                    heard.append(passage)
                    yield []

        object.__setattr__(stage.pipeline, "aligner", Listening())
        self.aligned([{"text": " a", "start": 2.0, "end": 5.0}])
        assert [(each.start, each.end) for each in heard[0].regions] == [(2.0, 3.0), (3.5, 5.0)]
        assert heard[0].language == "de"

    def test_characters_and_progress(self, stage, capsys):
        heard = []
        found = self.aligned(
            [{"text": " ab c", "start": 0.0, "end": 2.0}],
            return_char_alignments=True,
            print_progress=True,
            combined_progress=True,
            progress_callback=heard.append,
        )
        assert [each["char"] for each in found["segments"][0]["chars"]] == ["a", "b", " ", "c"]
        assert capsys.readouterr().out == "Progress: 100.00%...\n"
        assert heard == [100.0]

    def test_every_language_of_whispers_can_be_aligned(self, stage):
        tables = [whisperx.alignment.DEFAULT_ALIGN_MODELS_TORCH, whisperx.alignment.DEFAULT_ALIGN_MODELS_HF]
        assert set().union(*tables) == set(utils.LANGUAGES)
        assert len(tables[0]) == 5
        with pytest.raises(UnknownLanguage):
            whisperx.load_align_model("xx", "cpu")
        with pytest.raises(InvalidOption):
            self.aligned([], interpolate_method="guess")


class TestDiarize:
    def test_old_place_and_old_keyword(self, stage):
        table = whisperx.DiarizationPipeline(use_auth_token="hf_x")("talk.mp3", num_speakers=2)
        assert list(table.columns) == ["segment", "label", "speaker", "start", "end"]
        assert list(table["speaker"]) == ["SPEAKER_00", "SPEAKER_01", "SPEAKER_00"]
        assert list(table["label"]) == ["A", "B", "C"]
        assert [(each.start, each.end) for each in table["segment"]] == list(
            zip(table["start"], table["end"], strict=True)
        )
        assert stage.pipeline.diarizer.asked == [Speakers(2, 2)]

    def test_embeddings_are_none(self, stage):
        table, embeddings = whisperx.DiarizationPipeline()(SILENCE, return_embeddings=True)
        assert (len(table), embeddings) == (3, None)

    def test_progress(self, stage):
        heard = []
        whisperx.DiarizationPipeline()(SILENCE, progress_callback=heard.append)
        assert heard == [100.0]

    @pytest.mark.parametrize("has_pandas", [True, False])
    def test_with_and_without_pandas(self, stage, monkeypatch, has_pandas):
        if has_pandas:
            pytest.importorskip("pandas")
        else:
            monkeypatch.setattr("wortlaut.compat.whisperx.diarize.find_spec", lambda _: None)
        table = whisperx.DiarizationPipeline()(SILENCE)
        assert isinstance(table, TurnTable) is not has_pandas
        records = table.to_dict("records")
        assert [row["end"] for row in records] == [5.0, 9.0, 28.0]
        assert [dict(row)["speaker"] for _, row in table.iterrows()] == list(table.speaker)
        assert not table.empty
        result = {"segments": [{"start": 1.0, "end": 2.0, "text": "a"}]}
        assert whisperx.assign_word_speakers(table, result)["segments"][0]["speaker"] == "SPEAKER_00"

    def test_a_table_of_turns_is_a_sequence_of_rows(self):
        table = TurnTable([{"start": 0.0, "end": 1.0, "speaker": "A"}, {"start": 1.0, "end": 2.0, "speaker": "B"}])
        assert table[1]["speaker"] == "B"
        assert table[:1].speaker == ["A"]
        assert "      1.00       2.00  B" in repr(table)
        assert TurnTable([]).empty
        with pytest.raises(AttributeError):
            _ = table.voice
        with pytest.raises(ValueError, match="records"):
            table.to_dict("list")

    def test_labels_go_on_after_z(self):
        from wortlaut.compat.whisperx.diarize import _label

        assert [_label(number) for number in (0, 25, 26, 51, 52, 701, 702)] == ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]


class TestAssign:
    def table(self, *turns):
        return TurnTable([{"start": start, "end": end, "speaker": speaker} for start, end, speaker in turns])

    def test_the_given_result_is_changed_and_returned(self):
        result = {"segments": [{"start": 0.0, "end": 1.0, "text": "a"}], "language": "de"}
        assert whisperx.assign_word_speakers(self.table((0.0, 1.0, "B")), result, {"B": [0.5]}) is result
        assert result["segments"][0]["speaker"] == "B"
        assert result["speaker_embeddings"] == {"B": [0.5]}

    def test_a_segment_belongs_to_whoever_speaks_longest_in_it(self):
        words = [{"word": "a", "start": 0.0, "end": 0.4}, {"word": "b", "start": 0.4, "end": 1.0}]
        result = {"segments": [{"start": 0.0, "end": 1.0, "text": "a b", "words": words}]}
        whisperx.assign_word_speakers(self.table((0.0, 0.4, "A"), (0.4, 1.0, "B")), result)
        assert [word["speaker"] for word in words] == ["A", "B"]
        assert result["segments"][0]["speaker"] == "B"

    def test_silence_between_words_counts_for_nobody(self):
        words = [{"word": "a", "start": 0.0, "end": 0.4}, {"word": "b", "start": 0.9, "end": 1.0}]
        result = {"segments": [{"start": 0.0, "end": 1.0, "text": "a b", "words": words}]}
        whisperx.assign_word_speakers(self.table((0.0, 0.4, "A"), (0.4, 1.0, "B")), result)
        assert result["segments"][0]["speaker"] == "A"

    def test_without_turns_nothing_changes(self):
        for nobody in (None, self.table()):
            result = {"segments": [{"start": 0.0, "end": 1.0, "text": "a"}]}
            assert whisperx.assign_word_speakers(nobody, result) == {
                "segments": [{"start": 0.0, "end": 1.0, "text": "a"}]
            }

    @given(
        st.lists(st.tuples(st.floats(0, 5), st.floats(0.1, 9), st.sampled_from("ABC")), min_size=1, max_size=8),
        st.lists(st.tuples(st.floats(0, 60), st.floats(0.01, 2), st.booleans()), max_size=8),
    )
    def test_every_word_and_segment_has_a_speaker_with_the_most_shared_time(self, gaps, spans):
        turns, now = [], 0.0
        for gap, length, speaker in gaps:
            turns.append(Turn(now + gap, now + gap + length, speaker))
            now = turns[-1].end
        words = [
            {"word": "w", "start": start, "end": start + length} if is_timed else {"word": "w"}
            for start, length, is_timed in spans
        ]
        result = {"segments": [{"start": 0.0, "end": 9.0, "text": "w", "words": words}]}
        whisperx.assign_word_speakers(self.table(*((each.start, each.end, each.speaker) for each in turns)), result)
        assert result["segments"][0]["speaker"] in "ABC"
        for word in words:
            start, end = word.get("start", 0.0), word.get("end", 9.0)
            shares = {each: min(each.end, end) - max(each.start, start) for each in turns}
            theirs = max(share for turn, share in shares.items() if turn.speaker == word["speaker"])
            # Turns of one speaker that meet are one turn, which can only add to what is shared.
            joined = sum(share for turn, share in shares.items() if turn.speaker == word["speaker"] and share > 0)
            assert max(theirs, joined) >= max(shares.values()) - 1e-9

    def test_where_turns_overlap_the_longer_one_has_the_word(self):
        word = {"word": "w", "start": 3.0, "end": 3.4}
        result = {"segments": [{"start": 3.0, "end": 3.4, "text": "w", "words": [word]}]}
        whisperx.assign_word_speakers(self.table((3.0, 3.4, "B"), (0.0, 9.0, "A")), result)
        assert (word["speaker"], result["segments"][0]["speaker"]) == ("A", "A")


class TestAudio:
    def test_load_audio_resamples(self, stage):
        assert whisperx.load_audio("talk.mp3").shape == (40 * 16000,)
        assert audio.load_audio("talk.mp3", sr=8000).shape == (40 * 8000,)
        assert audio.load_audio("talk.mp3").dtype == np.float32
        assert audio.load_audio("talk.mp3").flags.writeable

    def test_arrays_of_all_kinds(self):
        integers = np.array([[0, 16384, -32768]], np.int16)
        assert audio.open_sound(integers).samples.read(0, 3).tolist() == [0.0, 0.5, -1.0]
        assert audio.open_sound(np.array([0.25], np.float64)).samples.read(0, 1).tolist() == [0.25]
        with pytest.raises(InvalidOption, match=r"\(2, 3\)"):
            audio.open_sound(np.zeros((2, 3), np.float32))

    @given(st.integers(0, 9), st.integers(0, 9), st.sampled_from([0, -1]))
    def test_pad_or_trim(self, have, want, axis):
        found = audio.pad_or_trim(np.ones((have, have), np.float32), want, axis=axis)
        assert found.shape[axis] == want
        assert found.sum() == have * min(have, want)


def test_modules_can_be_reached_as_attributes():
    for name in ("alignment", "asr", "audio", "diarize", "log_utils", "schema", "utils", "vads", "SubtitlesProcessor"):
        assert getattr(whisperx, name) is importlib.import_module(f"wortlaut.compat.whisperx.{name}")
