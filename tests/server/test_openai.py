"""OpenAI's API, called with OpenAI's own client."""

from __future__ import annotations

import io

import openai
import pytest


@pytest.fixture
def client(base_url):
    with openai.OpenAI(base_url=f"{base_url}/v1", api_key="unused", max_retries=0, timeout=30) as client:
        yield client


@pytest.fixture
def file():
    return ("talk.mp3", io.BytesIO(b"say Guten Tag zusammen\nsay Hallo"))


def transcribe(client, file, **given):
    return client.audio.transcriptions.create(file=file, **{"model": "whisper-1", **given})


def test_json(client, file):
    answer = transcribe(client, file, language="de")
    assert answer.text == "Guten Tag zusammen Hallo"
    assert answer.usage.type == "duration"
    assert answer.usage.seconds == 2


@pytest.mark.parametrize(
    ("form", "start"), [("text", "Guten Tag zusammen Hallo\n"), ("srt", "1\n00:00:00,000 --> "), ("vtt", "WEBVTT\n\n")]
)
def test_texts(client, file, form, start):
    answer = transcribe(client, file, response_format=form)
    assert isinstance(answer, str)
    assert answer.startswith(start)


@pytest.mark.parametrize("granularities", [["word"], ["segment"], ["word", "segment"], None])
def test_verbose_json_with_the_granularities_asked_for(client, file, granularities):
    given = {} if granularities is None else {"timestamp_granularities": granularities}
    answer = transcribe(client, file, language="de", response_format="verbose_json", **given)
    assert (answer.language, answer.duration, answer.text) == ("german", 2.0, "Guten Tag zusammen Hallo")
    has_words, has_segments = "word" in (granularities or []), "segment" in (granularities or ["segment"])
    assert [each.word for each in answer.words or []] == (["Guten", "Tag", "zusammen", "Hallo"] if has_words else [])
    assert [each.text for each in answer.segments or []] == (["Guten Tag zusammen", "Hallo"] if has_segments else [])
    if has_segments:
        assert answer.segments[1].id == 1
        assert answer.segments[1].avg_logprob == -0.25


def test_diarized_json_names_speakers_by_letters(client, file):
    answer = transcribe(client, file, model="gpt-4o-transcribe-diarize", response_format="diarized_json")
    assert [(each.speaker, each.text) for each in answer.segments] == [("A", "Guten Tag zusammen"), ("B", "Hallo")]
    assert answer.segments[0].type == "transcript.text.segment"
    assert answer.task == "transcribe"


@pytest.mark.parametrize("form", ["json", "diarized_json"])
def test_a_stream_brings_the_text_piece_by_piece(client, file, form):
    events = list(transcribe(client, file, response_format=form, stream=True))
    deltas = [event.delta for event in events if event.type == "transcript.text.delta"]
    assert "".join(deltas) == events[-1].text == "Guten Tag zusammen Hallo"
    assert events[-1].type == "transcript.text.done"
    speakers = [event.speaker for event in events if event.type == "transcript.text.segment"]
    assert speakers == (["A", "B"] if form == "diarized_json" else [])


def test_a_stream_that_fails_late_says_so(client):
    with pytest.raises(openai.APIError, match="no recording"):
        list(transcribe(client, ("a.mp3", b"sleep 1.5\ngibberish"), stream=True))


def test_a_stream_that_is_long_in_coming_comes(client):
    events = list(transcribe(client, ("a.mp3", b"sleep 1.5\nsay at last"), stream=True))
    assert events[-1].text == "at last"


def test_translation(client, file):
    with pytest.warns(DeprecationWarning, match="deprecated"):  # OpenAI's own word about its overloads
        answer = client.audio.translations.create(file=file, model="whisper-1", response_format="verbose_json")
    assert answer.language == "english"
    assert answer.text


def test_models_are_listed_and_found(client):
    names = [each.id for each in client.models.list()]
    assert {"base", "whisper-1"} <= set(names)
    assert client.models.retrieve("Systran/faster-whisper-base").id == "Systran/faster-whisper-base"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("nothing")


@pytest.mark.parametrize(
    ("given", "error", "code"),
    [
        ({"language": "klingon"}, openai.BadRequestError, "unknown-language"),
        ({"model": "gpt-9"}, openai.BadRequestError, "unknown-model"),
        ({"response_format": "docx"}, openai.BadRequestError, "unknown-format"),
        ({"response_format": "srt", "stream": True}, openai.BadRequestError, "invalid-option"),
        ({"temperature": 2}, openai.BadRequestError, "invalid-option"),
        ({"timestamp_granularities": ["letter"]}, openai.BadRequestError, "invalid-option"),
        (
            {"response_format": "diarized_json", "extra_body": {"diarize": "false"}},
            openai.BadRequestError,
            "invalid-option",
        ),
    ],
)
def test_errors_have_openais_shape(client, file, given, error, code):
    with pytest.raises(error) as caught:
        transcribe(client, file, **given)
    assert caught.value.code == code
    assert caught.value.type == "invalid_request_error"


def test_a_broken_recording_is_the_callers_fault_and_overload_is_not(client):
    with pytest.raises(openai.APIStatusError) as caught:
        transcribe(client, ("a.mp3", b"gibberish"))
    assert (caught.value.status_code, caught.value.code) == (415, "media-invalid")
    with pytest.raises(openai.InternalServerError) as caught:
        transcribe(client, ("a.mp3", b"exhaust"))
    assert caught.value.status_code == 503
    assert caught.value.response.headers["Retry-After"]


def test_several_languages_are_those_that_may_occur(client, file, http):
    transcribe(client, file, extra_body={"languages": ["de", "english"]})
    with pytest.raises(openai.BadRequestError, match="klingon"):
        transcribe(client, file, extra_body={"languages": ["de", "klingon"]})


def test_what_is_not_supported_is_said(client, file):
    answer = transcribe(client, file, include=["logprobs"], chunking_strategy="auto")
    assert ["include[]" in each["message"] for each in answer.warnings] == [True]
