"""whisper-asr-webservice's API, as Bazarr and Speakr call it."""

from __future__ import annotations

import io
import re
import wave

import httpx
import pytest

from wortlaut.server.uploads import Recording, with_wave_header

SAMPLES = b"\x01\x00" * 1600


def wave_file(samples):
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(16_000)
        writer.writeframes(samples)
    return file.getvalue()


@pytest.mark.parametrize("content", [SAMPLES, wave_file(SAMPLES)], ids=["raw", "with a header"])
def test_bazarr_sends_undecoded_samples_and_reads_subtitles(http, content):
    params = {"task": "transcribe", "language": "de", "output": "srt", "encode": "false"}
    answer = http.post("/asr", params=params, files={"audio_file": content})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Asr-Engine"]
    assert answer.text.startswith("1\n00:00:00,000 --> ")
    assert f"riff {len(wave_file(SAMPLES))}" in answer.text, "the performer has got a WAV file either way"


def test_bazarr_asks_for_the_language(http):
    answer = http.post("/detect-language", params={"encode": "false"}, files={"audio_file": SAMPLES}).json()
    assert answer == {"detected_language": "german", "language_code": "de", "confidence": 0.98}


def test_speakr_asks_for_json_with_speakers(http, talk):
    params = {
        "encode": "true",
        "task": "transcribe",
        "output": "json",
        "language": "de",
        "diarize": "true",
        "enable_diarization": "true",
        "return_speaker_embeddings": "true",
        "min_speakers": 1,
        "max_speakers": 3,
        "initial_prompt": "Protokoll",
        "hotwords": "Müller",
        "model": "base",
    }
    body = http.post("/asr", params=params, files={"audio_file": talk}).json()
    assert [each["speaker"] for each in body["segments"]] == ["SPEAKER_00", "SPEAKER_01"]
    assert body["text"] == "Guten Tag zusammen Hallo"
    assert body["language"] == "de"
    assert body["provenance"]["seconds"]
    assert ["return_speaker_embeddings" in each["message"] for each in body["warnings"]] == [True]


@pytest.mark.parametrize(
    ("output", "start"),
    [
        ("txt", "Guten"),
        ("text", "Guten"),
        ("vtt", "WEBVTT"),
        ("srt", "1\n"),
        ("tsv", "start\tend\ttext"),
        ("ass", "[Script"),
    ],
)
def test_outputs(http, talk, output, start):
    answer = http.post("/asr", params={"output": output}, files={"audio_file": talk})
    assert answer.text.startswith(start)
    assert 'filename="talk.wav.' in answer.headers["Content-Disposition"]


def test_an_output_that_does_not_exist_and_other_mistakes_are_refused(http, talk):
    for params in ({"output": "pdf"}, {"language": "xx"}, {"task": "sing"}, {"encode": "maybe"}):
        answer = http.post("/asr", params=params, files={"audio_file": ("a.wav", b"say hello")})
        assert answer.status_code == 400, params
    assert http.post("/asr", files={"audio_file": ("a.mp4", b"truncated")}).status_code == 415


def test_what_has_no_effect_is_said_in_a_header_where_there_is_no_other_place(http, talk):
    answer = http.post("/asr", params={"colour": "blue"}, files={"audio_file": talk})
    assert answer.headers["Wortlaut-Warnings"] == "parameter-ignored"


def test_a_header_is_put_before_raw_samples_and_only_there():
    recording = with_wave_header(Recording("a", io.BytesIO(SAMPLES), len(SAMPLES)))
    content = b"".join(recording.content())
    assert len(content) == recording.size_bytes
    with wave.open(io.BytesIO(content)) as reader:
        assert (reader.getframerate(), reader.getnchannels(), reader.getsampwidth()) == (16_000, 1, 2)
        assert reader.readframes(10_000) == SAMPLES
    whole = Recording("a", io.BytesIO(wave_file(SAMPLES)), 0)
    assert with_wave_header(whole) is whole


def test_subtitles_are_laid_out_as_the_variables_of_the_old_service_say(make_settings, serve, monkeypatch):
    variables = {"SUBTITLE_MAX_LINE_WIDTH": "12", "SUBTITLE_MAX_LINE_COUNT": "1", "SUBTITLE_HIGHLIGHT_WORDS": "true"}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    spoken = ("talk.wav", b"say one two three four five six seven eight")
    with serve(make_settings()) as url:
        text = httpx.post(f"{url}/asr", params={"output": "srt"}, files={"audio_file": spoken}, timeout=60).text
    assert "<u>" in text
    shown = [line for line in re.sub("</?u>", "", text).splitlines() if line and not line[0].isdigit()]
    assert max(map(len, shown)) <= 12
