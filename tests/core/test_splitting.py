from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wortlaut.splitting import LONGEST_SEGMENT, ends_sentence, split
from wortlaut.transcript import Passage, Word


def spoken(text, *, start=0.0, step=0.4, language="en", speaker=None, pauses=None):
    parts, words, now = text.split(), [], start
    for index, part in enumerate(parts):
        now += (pauses or {}).get(index, 0.0)
        words.append(Word(f" {part}", now, now + step * 0.9, speaker=speaker))
        now += step
    return Passage(start, now, text, language, avg_logprob=-0.5), words


def texts(*timed):
    return [segment.text for segment in split(timed)]


def test_sentences_become_segments():
    assert texts(spoken("How are you? I am fine. Thanks!")) == ["How are you?", "I am fine.", "Thanks!"]


def test_a_sentence_runs_on_across_windows():
    assert texts(spoken("This is the first"), spoken("half of it. Next.", start=10.0, step=0.3)) != []
    first, second = spoken("This is the first"), spoken("half of it. Next.", start=1.7)
    assert texts(first, second) == ["This is the first half of it.", "Next."]


def test_a_change_of_speaker_or_language_splits():
    assert texts(spoken("and then", speaker="A"), spoken("yes right", start=0.9, speaker="B")) == [
        "and then",
        "yes right",
    ]
    assert texts(spoken("and then"), spoken("ja genau", start=0.9, language="de")) == ["and then", "ja genau"]


def test_a_long_pause_splits_inside_a_sentence():
    assert texts(spoken("and then he left", pauses={2: 2.5})) == ["and then", "he left"]
    assert texts(spoken("and then he left", pauses={2: 1.0})) == ["and then he left"]


@pytest.mark.parametrize(
    ("text", "following", "language", "ends"),
    [
        (" done.", " Next", "en", True),
        (" done", " Next", "en", False),
        (" e.g.", " Berlin", "en", False),
        (" Dr.", " Smith", "en", False),
        (" J.", " Bach", "de", False),
        (" I.", " Okay.", "en", True),
        (" 3.", " März", "de", False),
        (" 3.", " Next", "en", True),
        (" 1999.", " Danach", "de", True),
        (" what?", " he asked", "en", False),
        (' "Stop!"', " He", "en", True),
        ("です。", "次", "ja", True),
        (" usw.", " und", "de", False),
    ],
)
def test_where_sentences_end(text, following, language, ends):
    assert ends_sentence(text, following, language) is ends


def test_an_endless_sentence_is_cut_at_its_longest_pause():
    passage, words = spoken(" ".join(["word"] * 100), pauses={60: 1.0})
    lengths = [len(segment.words) for segment in split([(passage, words)])]
    assert lengths[:1] == [60] or sum(lengths[:2]) == 60
    assert all(segment.end - segment.start <= LONGEST_SEGMENT for segment in split([(passage, words)]))


def test_the_doubt_of_a_segment_is_its_words_mean():
    assert split([spoken("one two.")])[0].avg_logprob == pytest.approx(-0.5)


@given(
    st.lists(
        st.tuples(
            st.text(alphabet=" ab.?!Ü1", max_size=60),
            st.sampled_from(["en", "de"]),
            st.sampled_from(["A", "B", None]),
        ),
        max_size=6,
    )
)
def test_no_word_is_lost_or_changed(parts):
    timed, now = [], 0.0
    for text, language, speaker in parts:
        timed.append(spoken(text, start=now, language=language, speaker=speaker))
        now = timed[-1][0].end + 0.1
    segments = split(timed)
    assert [word for segment in segments for word in segment.words] == [word for _, words in timed for word in words]
    assert all(len({word.speaker for word in segment.words}) == 1 for segment in segments)
