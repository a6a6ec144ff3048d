"""From a scripted subject to the JSON, with figures computed by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from wortlaut.errors import InputError, NoAudioStream
from wortlaut.evaluation.evaluate import as_json, evaluate, steps
from wortlaut.evaluation.plan import Languages, Plan, warm_up
from wortlaut.evaluation.scripted import ScriptedSubject
from wortlaut.evaluation.sets import EvaluationSet, Item, Utterance
from wortlaut.evaluation.tables import files_table, sets_tables
from wortlaut.options import Speakers
from wortlaut.transcript import Segment, Transcript, Turn, Word

REQUIRED = {
    "files", "seconds", "wer", "cer", "boundary", "boundary_forced", "der_0", "der_25", "speaker_count_right",
    "cpu_per_second", "peak_mb",
}  # fmt: skip

TALK = Item(
    "talk",
    Path("talk.wav"),
    4.0,
    "en",
    "Good morning. Good evening!",
    words=(Word("good", 0.0, 0.5), Word("morning", 0.5, 1.0), Word("good", 2.0, 2.5), Word("evening", 2.5, 3.0)),
    turns=(Turn(0.0, 1.0, "anna"), Turn(2.0, 3.0, "bert")),
    utterances=(Utterance("Good morning.", 0.0, 1.0, "anna"), Utterance("Good evening!", 2.0, 3.0, "bert")),
)
HEARD = Transcript(
    segments=(
        Segment((Word("Good", 0.0, 0.53, speaker="S0"), Word(" morning.", 0.53, 1.0, speaker="S0")), "en"),
        Segment((Word(" Good", 2.0, 2.5, speaker="S1"), Word(" Eve.", 2.5, 3.0, speaker="S1")), "en"),
    ),
    turns=(Turn(0.0, 1.0, "S0"), Turn(2.0, 3.5, "S1")),
    language="en",
    duration=4.0,
)
JAPANESE = Item("ja", Path("ja.wav"), 2.0, "ja", "今日は晴れ")
SILENCE = Item("silence", Path("silence.wav"), 10.0, is_speechless=True)
BROKEN = Item("broken", Path("broken.mp4"), is_broken=True)
FORCED = tuple(replace(word, start=word.start + 0.015) for word in TALK.words)


def spoken(text: str, language: str) -> Transcript:
    return Transcript((Segment((Word(text, 0.0, 1.0),), language),), (), language, 2.0)


SUBJECT = ScriptedSubject(
    {
        "talk.wav": HEARD,
        "ja.wav": spoken("今日は腫れ", "ja"),
        "silence.wav": spoken("you", "en"),
        "broken.mp4": NoAudioStream(),
    },
    {"talk.wav": FORCED},
)


def measured(*items: Item, plan: Plan | None = None, subject: ScriptedSubject = SUBJECT) -> dict[str, Any]:
    result = evaluate(EvaluationSet("talks", items), subject, plan or Plan())
    figures: dict[str, Any] = json.loads(json.dumps(as_json([result]), allow_nan=False))
    return figures


def test_hand_computed_figures() -> None:
    output = measured(TALK, JAPANESE, SILENCE, BROKEN)
    figures = output["sets"]["talks"]
    assert set(output) == {"sets", "per_file", "about"}
    assert set(figures) >= REQUIRED
    assert (figures["files"], figures["seconds"]) == (4, 16)
    assert figures["wer"] == 25  # evening
    assert figures["cer"] == 20  # one character of five
    assert figures["boundary"] == {
        "within_20": 66.67, "within_50": 100, "within_100": 100, "within_200": 100, "matched": 75, "median_ms": 0,
    }  # fmt: skip
    assert figures["boundary_forced"]["within_20"] == 100
    assert figures["boundary_forced"]["matched"] == 100
    assert figures["der_0"] == 25  # half a second of two
    assert figures["der_0_parts"] == {"missed": 0, "false_alarm": 25, "confusion": 0}
    assert figures["der_25"] == 25  # a quarter of a second of one
    assert figures["speaker_count_right"] == "1 of 1"
    assert (figures["cpwer"], figures["wder"]) == (25, 0)
    assert figures["hallucinated_words"] == 1
    assert figures["broken_refused"] == "1 of 1"
    assert figures["uncovered_speech"] == 0
    assert figures["language_right"] is None
    assert figures["failed"] == []
    assert figures["peak_mb"] > 0


def test_figures_of_each_recording() -> None:
    rows = {row["name"]: row for row in measured(TALK, BROKEN)["per_file"]["talks"]}
    assert rows["talk"]["wer"] == 25
    assert rows["talk"]["boundary.within_20"] == 66.67
    assert rows["broken"]["refused"] is True
    assert rows["broken"]["error"].startswith("no-audio-stream: ")


def test_what_a_set_has_no_truth_for_is_null() -> None:
    figures = measured(SILENCE)["sets"]["talks"]
    unknown = {"wer", "cer", "boundary", "boundary_forced", "der_0", "der_25", "speaker_count_right", "cpwer"}
    assert {name for name in REQUIRED | unknown if figures[name] is None} == unknown


def test_a_recording_that_failed_counts_as_all_wrong() -> None:
    failed = replace(TALK, name="lost", media=Path("lost.wav"))
    figures = measured(TALK, failed)["sets"]["talks"]
    assert figures["failed"] == ["lost"]
    assert figures["wer"] == pytest.approx(100 * 5 / 8)
    assert figures["der_0"] == pytest.approx(100 * 2.5 / 4)
    assert figures["uncovered_speech"] == 50
    assert figures["intervals"]["wer"] == [25, 100]


def test_a_crash_is_no_clean_refusal() -> None:
    crashing = replace(SUBJECT, crashes_on=frozenset({"broken.mp4"}))
    assert measured(TALK, BROKEN, subject=crashing)["sets"]["talks"]["broken_refused"] == "0 of 1"


def test_a_broken_file_that_gives_words_is_no_refusal() -> None:
    fooled = replace(SUBJECT, transcripts={**SUBJECT.transcripts, "broken.mp4": HEARD})
    assert measured(TALK, BROKEN, subject=fooled)["sets"]["talks"]["broken_refused"] == "0 of 1"


def test_the_language_is_scored_where_it_is_detected() -> None:
    plan = Plan(languages=Languages.detect)
    german = replace(TALK, name="german", language="de")
    assert measured(TALK, german, SILENCE, plan=plan)["sets"]["talks"]["language_right"] == 50


def test_word_errors_by_language_in_mixed_sets() -> None:
    german = replace(TALK, name="german", language="de")
    assert measured(TALK, german)["sets"]["talks"]["wer_by_language"] == {"de": 25, "en": 25}
    assert measured(TALK)["sets"]["talks"]["wer_by_language"] is None


def test_speakers_are_asked_for_where_the_truth_is_known() -> None:
    assert Plan().options(TALK).speakers == Speakers()
    assert Plan().options(SILENCE).speakers is None
    assert Plan(speakers="given").options(TALK).speakers == Speakers(2, 2)
    assert Plan(speakers="auto").options(SILENCE).speakers == Speakers()
    assert measured(TALK, plan=Plan(speakers="off"))["sets"]["talks"]["der_0"] is None


def test_the_true_text_is_aligned_only_where_its_times_are_known() -> None:
    assert Plan().task(TALK).text == TALK.text
    assert Plan().task(JAPANESE).text is None
    assert Plan().task(replace(TALK, duration=31.0)).text is None
    assert Plan(aligns_true_text=False).task(TALK).text is None
    assert steps(EvaluationSet("talks", (TALK, JAPANESE)), Plan()) == 4


def test_warming_up_takes_the_shortest_recording_with_speech() -> None:
    long, tiny = replace(TALK, duration=60.0), replace(TALK, duration=0.2)
    assert warm_up(EvaluationSet("talks", (BROKEN, SILENCE, long, tiny, TALK))) == 4


def test_an_empty_set_is_said_to_be_empty() -> None:
    with pytest.raises(InputError, match="empty"):
        evaluate(EvaluationSet("talks", ()), SUBJECT, Plan())


def test_tables_show_what_was_measured_and_nothing_else() -> None:
    result = evaluate(EvaluationSet("talks", (TALK, BROKEN)), SUBJECT, Plan())
    (table,) = sets_tables([result])
    labels = list(table.columns[0].cells)
    assert "WER" in labels
    assert "CER" not in labels
    assert list(table.columns[1].cells)[labels.index("WER")] == "25.0"
    assert files_table(result).row_count == 2
    assert len(sets_tables([result] * 5)) == 2
