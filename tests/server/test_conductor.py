"""The clients of the whisperX container, replayed: what each sends, and every field that each reads."""

from __future__ import annotations

import pytest

FIELDS = {
    "text",
    "segments",
    "language",
    "duration",
    "word_count",
    "has_word_timestamps",
    "has_diarization",
    "speakers",
    "warnings",
}


def test_the_client_probes_health_for_word_times_or_for_the_key_of_diarization(http):
    answer = http.get("/health", timeout=5)
    assert answer.status_code == 200
    health = answer.json()
    assert health["has_word_timestamps"] is True
    assert {"status", "model", "device", "compute_type", "cuda_available", "diarization_available"} <= set(health)
    assert health["status"] == "healthy"


def test_whisperx_client_transcribe_sends_align_words_in_the_query(http, talk):
    params = {"language": "de", "align_words": "true"}
    body = http.post("/transcribe", params=params, files={"file": talk}).json()
    assert set(body) == FIELDS
    assert body["text"] == "Guten Tag zusammen Hallo"
    assert (body["language"], body["duration"], body["word_count"]) == ("de", 2.0, 4)
    assert (body["has_word_timestamps"], body["has_diarization"], body["speakers"]) == (True, False, [])
    segment = body["segments"][0]
    assert set(segment) == {"start", "end", "text", "speaker", "words"}
    assert set(segment["words"][0]) == {"word", "start", "end", "score", "speaker"}
    assert segment["words"][0]["word"] == "Guten"
    assert all(word["start"] <= word["end"] for each in body["segments"] for word in each["words"])


@pytest.mark.parametrize("name", ["align", "align_words"])
@pytest.mark.parametrize("where", ["params", "data"])
def test_words_can_be_left_out_under_both_names_in_both_places(http, talk, name, where):
    body = http.post("/transcribe", files={"file": talk}, **{where: {name: "false"}}).json()
    assert body["has_word_timestamps"] is False
    assert [each["words"] for each in body["segments"]] == [[], []]


def test_whisperx_client_transcribe_with_speakers(http, talk):
    params = {"language": "de", "align_words": "true", "min_speakers": 1, "max_speakers": 2}
    body = http.post("/transcribe/diarize", params=params, files={"file": talk}).json()
    assert set(body) == FIELDS
    assert (body["has_diarization"], body["speakers"]) == (True, ["SPEAKER_00", "SPEAKER_01"])
    assert [each["speaker"] for each in body["segments"]] == body["speakers"]
    assert {word["speaker"] for word in body["segments"][1]["words"]} == {"SPEAKER_01"}


@pytest.mark.parametrize("given", [{"diarize": "true"}, {"max_speakers": "2"}])
def test_speakers_are_told_where_transcribe_is_asked_for_them(http, talk, given):
    assert http.post("/transcribe", files={"file": talk}, data=given).json()["has_diarization"] is True


def test_extraction_service_sends_the_language_in_the_form_and_reads_speakers(http, talk):
    body = http.post("/transcribe", files={"file": talk}, data={"language": "de"}).json()
    assert body["language"] == "de"
    assert body["speakers"] == []
    assert {"start", "end", "text", "speaker"} <= set(body["segments"][0])


def test_pipeline_integration_sends_nothing_but_the_file(http, talk):
    body = http.post("/transcribe", files={"file": talk}).json()
    assert body["language"] == "en"
    assert body["segments"]


def test_audio_worker_asks_openais_route_for_verbose_json(http):
    files = {"file": ("talk.mp3", b"say Guten Tag\nsay Hallo", "audio/mpeg")}
    data = {"language": "de", "response_format": "verbose_json"}
    body = http.post("/v1/audio/transcriptions", files=files, data=data).json()
    assert (body["text"], len(body["segments"]), body["duration"]) == ("Guten Tag Hallo", 2, 2.0)
    assert body["language"] == "german"


def test_video_worker_and_scripts_read_text_language_and_duration_of_plain_json(http, talk):
    data = {"model": "Systran/faster-whisper-base", "language": "de", "response_format": "json"}
    body = http.post("/v1/audio/transcriptions", files={"file": talk}, data=data).json()
    assert (body["text"], body["language"], body["duration"]) == ("Guten Tag zusammen Hallo", "de", 2.0)


@pytest.mark.parametrize("path", ["/health", "/v1/models", "/"])
def test_every_probe_gets_200(http, path):
    assert http.get(path).status_code == 200


@pytest.mark.parametrize(("script", "status"), [("gibberish", 415), ("crash", 500), ("exhaust", 503)])
def test_what_failed_is_never_a_silent_200(http, script, status):
    answer = http.post("/transcribe", files={"file": ("a.wav", script.encode())})
    assert answer.status_code == status
    assert answer.json()["detail"]


def test_silence_is_an_empty_transcript(http):
    body = http.post("/transcribe", files={"file": ("a.wav", b"")}).json()
    assert set(body) == FIELDS
    assert (body["text"], body["segments"], body["word_count"], body["has_word_timestamps"]) == ("", [], 0, False)


def test_what_was_waited_for_is_not_kept(http, talk):
    before = {each["id"] for each in http.get("/v1/jobs").json()["jobs"]}
    http.post("/transcribe", files={"file": talk})
    assert {each["id"] for each in http.get("/v1/jobs").json()["jobs"]} <= before
