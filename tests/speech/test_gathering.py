from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wortlaut.audio import SAMPLE_RATE, Audio, SpeechRegion, Window
from wortlaut.notice import Notice
from wortlaut.speech.gathering import SHORT, gather, grouped
from wortlaut.speech.packing import LONGEST_PAUSE, MAXIMUM
from wortlaut.testing import silence
from wortlaut.transcript import Passage, Word

FAR = LONGEST_PAUSE + 1.0


def always(_window):
    return True


def window(start: float, end: float) -> Window:
    return Window(start, end, (SpeechRegion(start, end),))


def in_row(*lengths: float, pause: float = FAR) -> list[Window]:
    windows: list[Window] = []
    start = pause
    for length in lengths:
        windows.append(window(start, start + length))
        start += length + pause
    return windows


def sizes(groups):
    return [len(group) for group in groups]


@pytest.mark.parametrize(
    ("windows", "expected"),
    [
        ([], []),
        (in_row(3, 3, 3), [3]),
        (in_row(12, 12, 12), [2, 1]),
        (in_row(3, SHORT + 1, 3, 3), [1, 1, 2]),
        (in_row(3, 3, pause=LONGEST_PAUSE), [1, 1]),
        (in_row(SHORT, SHORT, 0.5), [2, 1]),
    ],
)
def test_short_windows_far_apart_are_heard_together(windows, expected):
    assert sizes(grouped(windows, always)) == expected


def test_who_may_not_join_is_heard_alone():
    windows = in_row(3, 3, 3, 3, 3)
    assert sizes(grouped(windows, lambda one: one is not windows[2])) == [2, 1, 2]


def test_nobody_is_asked_who_has_no_company():
    asked = []
    grouped([window(0, 20), window(30, 33), window(34, 37), window(60, 63), window(70, 73)], asked.append)
    assert [one.start for one in asked] == [34, 60, 70]


def counting(seconds: float) -> Audio:
    """Return a recording in which each sample is its own number."""
    return Audio.from_array(np.arange(round(seconds * SAMPLE_RATE), dtype=np.float32))


rows = st.lists(st.tuples(st.floats(0.1, SHORT), st.floats(LONGEST_PAUSE + 0.1, 20.0)), min_size=1, max_size=12)


def made(row) -> tuple[Audio, list[Window]]:
    windows, position = [], 0.0
    for length, pause in row:
        windows.append(window(position + pause, position + pause + length))
        position = windows[-1].end
    return counting(position + 0.5), windows


@given(rows)
def test_every_window_is_in_one_group_and_groups_fit_into_what_is_heard_at_once(row):
    _, windows = made(row)
    groups = grouped(windows, always)
    assert [one for group in groups for one in group] == windows
    assert all(sum(one.end - one.start for one in group) <= MAXIMUM for group in groups)


@given(rows, st.data())
def test_the_gathered_sound_is_that_of_the_windows(row, data):
    audio, windows = made(row)
    sound, gatherings = gather(audio, grouped(windows, always))
    whole = np.concatenate([audio.clip(one.start, one.end) for one in windows])
    start = data.draw(st.integers(0, len(whole)))
    stop = data.draw(st.integers(start, len(whole)))
    assert np.array_equal(sound.samples.read(0, len(whole)), whole)
    assert np.array_equal(sound.samples.read(start, stop), whole[start:stop])
    assert len(sound.samples) == len(whole)
    for gathering in gatherings:
        regions = gathering.window.regions
        assert gathering.window.start == pytest.approx(regions[0].start, abs=1e-3)
        assert gathering.window.end == pytest.approx(regions[-1].end, abs=1e-3)


@given(rows, st.data())
def test_words_come_back_to_where_they_were_said(row, data):
    """To the sample: what sounds at a word's start in the gathered sound sounds there in the recording."""
    audio, windows = made(row)
    sound, gatherings = gather(audio, grouped(windows, always))
    for gathering in gatherings:
        heard = gathering.window
        edges = sorted(data.draw(st.lists(st.floats(heard.start, heard.end), min_size=2, max_size=8)))
        words = [Word(f" w{start}", start, end) for start, end in pairwise(edges) if end - start > 0.001]
        text = "".join(word.text for word in words)
        restored = gathering.restored(Passage(heard.start, heard.end, text, "en", heard.regions), words)
        assert "".join(passage.text for passage, _ in restored) == text
        assert [passage.regions for passage, _ in restored] == [part.window.regions for part in gathering.parts]
        back = [word for _, mine in restored for word in mine]
        assert [word.text for word in back] == [word.text for word in words]
        for passage, mine in restored:
            assert all(passage.start <= word.start < word.end <= passage.end for word in mine)
        for before, after in zip(words, back, strict=True):
            is_whole = after.end - after.start == pytest.approx(before.end - before.start, abs=1e-6)
            if is_whole:
                assert audio.clip(after.start, after.end)[:1] == pytest.approx(
                    sound.clip(before.start, before.end)[:1], abs=1
                )


def test_a_word_across_a_joint_is_cut_to_where_its_middle_lies():
    [first, second] = windows = in_row(2.0, 2.0)
    _, [gathering] = gather(silence(30.0), [windows])
    words = [Word(" a", 0.5, 1.0), Word(" b", 1.2, 2.4), Word(" c", 1.8, 3.0)]
    restored = gathering.restored(Passage(0.0, 4.0, " a b c", "en"), words)
    assert [[word.text for word in mine] for _, mine in restored] == [[" a", " b"], [" c"]]
    assert restored[0][1][1].end == pytest.approx(first.end)
    assert (restored[1][1][0].start, restored[1][1][0].end) == pytest.approx((second.start, second.start + 1.0))


def test_notices_are_given_once():
    _, [gathering] = gather(silence(30.0), [in_row(2.0, 2.0)])
    notices = (Notice("prompt-truncated", "Too long."),)
    restored = gathering.restored(Passage(0.0, 4.0, "", "en", notices=notices), [])
    assert [passage.notices for passage, _ in restored] == [notices, ()]


def test_nothing_is_gathered_of_nothing():
    sound, gatherings = gather(silence(30.0), [])
    assert (len(sound.samples), len(sound.clip(0.0, 1.0)), gatherings) == (0, 0, [])
