"""whisperX's line rules on cues."""

from __future__ import annotations

from wortlaut.subtitles.line_rules import LineRules, cues_by_lines


def lines_of(segments, **limits):
    return [list(cue.lines) for cue in cues_by_lines(segments, LineRules(**limits))]


def test_without_limits_a_segment_is_a_cue(said):
    assert lines_of([said("one two"), said("three", start=9)]) == [["one two"], ["three"]]


def test_both_limits_let_cues_span_segments(said):
    segments = [said("one two three."), said("four", start=1.5)]
    assert lines_of(segments, max_line_width=9, max_line_count=2) == [["one two", "three."], ["four"]]
    assert lines_of(segments, max_line_width=11, max_line_count=2) == [["one two", "three. four"]]


def test_a_pause_of_more_than_three_seconds_ends_a_cue_that_may_span_segments(said):
    segments = [said("one"), said("two", start=3.5)]
    assert lines_of(segments, max_line_width=20, max_line_count=2) == [["one"], ["two"]]


def test_speakers_never_share_a_cue(said):
    segments = [said("one", speaker="A"), said("two", start=1, speaker="B")]
    assert lines_of(segments, max_line_width=20, max_line_count=2) == [["one"], ["two"]]


def test_a_word_longer_than_the_line_stands_alone(said):
    assert lines_of([said("a extraordinarily b")], max_line_width=5) == [["a", "extraordinarily", "b"]]
