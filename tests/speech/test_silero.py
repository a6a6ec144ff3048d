from __future__ import annotations

import json

import numpy as np
import pytest

from wortlaut.audio import SAMPLE_RATE, Audio
from wortlaut.errors import ModelCorrupt, ModelMissing
from wortlaut.media.decoder import PyavDecoder
from wortlaut.speech import silero as module
from wortlaut.speech.regions import Thresholds
from wortlaut.speech.silero import SileroDetector


def test_a_model_that_is_not_there(tmp_path):
    with pytest.raises(ModelMissing, match="nowhere"):
        SileroDetector(tmp_path / "nowhere.onnx")


def test_a_model_that_is_none(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"<html>404</html>")
    with pytest.raises(ModelCorrupt):
        SileroDetector(tmp_path / "model.onnx")


@pytest.mark.models
def test_the_state_is_carried_from_block_to_block(models_dir, babble, monkeypatch):
    model = models_dir / "silero-vad" / "silero_vad_16k_sequence.onnx"
    silero = SileroDetector(model, thresholds=Thresholds(offset=0.0))  # no block is without speech
    audio = babble(10.0, (1.0, 4.0), (6.0, 9.0))
    whole = silero.probabilities(audio)
    monkeypatch.setattr(module, "BLOCK_FRAMES", 7)

    np.testing.assert_allclose(silero.probabilities(audio), whole, atol=1e-5)
    assert whole.shape == (-(-10 * SAMPLE_RATE // module.FRAME_SAMPLES),)
    assert whole.max() > 0.9
    assert whole[:25].max() < 0.1


@pytest.mark.models
def test_after_long_silence_speech_begins_no_later_than_after_short(silero, speech_in_silence):
    """In the noise of a quiet room; the last of three times, each after as much silence."""
    speech = speech_in_silence.clip(60.3, 63.0)
    starts = {}
    for pause in (1.0, 45.0):
        samples = np.concatenate([np.pad(speech, (round(pause * SAMPLE_RATE), 0))] * 3)
        room = np.random.default_rng(0).normal(0, 10 ** (-70 / 20), len(samples))
        found = silero.detect(Audio.from_array((samples + room).astype(np.float32)))
        begins = 3 * pause + 2 * len(speech) / SAMPLE_RATE
        starts[pause] = next(region.start for region in found if region.end > begins + 0.5) - begins
    assert starts[45.0] == pytest.approx(starts[1.0], abs=0.1)


@pytest.mark.models
@pytest.mark.parametrize("gain", [1.0, 0.01, 0.003])
def test_speech_is_found_between_silence_however_quiet(silero, speech_in_silence, gain):
    samples = np.round(speech_in_silence.clip(0, 262) * gain * 32768) / 32768
    regions = silero.detect(Audio.from_array(samples.astype(np.float32)))
    first = [region for region in regions if region.end < 100]
    second = [region for region in regions if region.end > 100]

    for found, start in ((first, 60.0), (second, 191.0)):
        assert start <= found[0].start < start + 0.5
        assert start + 10 < found[-1].end < start + 11.5
        assert sum(region.end - region.start for region in found) > 9


@pytest.mark.models
@pytest.mark.slow
@pytest.mark.parametrize(("gain_db", "least"), [(0, 0.998), (-40, 0.998)])
def test_hand_labelled_words_are_covered(silero, eval_dir, gain_db, least):
    """Share of the time of all words that lies inside a region; the recording is rounded to 16 bits."""
    folder = eval_dir / "timit-nltk"
    covered = total = 0.0
    for line in (folder / "manifest.jsonl").read_text().splitlines():
        item = json.loads(line)
        audio = PyavDecoder().decode(folder / item["audio"])
        samples = np.round(audio.clip(0, audio.duration) * 10 ** (gain_db / 20) * 32768) / 32768
        regions = silero.detect(Audio.from_array(samples.astype(np.float32)))
        for word in json.loads((folder / f"{item['id']}.words.json").read_text()):
            start, end = word["start"], word["end"]
            covered += sum(max(0.0, min(region.end, end) - max(region.start, start)) for region in regions)
            total += end - start

    assert covered / total > least
