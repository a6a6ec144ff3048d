"""Cues from transcripts: what always holds, and what good breaks look like."""

from __future__ import annotations

import dataclasses
import itertools

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from wortlaut.subtitles.checker import check
from wortlaut.subtitles.engine import build_cues, build_subtitles
from wortlaut.subtitles.presets import PRESETS
from wortlaut.subtitles.timing import lag_of, needed_time
from wortlaut.transcript import Segment, Transcript, Word

NETFLIX = PRESETS["netflix"]
ALWAYS_KEPT = {"empty", "too-many-lines", "line-too-long", "line-start", "too-long", "overlap", "gap"}

presets = st.sampled_from(list(PRESETS.values()))


def lines_of(cues):
    return [list(cue.lines) for cue in cues]


def characters(text, *, start=0.0, seconds=0.2, language="ja", gap=0.0):
    words = [
        Word(each, start + i * (seconds + gap), start + i * (seconds + gap) + seconds) for i, each in enumerate(text)
    ]
    return Transcript((Segment(tuple(words), language),), (), language, words[-1].end)


@settings(deadline=None, max_examples=60)
@given(data=st.data(), rules=presets)
def test_no_word_is_lost_or_moved(any_speech, data, rules):
    transcript = data.draw(any_speech)
    cues = build_cues(transcript, rules)
    expected = [dataclasses.replace(word, text=word.text.strip()) for word in transcript.words]
    assert [dataclasses.replace(word, text=word.text.strip()) for cue in cues for word in cue.words] == expected


@settings(deadline=None, max_examples=60)
@given(data=st.data(), rules=presets)
def test_what_is_always_possible_is_always_kept(any_speech, data, rules):
    cues = build_cues(data.draw(any_speech), rules)
    assert not {each.rule for each in check(cues, rules)} & ALWAYS_KEPT


@settings(deadline=None, max_examples=60)
@given(data=st.data(), rules=presets)
def test_cues_are_ordered_and_disjoint(any_speech, data, rules):
    cues = build_cues(data.draw(any_speech), rules)
    assert all(cue.start < cue.end for cue in cues)
    assert all(this.end <= following.start for this, following in itertools.pairwise(cues))


@settings(deadline=None, max_examples=60)
@given(data=st.data(), rules=presets)
def test_a_cue_has_one_speaker_and_is_near_its_words(any_speech, data, rules):
    for cue in build_cues(data.draw(any_speech), rules):
        assert len({word.speaker for word in cue.words}) == 1
        assert -rules.max_lead - 1e-9 <= cue.start - cue.words[0].start <= rules.max_lag + 1e-9
        stays = max(rules.max_hold, rules.min_duration) + rules.chain_gap
        assert cue.end <= max(cue.words[-1].end + stays, cue.start + needed_time(cue, rules) + rules.chain_gap) + 1e-9


@settings(deadline=None, max_examples=200)
@given(data=st.data(), rules=presets)
def test_no_rule_is_broken_but_where_a_notice_says_so(any_speech, data, rules):
    """The checker knows nothing of the engine; what it finds must have been said."""
    subtitles = build_subtitles(data.draw(any_speech), rules)
    said = {notice.start for notice in subtitles.notices if notice.code == "subtitles-too-fast"}
    for violation in check(subtitles.cues, rules):
        assert violation.rule in ("too-fast", "too-short")
        assert subtitles.cues[violation.number - 1].words[0].start in said


@settings(deadline=None, max_examples=60)
@given(data=st.data(), rules=presets)
def test_what_can_be_read_within_the_lag_that_is_allowed_breaks_no_rule(any_speech, data, rules):
    transcript = data.draw(any_speech)
    assume(sum(needed_time(cue, rules) + rules.min_gap for cue in build_cues(transcript, rules)) < rules.max_lag)
    assert check(build_cues(transcript, rules), rules) == []


@settings(deadline=None, max_examples=60)
@given(data=st.data(), rules=presets)
def test_slow_speech_with_pauses_is_on_time(slow_speech, data, rules):
    """Feasible: nobody is faster than 10 characters a second, and a short answer has its time on the screen."""
    cues = build_cues(data.draw(slow_speech), rules)
    assert check(cues, rules) == []
    assert all(lag_of(cue) <= rules.min_duration + rules.min_gap for cue in cues)


@settings(deadline=None, max_examples=60)
@given(data=st.data(), rules=presets)
def test_no_cue_could_lag_less(any_speech, data, rules):
    """A late cue comes the moment the one before has been read, and so on to one that comes as early as it may."""
    cues = build_cues(data.draw(any_speech), rules)
    assume(all(cue.end - cue.start >= needed_time(cue, rules) - 1e-9 for cue in cues))
    earliest = 0.0
    for cue in cues:
        earliest = max(earliest, cue.words[0].start - rules.max_lead)
        assert lag_of(cue) == pytest.approx(max(earliest - cue.words[0].start, 0.0))
        earliest += needed_time(cue, rules) + rules.min_gap


@pytest.mark.parametrize("name", PRESETS)
def test_silence_has_no_cues(name):
    assert build_cues(Transcript((), (), "en", 10.0), PRESETS[name]) == []


def test_a_short_sentence_is_one_line(said, transcript_of):
    assert lines_of(build_cues(transcript_of(said("This fits on one line.")), NETFLIX)) == [["This fits on one line."]]


def test_lines_break_at_clauses_and_are_balanced(said, transcript_of):
    text = "If we had known about it earlier, we would have told everybody at once."
    assert lines_of(build_cues(transcript_of(said(text)), NETFLIX)) == [
        ["If we had known about it earlier,", "we would have told everybody at once."]
    ]


def test_cues_end_with_sentences(said, transcript_of):
    first = "The committee met on Friday and decided about the budget of the coming year."
    second = "Nobody from the press had been invited to the meeting at the town hall."
    cues = build_cues(transcript_of(said(first), said(second, start=7.0)), NETFLIX)
    assert [" ".join(lines) for lines in lines_of(cues)] == [first, second]


def test_german_names_titles_and_numbers_stay_together(said, transcript_of):
    text = (
        "Gestern Nachmittag hat der Herr Müller mit der Frau Angela Merkel lange über die 3 Millionen Euro gesprochen "
        "und dann hat Dr. Schmidt aus Bonn noch einmal 17 Prozent mehr verlangt als wir alle"
    )
    cues = build_cues(transcript_of(said(text, language="de")), PRESETS["youtube"])
    joined = "\n".join("\n".join(lines) for lines in lines_of(cues))
    for pair in ("Herr Müller", "Angela Merkel", "3 Millionen", "Dr. Schmidt", "17 Prozent"):
        assert pair in joined


def test_lines_do_not_end_with_articles_and_prepositions(said, transcript_of):
    text = "we walked slowly through the old and quiet town towards the river behind the church of our childhood"
    cues = build_cues(transcript_of(said(text)), NETFLIX)
    ends = {line.split()[-1] for lines in lines_of(cues) for line in lines}
    assert not ends & {"the", "through", "of", "our", "and"}


def test_no_word_stands_alone_without_need(said, transcript_of):
    text = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    cues = build_cues(transcript_of(said(text)), NETFLIX)
    assert min(len(row) for cue in cues for row in cue.rows) > 1


def test_another_speaker_gets_another_cue(said, transcript_of):
    cues = build_cues(transcript_of(said("Yes.", speaker="A"), said("No.", start=0.5, speaker="B")), NETFLIX)
    assert [(cue.text, cue.speaker) for cue in cues] == [("Yes.", "A"), ("No.", "B")]


def test_a_long_pause_ends_a_cue(said, transcript_of):
    cues = build_cues(transcript_of(said("Well"), said("then.", start=2.0)), NETFLIX)
    assert lines_of(cues) == [["Well"], ["then."]]


def test_a_short_word_is_held_to_the_shortest_duration(said, transcript_of):
    (cue,) = build_cues(transcript_of(said("Yes.", start=3.0)), NETFLIX)
    assert (cue.start, cue.end) == (3.0, pytest.approx(3.0 + 5 / 6))


def test_fast_speech_borrows_time_from_the_pause_behind_and_before(said, transcript_of):
    quick = "extraordinarily straightforward conversations"
    cues = build_cues(
        transcript_of(said("Listen now.", speaker="A"), said(quick, start=3.0, chars_per_second=40, gap=0.0)), NETFLIX
    )
    assert cues[1].start == pytest.approx(3.0 - NETFLIX.max_lead)
    assert cues[1].end == pytest.approx(cues[1].start + (len(quick) - 1) / 20)  # the line break is no character


def at_once(said, transcript_of, *, sentences, pause=0.0):
    """One speaker, 50 characters a second, one sentence of 40 characters after the other."""
    text = "Yes, this is a sentence of forty letters."
    return transcript_of(
        *(said(text, start=number * (0.8 + pause), chars_per_second=50, gap=0.0) for number in range(sentences))
    )


def test_cues_are_late_where_people_speak_too_fast_and_catch_up_in_the_next_pause(said, transcript_of):
    quick = at_once(said, transcript_of, sentences=4)
    slow = said("And now we have plenty of time.", start=30.0)
    subtitles = build_subtitles(transcript_of(*quick.segments, slow), NETFLIX)
    assert check(subtitles.cues, NETFLIX) == []
    assert max(map(lag_of, subtitles.cues)) > 1.5
    assert lag_of(subtitles.cues[-1]) == 0
    [notice] = subtitles.notices
    assert (notice.code, notice.start) == ("subtitles-late", 0.0)
    assert notice.end < 30


def test_the_last_cues_may_stay_longer_than_the_recording(said, transcript_of):
    transcript = at_once(said, transcript_of, sentences=4)
    cues = build_cues(Transcript(transcript.segments, (), "en", transcript.segments[-1].end), NETFLIX)
    assert cues[-1].end > transcript.segments[-1].end
    assert check(cues, NETFLIX) == []


def test_speech_that_is_too_fast_for_too_long_is_hurried_evenly_and_reported(said, transcript_of):
    subtitles = build_subtitles(at_once(said, transcript_of, sentences=60), NETFLIX)
    assert max(map(lag_of, subtitles.cues)) <= NETFLIX.max_lag + 1e-9
    broken = check(subtitles.cues, NETFLIX)
    assert {each.rule for each in broken} == {"too-fast"}
    assert max(each.actual for each in broken) < 60
    assert len([each for each in subtitles.notices if each.code == "subtitles-too-fast"]) == len(broken)


def test_hesitations_are_left_out_where_cues_are_late_and_the_notices_name_them(said, transcript_of):
    text = "Um, so I I think, uh, that that is the the point we have to talk about now, and, um, nothing else."
    quick = transcript_of(*(said(text, start=number * 1.6, chars_per_second=60, gap=0.0) for number in range(2)))
    subtitles = build_subtitles(quick, NETFLIX)
    shown = " ".join(cue.text.replace("\n", " ") for cue in subtitles.cues)
    sentence = "So I think, that that is the point we have to talk about now, and, nothing else."
    assert shown == f"{sentence} {sentence}"
    omitted = [notice.message.split("'")[1] for notice in subtitles.notices if notice.code == "subtitles-condensed"]
    assert omitted == ["Um,", "I", "uh,", "the", "um,"] * 2
    whole = " ".join(cue.text.replace("\n", " ") for cue in build_cues(quick, NETFLIX))
    assert whole == f"{text} {text}"


def test_nothing_is_left_out_where_there_is_time_or_no_list(said, transcript_of):
    text = "Um, so I I think, uh, that is it."
    assert build_subtitles(transcript_of(said(text)), NETFLIX).notices == ()
    words = at_once(said, transcript_of, sentences=4).words
    other = Transcript((Segment((*words, Word(" um,", 4.0, 4.1), Word(" x.", 4.1, 4.2)), "fi"),), (), "fi", 5.0)
    assert "subtitles-condensed" not in {each.code for each in build_subtitles(other, NETFLIX).notices}


def test_a_long_word_is_hyphenated(said, transcript_of):
    word = "Rindfleischetikettierungsüberwachungsaufgaben"
    cues = build_cues(transcript_of(said(f"Die {word} und mehr.", language="de")), PRESETS["reels"])
    assert check(cues, PRESETS["reels"]) == []
    assert " ".join(line for lines in lines_of(cues) for line in lines).replace("- ", "") == f"Die {word} und mehr."


def test_short_gaps_are_closed_to_two_frames(said, transcript_of):
    first, second = said("This is the first one.", speaker="A"), said("And the other.", start=2.0, speaker="B")
    cues = build_cues(transcript_of(first, second), NETFLIX)
    assert cues[0].end == pytest.approx(2.0 - 2 / 24)


def test_a_word_that_lasts_too_long_is_taken_away_in_time():
    drone = Transcript((Segment((Word("Ommm", 0.0, 20.0),), "en"),), (), "en", 20.0)
    (cue,) = build_cues(drone, NETFLIX)
    assert cue.end == NETFLIX.max_duration


def test_japanese_breaks_behind_punctuation_and_never_before_it():
    cues = build_cues(characters("今日は天気がいいから、散歩に行きましょう。「そうですね」と彼は言った。"), NETFLIX)
    assert lines_of(cues) == [["今日は天気がいいから、", "散歩に行きましょう。"], ["「そうですね」と彼は言った。"]]


@settings(deadline=None, max_examples=60)
@given(
    text=st.text(alphabet="今日は天気、。「」っょー!A1", min_size=1, max_size=60).filter(
        lambda text: not text.isspace()
    ),
    rules=presets,
)
def test_lines_of_wide_scripts_fit(text, rules):
    cues = build_cues(characters(text), rules)
    assert "".join(line for lines in lines_of(cues) for line in lines) == text
    assert all(rules.width(line) <= rules.line_width for lines in lines_of(cues) for line in lines)


def test_kinsoku_holds_where_it_can():
    text = "あいうえおかきくけこさしすせそた」。「なにぬねのはひふへほまみむめもやっゆよらりるれろ"
    for cue in build_cues(characters(text), NETFLIX):
        for line in cue.lines:
            assert line[0] not in "」。っ"
            assert line[-1] != "「"


def test_a_wide_word_longer_than_a_line_is_split():
    word = Word("北京大学" * 10, 0.0, 6.0, 0.9)
    cues = build_cues(Transcript((Segment((word,), "zh"),), (), "zh", 6.0), NETFLIX)
    assert "".join("".join(lines) for lines in lines_of(cues)) == word.text
    assert all(len(line) <= 16 for lines in lines_of(cues) for line in lines)
    assert {piece.source for cue in cues for piece in cue.words} == {"interpolated"}


def test_text_from_right_to_left_keeps_its_logical_order(said, transcript_of):
    text = "שלום לכולם, ברוכים הבאים לתוכנית שלנו היום על ההיסטוריה של ירושלים העתיקה"
    cues = build_cues(transcript_of(said(text, language="he")), NETFLIX)
    assert " ".join(line for lines in lines_of(cues) for line in lines) == text


def test_words_without_a_space_between_are_never_torn():
    words = (Word("a" * 20, 0.0, 1.0), Word(" " + "b" * 20, 1.0, 2.0), Word("'ll", 2.0, 2.2), Word(" go", 2.2, 2.5))
    cues = build_cues(Transcript((Segment(words, "en"),), (), "en", 3.0), NETFLIX)
    assert lines_of(cues) == [["a" * 20, "b" * 20 + "'ll go"]]


def test_segments_are_separated_by_a_space_where_the_script_has_one(said, transcript_of):
    cues = build_cues(transcript_of(said("One."), said("Two.", start=0.5)), NETFLIX)
    assert lines_of(cues) == [["One. Two."]]
    first, second = (characters(text, start=start).segments[0] for text, start in (("日。", 0.0), ("本。", 0.5)))
    assert lines_of(build_cues(transcript_of(first, second), NETFLIX)) == [["日。本。"]]
