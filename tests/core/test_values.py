from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pytest

from wortlaut import errors
from wortlaut.audio import SAMPLE_RATE, Audio
from wortlaut.errors import InvalidOption, WortlautError
from wortlaut.options import Decoding, Options, Speakers
from wortlaut.transcript import Segment, Transcript, Turn, Word

HEAVY = ("numpy", "torch", "av", "ctranslate2", "onnxruntime", "fastapi", "pydantic", "typer", "rich", "scipy")


def all_errors(kind=WortlautError):
    return [kind, *(error for below in kind.__subclasses__() for error in all_errors(below))]


def test_importing_wortlaut_loads_nothing_heavy():
    code = f"import sys, wortlaut; print([m for m in {HEAVY!r} if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


@pytest.mark.parametrize("kind", all_errors(), ids=lambda kind: kind.__name__)
def test_every_error_has_a_code_a_message_and_a_hint_and_travels(kind):
    error = kind()
    assert error.code
    assert error.message == kind.__doc__.partition("\n")[0]
    assert error.hint
    copy = pickle.loads(pickle.dumps(kind("what", hint="how")))
    assert (type(copy), copy.message, str(copy)) == (kind, "what", "what")
    assert copy.hint == kind("what", hint="how").hint
    assert copy.hint.startswith("how")


BROKEN_ENVIRONMENT = {
    "DeviceUnavailable",
    "DownloadFailed",
    "ExtraMissing",
    "InstallationBroken",
    "InvalidSetting",
    "ModelCorrupt",
    "OutOfMemory",
}


@pytest.mark.parametrize("kind", all_errors(), ids=lambda kind: kind.__name__)
def test_what_a_broken_environment_causes_names_the_doctor(kind):
    """However the hint was worded where the error is raised, and once only."""
    for error in (kind(), kind("what", hint="how"), kind("what", hint="See `wortlaut doctor`.")):
        is_for_doctor = any(base.__name__ in BROKEN_ENVIRONMENT for base in kind.__mro__)
        assert is_for_doctor <= (error.hint.count("wortlaut doctor") == 1)


def test_error_codes_are_unique_and_the_picture_shows_all_of_them():
    kinds = [kind for kind in all_errors() if kind.__module__ == errors.__name__]
    assert len({kind.code for kind in kinds}) == len(kinds)
    assert all(f"{kind.__name__} " in errors.__doc__ + " " or f"{kind.__name__}\n" in errors.__doc__ for kind in kinds)


def test_audio_clips_are_cut_to_the_recording():
    audio = Audio.from_array(np.arange(SAMPLE_RATE, dtype=np.float32))
    assert audio.duration == 1.0
    assert len(audio.clip(0.5, 9.0)) == SAMPLE_RATE // 2
    assert len(audio.clip(-1.0, 0.25)) == SAMPLE_RATE // 4
    assert len(audio.clip(3.0, 4.0)) == 0
    assert [len(block) for block in audio.blocks(7000)] == [7000, 7000, 2000]


def test_an_excerpt_is_a_recording_of_its_own():
    audio = Audio.from_array(np.arange(SAMPLE_RATE, dtype=np.float32))
    part = audio.excerpt(0.25, 0.75)
    assert part.duration == 0.5
    assert list(part.clip(0.0, 2 / SAMPLE_RATE)) == [SAMPLE_RATE / 4, SAMPLE_RATE / 4 + 1]
    assert part.excerpt(0.25, 9.0).clip(0.0, 1 / SAMPLE_RATE) == [SAMPLE_RATE / 2]
    assert len(audio.excerpt(2.0, 3.0).samples) == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [("auto", Speakers()), ("off", None), ("3", Speakers(3, 3)), ("2-4", Speakers(2, 4))],
)
def test_speakers_are_read(text, expected):
    assert Speakers.parse(text) == expected
    assert expected is None or str(expected) == text


@pytest.mark.parametrize("text", ["", "0", "4-2", "two", "-3", "1-", "1.5"])
def test_what_is_no_number_of_speakers_is_refused(text):
    with pytest.raises(InvalidOption):
        Speakers.parse(text)


@pytest.mark.parametrize(
    "wrong", [lambda: Decoding(beam_size=0), lambda: Decoding(temperatures=()), lambda: Options(task="sing")]
)
def test_options_that_make_no_sense_are_refused(wrong):
    with pytest.raises(InvalidOption):
        wrong()


def test_a_segment_follows_from_its_words():
    segment = Segment((Word(" Hello", 1.0, 1.4, speaker="A"), Word(" there.", 1.5, 2.0, speaker="A")), "en")
    assert (segment.start, segment.end, segment.text, segment.speaker) == (1.0, 2.0, "Hello there.", "A")
    with pytest.raises(ValueError, match="at least one word"):
        Segment((), "en")


def test_a_transcript_names_all_its_speakers():
    segment = Segment((Word(" Hi", 0.0, 0.4, speaker="B"),), "en")
    transcript = Transcript((segment,), (Turn(0.0, 0.5, "B"), Turn(0.2, 0.4, "A")), "en", 1.0)
    assert transcript.speakers == ("A", "B")
    assert transcript.text == "Hi"
