"""What other services answer wrongly (500, or 200 with something made up), asked of this one with its real models."""

from __future__ import annotations

import httpx
import pytest

from wortlaut.jobs.settings import PERFORMER

pytestmark = [pytest.mark.slow, pytest.mark.models]


@pytest.fixture(scope="module")
def real(make_settings, serve, models_dir):
    with serve(make_settings(performer=PERFORMER)) as url, httpx.Client(base_url=url, timeout=200) as client:
        yield client


@pytest.mark.parametrize(
    "route", [("/asr", "audio_file"), ("/v1/audio/transcriptions", "file"), ("/transcribe", "file")]
)
@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("zero_bytes.wav", 415, "media-invalid"),
        ("random_bytes.mp3", 415, "media-invalid"),
        ("text_named_wav.wav", 415, "media-invalid"),
        ("video_no_audio.mp4", 422, "no-audio-stream"),
    ],
)
def test_what_is_no_recording_is_the_callers_fault(real, eval_dir, route, name, status, code):
    path, field = route
    answer = real.post(path, files={field: (name, (eval_dir / "hard-media" / name).read_bytes())})
    said = answer.json().get("error") or answer.json()
    assert (answer.status_code, said["code"]) == (status, code)
    assert name in (said.get("detail") or said["message"])


def test_half_a_video_is_an_error_or_says_that_it_is_half(real, eval_dir):
    content = (eval_dir / "hard-media" / "jfk_h264.mp4").read_bytes()
    answer = real.post("/transcribe", files={"file": ("half.mp4", content[: len(content) // 2])})
    if answer.status_code == 200:
        assert "media-truncated" in {each["code"] for each in answer.json()["warnings"]}
    else:
        assert answer.status_code in (415, 422)


def test_a_good_video_is_heard_and_silence_is_not(real, eval_dir):
    def text(name):
        content = (eval_dir / "hard-media" / name).read_bytes()
        return real.post("/transcribe", files={"file": (name, content)}).json()["text"]

    assert "fellow Americans" in text("jfk_h264.mp4")
    assert text("silence_180s.flac") == ""


def test_an_output_that_others_ignore_is_given_or_refused(real, sample_conversation):
    def asr(**params):
        return real.post("/asr", params=params, files={"audio_file": sample_conversation.read_bytes()})

    document = asr(output="docx")
    assert document.content.startswith(b"PK")
    assert document.headers["Content-Type"].endswith("wordprocessingml.document")
    assert asr(output="pdf").status_code == 400
    assert asr(language="xx").json()["code"] == "unknown-language"
