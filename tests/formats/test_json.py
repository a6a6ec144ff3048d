"""JSON there and back, and whisperX's JSON as it comes."""

from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wortlaut.errors import InputError
from wortlaut.formats import FORMATS
from wortlaut.formats.read import TranscriptInvalid, read_json
from wortlaut.transcript import Decision, Provenance, Transcript, Trial


def rounded(value):
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, tuple):
        return tuple(rounded(each) for each in value)
    if dataclasses.is_dataclass(value):
        return type(value)(**{each.name: rounded(getattr(value, each.name)) for each in dataclasses.fields(value)})
    return value


def whisperx(*segments, **others):
    return json.dumps({"segments": segments, "language": "en", **others}).encode()


def words_of(content):
    return [(word.text, word.start, word.end, word.source) for word in read_json(content).words]


def test_conversation_comes_back_equal(conversation):
    assert read_json(FORMATS["json"].render(conversation)) == conversation


def test_silence_comes_back_equal(silence):
    assert read_json(FORMATS["json"].render(silence)) == silence


@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_anything_comes_back_equal_to_the_microsecond(transcripts, data):
    transcript = data.draw(transcripts)
    assert read_json(FORMATS["json"].render(transcript)) == rounded(transcript)


def test_every_key_is_there_even_where_nothing_is_known(silence, conversation):
    top = {"segments", "word_segments", "language", "duration", "text", "speakers", "turns", "warnings", "provenance"}
    assert set(json.loads(FORMATS["json"].render(silence))) == top
    document = json.loads(FORMATS["json"].render(conversation))
    assert set(document) == top
    assert set(document["segments"][0]) == {"start", "end", "text", "speaker", "words", "avg_logprob", "language"}
    assert set(document["turns"][0]) == {"start", "end", "speaker"}
    assert set(document["warnings"][0]) == {"code", "message", "start", "end"}
    provenance = {"versions", "models", "options", "devices", "seconds", "decisions", "reused"}
    assert set(document["provenance"]) == provenance
    assert document["word_segments"][2] == {
        "word": "R&D",
        "start": 1.3,
        "end": 1.7,
        "score": None,
        "speaker": "SPEAKER_00",
        "source": "interpolated",
        "text": " R&D",
    }


def test_letters_are_not_escaped(conversation):
    assert "Äpfel" in FORMATS["json"].render(conversation).decode()


def test_what_json_cannot_hold_becomes_null_or_text(silence):
    options = {"nan": float("nan"), "kind": InputError, "pair": (1, 2.5), "deep": {"flag": True}}
    odd = dataclasses.replace(silence, duration=float("inf"), provenance=Provenance(options=options))
    document = json.loads(FORMATS["json"].render(odd))
    assert document["duration"] is None
    assert document["provenance"]["options"] == {
        "nan": None,
        "kind": str(InputError),
        "pair": [1, 2.5],
        "deep": {"flag": True},
    }


def test_nested_options_come_back_as_values(silence):
    asked = Provenance(
        options={"decoding": {"beam_size": 5, "temperatures": (0.0, 0.2)}, "speakers": None},
        models={"recognition": {"name": "base", "sha256": "00ff"}},
        devices={"recognition": "cpu"},
        seconds={"recognition": 1.5},
    )
    transcript = dataclasses.replace(silence, provenance=asked)
    assert read_json(FORMATS["json"].render(transcript)) == transcript


def test_whisperx_words_get_their_spaces_back():
    segment = {
        "start": 1.0,
        "end": 2.0,
        "text": " Well, 7-up!",
        "speaker": "SPEAKER_01",
        "words": [
            {"word": "Well,", "start": 1.0, "end": 1.5, "score": 0.5},
            {"word": "7-up!", "start": 1.6, "end": 2.0, "score": 0.9, "speaker": "SPEAKER_02"},
        ],
    }
    transcript = read_json(whisperx(segment))
    assert transcript.text == "Well, 7-up!"
    assert [(word.text, word.confidence, word.speaker) for word in transcript.words] == [
        (" Well,", 0.5, "SPEAKER_01"),
        (" 7-up!", 0.9, "SPEAKER_02"),
    ]
    assert [(turn.start, turn.end, turn.speaker) for turn in transcript.turns] == [(1.0, 2.0, "SPEAKER_01")]
    assert transcript.duration == 2.0


def test_scripts_without_spaces_stay_without():
    words = [{"word": each, "start": i, "end": i + 1} for i, each in enumerate("今日は")]
    assert read_json(whisperx({"start": 0, "end": 3, "text": "今日は", "words": words})).text == "今日は"


def test_words_without_times_are_put_between_their_neighbours():
    words = [{"word": "it"}, {"word": "cost", "start": 2.0, "end": 2.5}, {"word": "10"}, {"word": "4000"}]
    segment = {"start": 1.0, "end": 4.0, "text": "it cost 10 4000", "words": words}
    assert words_of(whisperx(segment)) == [
        ("it", 1.0, 2.0, "interpolated"),
        (" cost", 2.0, 2.5, "aligned"),
        (" 10", 2.5, 3.0, "interpolated"),
        (" 4000", 3.0, 4.0, "interpolated"),
    ]


def test_a_last_word_without_time_and_room_still_gets_one():
    words = [{"word": "in", "start": 1.0, "end": 2.0}, {"word": "2014."}]
    (_, last) = read_json(whisperx({"start": 1.0, "end": 2.0, "text": "in 2014.", "words": words})).words
    assert last.start == 2.0
    assert last.end > last.start


def test_segments_without_words_are_split_at_spaces():
    assert words_of(whisperx({"start": 0.0, "end": 3.0, "text": " ab abcd"})) == [
        ("ab", 0.0, 1.0, "interpolated"),
        (" abcd", 1.0, 3.0, "interpolated"),
    ]


def test_segments_without_text_are_left_out():
    empty = whisperx({"start": 0, "end": 1, "text": " "}, {"start": 1, "end": 2, "text": "", "words": []})
    assert read_json(empty).segments == ()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"RIFF\x00\xff\xfe",
        b"[]",
        b"{}",
        b'{"segments": 3}',
        b'{"segments": [3]}',
        b'{"segments": [{"text": "no times"}]}',
        b'{"segments": [{"start": 2, "end": 1, "text": "backwards"}]}',
        b'{"segments": [{"start": -1, "end": 1, "text": "before the start"}]}',
        b'{"segments": [{"start": NaN, "end": 1, "text": "x"}]}',
        b'{"segments": [{"start": "0", "end": 1, "text": "x"}]}',
        b'{"segments": [{"start": 0, "end": true, "text": "x"}]}',
        b'{"segments": [{"start": 0, "end": 1, "text": 7}]}',
        b'{"segments": [{"start": 0, "end": 1, "words": [{"start": 0, "end": 1}]}]}',
        b'{"segments": [{"start": 0, "end": 1, "words": [{"word": "x", "start": 1, "end": 0}]}]}',
        b'{"segments": [{"start": 0, "end": 1, "words": [{"word": "x", "start": 0, "end": 1, "source": "guess"}]}]}',
        b'{"segments": [], "turns": [{"start": 0, "end": 1}]}',
        b'{"segments": [], "provenance": []}',
        b'{"segments": [], "provenance": {"versions": {"x": 1}}}',
        b'{"segments": [], "duration": 1' + b"0" * 5000 + b"}",
        b'{"segments": [], "duration": 1' + b"0" * 400 + b"}",
        b"[" * 100_000,
    ],
)
def test_garbage_is_refused_as_invalid_input(content):
    with pytest.raises(TranscriptInvalid):
        read_json(content)


@settings(deadline=None, max_examples=200)
@given(content=st.binary(max_size=60))
def test_arbitrary_bytes_are_never_anything_else_than_invalid(content):
    with pytest.raises(TranscriptInvalid):
        read_json(content)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["segments", "start", "end", "text", "word", "words", "turns"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@settings(deadline=None, max_examples=300)
@given(segments=JSON, turns=JSON)
def test_arbitrary_json_is_read_or_refused(segments, turns):
    try:
        transcript = read_json(json.dumps({"segments": segments, "turns": turns}).encode())
    except TranscriptInvalid:
        return
    assert all(word.start <= word.end for word in transcript.words)


def test_decisions_and_what_was_reused_are_in_the_provenance_and_are_read_back():
    trial = Trial("as usual", " Danke.", -1.2, 0.7, 0.5, ("the model is unsure",))
    decisions = (Decision(0.0, 3.0, "dropped", ("nobody",), (trial,)), Decision(3.0, 9.0, "kept"))
    transcript = Transcript((), (), "de", 9.0, Provenance(decisions=decisions, reused={"detect": 1.0}))
    written = json.loads(FORMATS["json"].render(transcript))
    assert written["provenance"]["decisions"][0]["trials"][0]["doubts"] == ["the model is unsure"]
    read = read_json(json.dumps(written).encode()).provenance
    assert (read.decisions, read.reused) == (decisions, {"detect": 1.0})
