"""The audit of a transcript before it is given out: each window judged, speech without words heard again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from wortlaut.audio import Audio, SpeechRegion, Window
from wortlaut.notice import Notice
from wortlaut.options import Decoding
from wortlaut.recognition.candidate import says_the_same
from wortlaut.speech.level import noise_fills_pauses
from wortlaut.transcript import Decision, Outcome, Passage, Word
from wortlaut.trust.coverage import padded, uncovered, uncovered_notice, words_without_speech
from wortlaut.trust.judging import Verdict, judge
from wortlaut.trust.listening import Listen
from wortlaut.trust.recutting import LONGEST_PIECES, lying_in, pieces, say_more
from wortlaut.trust.spans import Span, free, shared, union
from wortlaut.trust.two_languages import IsInAnother, are_in_two_languages, language_pieces

Timed = list[tuple[Passage, list[Word]]]
HearAgain = Callable[[Sequence[Window]], Timed]
"""Recognizes and aligns windows once more."""
IsBetter = Callable[[Timed, Passage, Sequence[Word]], bool]
"""Whether what was heard in pieces may take the place of a passage with these words."""
Pack = Callable[[Audio, Sequence[SpeechRegion]], list[Window]]

RECOVERED_LOGPROB = -0.6
"""Average log-probability that text needs to be added where the first detector heard nobody: sentences that were missed
had -0.4 to -0.5, invented ones in noise -0.7 to -1.5."""

LESS_SURE = "a soft voice, of whose words the model is less sure"

A_SENTENCE = 3.0
"""Seconds of speech without words that are worth a window's new cut in any case. It costs as much as three windows."""

SAME_TEXTS = 3
"""So many windows in a row with the same text make a loop that goes across windows."""


@dataclass(frozen=True, slots=True)
class Audited:
    """What is left of a transcript and what was added, in order of time, with all decisions."""

    timed: Timed
    notices: tuple[Notice, ...]
    decisions: tuple[Decision, ...]


@dataclass(frozen=True, slots=True)
class Auditor:
    """Goes through a transcript with a second look at the recording.

    `listen` is the second look. `pack` and `hear_again` are those of the first pass: speech without words is packed and
    heard like any other. `speech` is where the words may lie. `is_in_another` is asked before people who may speak two
    languages are heard again.
    """

    audio: Audio
    decoding: Decoding
    listen: Listen
    pack: Pack
    hear_again: HearAgain
    is_in_another: IsInAnother
    speech: Sequence[Span]

    def audit(self, timed: Timed) -> Audited:
        left, decisions = self._sentenced(timed)
        left, decisions = self._told_apart(left, decisions)
        for longest in LONGEST_PIECES:
            left, decisions = self._recut(left, decisions, longest)
        found, silent = self._recovered(_words(left), [passage for passage, _ in left])
        verdicts = [cautious(Verdict("recovered"), passage) for passage, _ in found]
        complete = merged(left, _carried_out(found, verdicts))
        notices = (
            *(uncovered_notice(region) for region in silent),
            *words_without_speech(_words(complete), [*self.speech, *_looked_at_again(complete, timed)]),
        )
        decisions += [_decision(passage, verdict) for (passage, _), verdict in zip(found, verdicts, strict=True)]
        return Audited(complete, notices, tuple(sorted(decisions, key=lambda one: one.start)))

    def _sentenced(self, timed: Timed, *, are_pieces: bool = False) -> tuple[Timed, list[Decision]]:
        """Judge passages, and carry the verdicts out."""
        verdicts = judged(timed, self.decoding, self.listen)
        if are_pieces:
            verdicts = [cautious(verdict, passage) for (passage, _), verdict in zip(timed, verdicts, strict=True)]
        decisions = [_decision(passage, verdict) for (passage, _), verdict in zip(timed, verdicts, strict=True)]
        return _carried_out(timed, verdicts), decisions

    def _recut(self, timed: Timed, decisions: Sequence[Decision], longest: float) -> tuple[Timed, list[Decision]]:
        """Put pieces in the place of passages that leave out some of their speech, where the pieces say more."""
        regions = uncovered(_words(timed), self.audio.duration, self.listen)
        cuts = [self._pieces(passage, words, regions, longest) for passage, words in timed]
        return self._replaced(timed, decisions, cuts, say_more)

    def _told_apart(self, timed: Timed, decisions: Sequence[Decision]) -> tuple[Timed, list[Decision]]:
        """Put pieces in the place of passages in which people speak two languages."""
        cuts = [language_pieces(self.audio, passage, self.is_in_another) for passage, _ in timed]
        return self._replaced(timed, decisions, cuts, are_in_two_languages)

    def _replaced(
        self, timed: Timed, decisions: Sequence[Decision], cuts: Sequence[Sequence[Window]], is_better_told: IsBetter
    ) -> tuple[Timed, list[Decision]]:
        """Hear each passage again in its cut, if it has one, and take that where it is better."""
        again = iter(self.hear_again(windows) if (windows := [window for cut in cuts for window in cut]) else [])
        changed: Timed = []
        told: list[Decision] = []
        for one, decision, cut in zip(timed, decisions, cuts, strict=True):
            heard = [next(again) for _ in cut]
            is_better = bool(heard) and is_better_told(heard, *one)
            left, decided = self._sentenced(heard, are_pieces=True) if is_better else ([one], [decision])
            changed += left
            told += [_after(decision, piece) for piece in decided] if is_better else decided
        return changed, told

    def _pieces(
        self, passage: Passage, words: Sequence[Word], regions: Sequence[SpeechRegion], longest: float
    ) -> list[Window]:
        left_out = lying_in(regions, passage) if words else []
        return pieces(self.audio, passage, left_out, longest) if self._is_worth_a_cut(left_out, passage) else []

    def _is_worth_a_cut(self, left_out: Sequence[SpeechRegion], passage: Passage) -> bool:
        """Where pauses are silent, a word or two that a window leaves out is heard by itself (`_recovered`)."""
        if sum(one.end - one.start for one in left_out) >= A_SENTENCE:
            return True
        return bool(left_out) and noise_fills_pauses(self.audio.excerpt(passage.start, passage.end))

    def _recovered(self, words: Sequence[Word], heard: Sequence[Passage]) -> tuple[Timed, list[SpeechRegion]]:
        """Return what a second hearing finds in speech without words, and where it finds nothing.

        What has just been dropped as invented is not heard again.
        """
        dropped = [Span(one.start, one.end) for one in heard if not one.text and one.trials]
        regions = [
            region
            for region in uncovered(words, self.audio.duration, self.listen)
            if not shared(Span(region.start, region.end), dropped)
        ]
        windows = [padded(window, words, self.audio.duration) for window in self._packed(regions, words)]
        again = self.hear_again(windows) if windows else []
        verdicts = judged(again, self.decoding, self.listen)
        found = [
            (passage, spoken)
            for (passage, spoken), verdict in zip(again, verdicts, strict=True)
            if verdict == Verdict("kept") and self._may_be_added(passage, spoken) and not _is_known(passage, heard)
        ]
        covered = union(word for _, part in found for word in part)
        silent = [region for region in regions if not shared(Span(region.start, region.end), covered)]
        return found, silent

    def _packed(self, regions: Sequence[SpeechRegion], words: Sequence[Word]) -> list[Window]:
        """Pack regions, but those that have words between them apart: words would be heard twice."""
        gaps = free(union(words), 0.0, self.audio.duration)
        parts = ([one for one in regions if gap.start <= one.start < gap.end] for gap in gaps)
        return [window for part in parts if part for window in self.pack(self.audio, part)]

    def _may_be_added(self, passage: Passage, words: Sequence[Word]) -> bool:
        return is_varied(words) and (self._was_heard_at_first(passage) or is_beyond_doubt(passage))

    def _was_heard_at_first(self, passage: Passage) -> bool:
        """Whether the first detector heard speech too in at least half of what is added: then two of them did."""
        spoken = sum(region.end - region.start for region in passage.regions)
        return 2 * sum(shared(Span(one.start, one.end), self.speech) for one in passage.regions) >= spoken > 0


def is_varied(words: Sequence[Word]) -> bool:
    """Whether the words are not the same again and again.

    In the noise of a radio link, "Hello. Hello. Hello." passes all checks for a text that is already there.
    """
    spoken = [word.text.strip().casefold() for word in words]
    return len(set(spoken)) > len(spoken) / 2


def is_beyond_doubt(passage: Passage) -> bool:
    """Whether text may be added where the first detector heard nobody: the burden of proof is the other way round."""
    return passage.temperature == 0 and passage.avg_logprob >= RECOVERED_LOGPROB


def _is_known(passage: Passage, heard: Sequence[Passage]) -> bool:
    """Whether the passage around says the same already: its words have wrong times then, and are not missing."""
    around = (one for one in heard if one.start < passage.end and passage.start < one.end)
    return any(says_the_same(passage.text, one.text) for one in around)


def judged(timed: Timed, decoding: Decoding, listen: Listen) -> list[Verdict]:
    """Judge all passages, each with a look at those around it."""
    repeated = repeated_texts([passage.text for passage, _ in timed])
    return [
        judge(passage, words, decoding, listen, is_repeated=is_repeated)
        for (passage, words), is_repeated in zip(timed, repeated, strict=True)
    ]


def repeated_texts(texts: Sequence[str]) -> list[bool]:
    """Tell of each text whether it stands in a row of at least SAME_TEXTS that are the same but for case and signs."""
    plain = ["".join(filter(str.isalnum, text.casefold())) for text in texts]
    flags = [False] * len(plain)
    first = 0
    for index in range(1, len(plain) + 1):
        if index == len(plain) or plain[index] != plain[first]:
            if plain[first] and index - first >= SAME_TEXTS:
                flags[first:index] = [True] * (index - first)
            first = index
    return flags


def merged(timed: Timed, found: Timed) -> Timed:
    """Put passages that were found later between the words where they belong."""
    complete = list(timed)
    for passage, words in found:
        complete = [part for one in complete for part in _parted(one, words[0].start)]
        later = (i for i, (_, others) in enumerate(complete) if others and others[0].start >= words[0].start)
        complete.insert(next(later, len(complete)), (passage, words))
    return complete


def _parted(one: tuple[Passage, list[Word]], moment: float) -> list[tuple[Passage, list[Word]]]:
    """Part a passage at a moment that lies between its words; what is said of it is said of the first part."""
    passage, words = one
    before = [word for word in words if word.start < moment]
    if not before or len(before) == len(words):
        return [one]
    return [(passage, before), (replace(passage, notices=()), words[len(before) :])]


def _looked_at_again(complete: Timed, timed: Timed) -> list[Span]:
    """Return the speech of passages that were not there at first: a second look has heard it."""
    first = {(passage.start, passage.end) for passage, _ in timed}
    later = [passage for passage, _ in complete if (passage.start, passage.end) not in first]
    return [Span(region.start, region.end) for passage in later for region in passage.regions]


def cautious(verdict: Verdict, passage: Passage) -> Verdict:
    """Mark what was found by looking again if the model is less sure of it: soft voices are easily misheard."""
    is_sure = passage.avg_logprob >= RECOVERED_LOGPROB or verdict.outcome not in ("kept", "recovered")
    return verdict if is_sure or not passage.text else Verdict("doubted", (LESS_SURE,))


def _carried_out(timed: Timed, verdicts: Sequence[Verdict]) -> Timed:
    return [_sentenced(passage, words, verdict) for (passage, words), verdict in zip(timed, verdicts, strict=True)]


def _sentenced(passage: Passage, words: list[Word], verdict: Verdict) -> tuple[Passage, list[Word]]:
    """Carry out a verdict, and say so."""
    if verdict.outcome == "dropped" and words:
        message = f"Nobody seems to speak here; a doubtful text was left out: {passage.text.strip()}"
        notice = Notice("window-without-speech", message, passage.start, passage.end)
        return replace(passage, text="", tokens=(), notices=(*_kept_notices(passage), notice)), []
    if verdict.outcome == "doubted":
        message = f"The text may be wrong here: {', '.join(verdict.reasons)}."
        notice = Notice("low-confidence", message, passage.start, passage.end)
        return replace(passage, notices=(*_kept_notices(passage), notice)), words
    return passage, words


def _kept_notices(passage: Passage) -> tuple[Notice, ...]:
    """Return the notices but those that the verdict repeats."""
    return tuple(notice for notice in passage.notices if notice.code != "low-confidence")


def _decision(passage: Passage, verdict: Verdict) -> Decision:
    return Decision(passage.start, passage.end, verdict.outcome, verdict.reasons, passage.trials)


def _after(whole: Decision, piece: Decision) -> Decision:
    """Return the decision about a piece of a window, with what had been tried on the whole."""
    outcome: Outcome = "recovered" if piece.outcome == "kept" else piece.outcome
    return replace(piece, outcome=outcome, trials=(*whole.trials, *piece.trials))


def _words(timed: Timed) -> list[Word]:
    return [word for _, words in timed for word in words]
