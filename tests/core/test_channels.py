"""Channels as speakers: names, copies, cross-talk, and a recording of two that becomes one transcript."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wortlaut.audio import SAMPLE_RATE, Audio, SpeechRegion, Window
from wortlaut.channels import Voice, copy_notices, distinct, speaker_names, voice_turns, without_crosstalk
from wortlaut.errors import InvalidOption, NoSeparateChannels
from wortlaut.options import Options, Speakers
from wortlaut.pipeline import Pipeline
from wortlaut.stages import LanguageGuess
from wortlaut.testing import ScriptedAligner, ScriptedDecoder, ScriptedDiarizer
from wortlaut.transcript import Passage, Turn, Word

MEDIA = Path("call.wav")
SECONDS = 10


def sound(*loud: tuple[float, float, float]) -> Audio:
    """Return noise that has a level in dB between two times; faint hiss elsewhere."""
    rng = np.random.default_rng(len(loud))
    samples = rng.normal(size=SECONDS * SAMPLE_RATE) * 1e-4
    for start, end, level_db in loud:
        stretch = slice(round(start * SAMPLE_RATE), round(end * SAMPLE_RATE))
        samples[stretch] += rng.normal(size=stretch.stop - stretch.start) * 10 ** (level_db / 20)
    return Audio.from_array(samples.astype(np.float32))


def said(text: str, start: float, end: float) -> list[Word]:
    texts = text.split()
    step = (end - start) / len(texts)
    return [Word(f" {each}", start + i * step, start + (i + 1) * step) for i, each in enumerate(texts)]


def voice(name: str, audio: Audio, *phrases: tuple[str, float, float]) -> Voice:
    words = [word for phrase in phrases for word in said(*phrase)]
    return Voice(audio, name, [(Passage(0.0, SECONDS, "".join(word.text for word in words), "en"), words)])


def text(one: Voice) -> str:
    return "".join(word.text for word in one.words).strip()


def test_channels_have_their_labels_then_numbers():
    assert speaker_names((), 2) == ["SPEAKER_00", "SPEAKER_01"]
    assert speaker_names(("Agent",), 3) == ["Agent", "SPEAKER_01", "SPEAKER_02"]


@pytest.mark.parametrize("labels", [("A", "B", "C"), ("SPEAKER_01",)])
def test_labels_that_do_not_go_with_the_channels_are_refused(labels):
    with pytest.raises(InvalidOption):
        speaker_names(labels, 2)


@pytest.mark.parametrize(("labels", "channels"), [(("A",), "mix"), (("A", "A"), "split"), (("A", " "), "split")])
def test_labels_that_make_no_sense_are_no_options(labels, channels):
    with pytest.raises(InvalidOption):
        Options(channels=channels, channel_labels=labels)


def test_the_same_sound_is_a_copy_also_when_softer_or_coded():
    one, other = sound((1, 4, -20)), sound((5, 8, -20), (9, 9.5, -20))
    samples = one.clip(0, SECONDS)
    coded = Audio.from_array(samples * 0.7 + np.random.default_rng(1).normal(size=len(samples)).astype("f4") * 1e-4)
    assert distinct([one, other]) == [0, 1]
    assert distinct([one, coded, other, one]) == [0, 2]


def test_a_leak_or_silence_is_no_copy():
    one = sound((1, 4, -20))
    faint = Audio.from_array(one.clip(0, SECONDS) * np.float32(0.1))
    silent = Audio.from_array(np.zeros(SECONDS * SAMPLE_RATE, np.float32))
    assert distinct([one, faint]) == [0, 1]
    assert distinct([one, silent, silent]) == [0, 1, 2]


def test_copies_are_counted_from_one_for_people():
    assert list(copy_notices([0, 1], 2)) == []
    [notice] = copy_notices([0, 2], 4)
    assert notice.message.endswith("left out: 2, 4.")


SPEAKS = ("how are you today", 1.0, 2.0)


def test_what_leaks_is_dropped_and_said():
    agent = voice("Agent", sound((1, 2, -20)), SPEAKS)
    customer = voice("Customer", sound((1, 2, -40), (4, 5, -25)), ("how are to day", 1.02, 2.0), ("fine thanks", 4, 5))
    kept, [notice] = without_crosstalk([agent, customer])
    assert [text(each) for each in kept] == ["how are you today", "fine thanks"]
    assert notice.code == "cross-talk"
    assert "Customer" in notice.message
    assert "how are to day" in notice.message
    assert (notice.start, notice.end) == (1.02, 2.0)


def test_a_short_word_that_drowns_in_noise_goes_with_its_phrase():
    agent = voice("Agent", sound((1, 2, -20)), SPEAKS)
    noisy = sound((1, 1.25, -45), (1.25, 1.5, -26), (1.5, 2, -45))
    kept, _ = without_crosstalk([agent, voice("Customer", noisy, SPEAKS)])
    assert text(kept[1]) == ""


@pytest.mark.parametrize(
    ("level_db", "phrase"),
    [
        (-40, ("no wait please", 1.0, 2.0)),  # something else, as softly
        (-24, SPEAKS),  # the same, as loudly: they say it together
        (-40, ("how are you today", 5.0, 6.0)),  # the same, at another time
    ],
)
def test_what_two_people_say_at_once_stays(level_db, phrase):
    agent = voice("Agent", sound((1, 2, -20), (5, 6, -20)), SPEAKS)
    customer = voice("Customer", sound((1, 2, level_db), (5, 6, level_db)), phrase)
    kept, notices = without_crosstalk([agent, customer])
    assert [text(each) for each in kept] == [SPEAKS[0], phrase[0]]
    assert notices == []


@given(
    st.lists(
        st.tuples(st.sampled_from(["yes", "no", "well then"]), st.integers(0, 8), st.integers(-60, -10)), max_size=4
    ),
    st.lists(
        st.tuples(st.sampled_from(["yes", "no", "well then"]), st.integers(0, 8), st.integers(-60, -10)), max_size=4
    ),
)
def test_no_word_is_lost_from_every_channel(first, second):
    """What is dropped is still said by the other; what stays has not changed."""

    def make(name, script):
        script = sorted(
            {start: (each, start, start + 0.8, level) for each, start, level in script}.values(), key=lambda x: x[1]
        )
        return voice(name, sound(*((a, b, level) for _, a, b, level in script)), *((t, a, b) for t, a, b, _ in script))

    before = [make("A", first), make("B", second)]
    after, notices = without_crosstalk(before)
    for was, left, other in zip(before, after, reversed(after), strict=True):
        gone = [word for word in was.words if word not in left.words]
        assert set(left.words) <= set(was.words)
        assert all(any(word.text == its.text for its in other.words) for word in gone)
    dropped = sum(len(was.words) - len(left.words) for was, left in zip(before, after, strict=True))
    assert bool(notices) == bool(dropped)


def test_turns_are_the_regions_that_have_words():
    words = said("yes of course", 1.1, 1.9)
    passage = Passage(1.0, 6.0, " yes of course", "en", (SpeechRegion(1.0, 2.0), SpeechRegion(5.0, 6.0)))
    one = Voice(sound(), "A", [(passage, [*words, Word(" so", 3.0, 3.2)])])
    assert list(voice_turns(one)) == [Turn(1.0, 2.0, "A"), Turn(3.0, 3.2, "A")]


class Listening:
    """Hears speech where a channel is louder than its hiss, and says the text that belongs to the channel."""

    def __init__(self, texts):
        self.texts = {id(audio.samples): its for audio, its in texts.items()}
        self.asked_language = []
        self.recognized = []

    def detect(self, audio, /, *, advance=lambda _: None):
        advance(audio.duration)
        loud = [second for second in range(SECONDS) if np.abs(audio.clip(second, second + 1)).max() > 0.01]
        return [SpeechRegion(float(second), second + 1.0) for second in loud]

    def detect_language(self, audio, windows, /):
        self.asked_language.append(audio)
        return LanguageGuess("en", 1.0)

    def recognize(self, audio, windows, /, *, language):
        self.recognized.append(audio)
        for window, each in zip(windows, self.texts[id(audio.samples)], strict=False):
            yield Passage(window.start, window.end, each, language, window.regions)


def one_window_a_region(audio, regions):
    return [Window(region.start, region.end, (region,)) for region in regions]


AGENT, CUSTOMER = sound((1, 2, -20), (5, 6, -20)), sound((3, 4, -20))
MIX = Audio.from_array(AGENT.clip(0, SECONDS) + CUSTOMER.clip(0, SECONDS))
SILENT = Audio.from_array(np.zeros(SECONDS * SAMPLE_RATE, np.float32))


def pipeline(*channels):
    stage = Listening({AGENT: (" Hello?", " Bye now."), CUSTOMER: (" It is me.",), MIX: (" One.", " Two.", " Three.")})
    diarizer = ScriptedDiarizer(
        (Turn(1.0, 2.0, "SPEAKER_00"), Turn(3.0, 4.0, "SPEAKER_01"), Turn(5.0, 6.0, "SPEAKER_00"))
    )
    built = Pipeline(ScriptedDecoder(MIX, channels), stage, one_window_a_region, stage, ScriptedAligner(), diarizer)
    return built, stage


SPLIT = Options(channels="split", channel_labels=("Agent", "Customer"))


def test_each_channel_is_a_speaker_and_all_is_told_in_order_of_time():
    built, stage = pipeline(AGENT, CUSTOMER)
    transcript = built.transcribe(MEDIA, SPLIT)
    assert [(each.speaker, each.text) for each in transcript.segments] == [
        ("Agent", "Hello?"),
        ("Customer", "It is me."),
        ("Agent", "Bye now."),
    ]
    assert transcript.turns == (Turn(1, 2, "Agent"), Turn(3, 4, "Customer"), Turn(5, 6, "Agent"))
    assert transcript.duration == SECONDS
    assert transcript.warnings == ()
    assert stage.asked_language == [AGENT]  # who says most
    assert built.diarizer.asked == []


def test_without_labels_speakers_are_numbered_by_channel():
    built, _ = pipeline(CUSTOMER, AGENT)
    assert [each.speaker for each in built.transcribe(MEDIA, Options(channels="split")).segments] == [
        "SPEAKER_01",
        "SPEAKER_00",
        "SPEAKER_01",
    ]


def test_a_silent_channel_is_not_recognized():
    built, stage = pipeline(SILENT, AGENT, SILENT)
    transcript = built.transcribe(MEDIA, Options(channels="split"))
    assert stage.recognized == [AGENT]
    assert transcript.speakers == ("SPEAKER_01",)


def test_nobody_speaks_in_any_channel():
    built, stage = pipeline(SILENT, SILENT)
    transcript = built.transcribe(MEDIA, Options(channels="split"))
    assert (transcript.segments, transcript.language, stage.recognized) == ((), "und", [])


def test_one_channel_cannot_be_split():
    built, _ = pipeline()
    with pytest.raises(NoSeparateChannels, match=r"call\.wav") as raised:
        built.transcribe(MEDIA, Options(channels="split"))
    assert "--channels" in raised.value.hint


def test_equal_channels_are_one_recording_of_several_voices():
    built, stage = pipeline(MIX, MIX)
    transcript = built.transcribe(MEDIA, Options(channels="split"))
    assert [audio.samples is MIX.samples for audio in stage.recognized] == [True]
    assert transcript.speakers == ("SPEAKER_00", "SPEAKER_01")
    assert [notice.code for notice in transcript.warnings] == ["channels-identical"]


def test_a_number_of_speakers_has_no_meaning_for_channels():
    built, _ = pipeline(AGENT, CUSTOMER)
    transcript = built.transcribe(MEDIA, replace(SPLIT, speakers=Speakers(2, 2)))
    assert [notice.code for notice in transcript.warnings] == ["speakers-unused"]


def test_progress_goes_once_through_all_channels():
    heard = []
    built, _ = pipeline(AGENT, CUSTOMER)
    built.transcribe(MEDIA, SPLIT, heard.append)
    for stage in ("detect", "recognize"):
        done = [progress.done for progress in heard if progress.stage == stage]
        assert done == sorted(done)
        assert done[-1] == 2 * SECONDS
        assert {progress.total for progress in heard if progress.stage == stage} == {2.0 * SECONDS}
