"""Who said what: word errors that count the speaker."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np
from scipy.optimize import linear_sum_assignment

from wortlaut.evaluation.normalization import tokens
from wortlaut.evaluation.ratio import Ratio
from wortlaut.evaluation.sets import Utterance
from wortlaut.evaluation.text_errors import matched, text_errors
from wortlaut.transcript import Segment

Said = list[tuple[str, str]]
"""(token, speaker), in the order of time."""


def true_said(utterances: Sequence[Utterance], language: str | None) -> Said:
    ordered = sorted(utterances, key=lambda utterance: utterance.start)
    return [(token, utterance.speaker or "") for utterance in ordered for token in tokens(utterance.text, language)]


def heard_said(segments: Sequence[Segment], language: str | None) -> Said:
    return [(token, segment.speaker or "") for segment in segments for token in tokens(segment.text, language)]


def cpwer(truth: Said, heard: Said) -> Ratio:
    """Return the concatenated minimum-permutation word error rate (CHiME-6, Watanabe et al. 2020).

    All words of a speaker in a row, names matched so that errors are fewest; a speaker without a counterpart is
    wrong as a whole.
    """
    true_words, heard_words = _by_speaker(truth), _by_speaker(heard)
    size = max(len(true_words), len(heard_words))
    true_words += [[]] * (size - len(true_words))
    heard_words += [[]] * (size - len(heard_words))
    errors = np.array([[text_errors(said, guess).count for guess in heard_words] for said in true_words], dtype=float)
    rows, columns = linear_sum_assignment(errors.reshape(size, size))
    return Ratio(float(errors.reshape(size, size)[rows, columns].sum()), len(truth))


def wder(truth: Said, heard: Said) -> Ratio:
    """Return the word diarization error rate (Shafey et al. 2019): of the words that were recognized, rightly or
    wrongly, those given to the wrong speaker, under the best mapping of names.
    """  # noqa: D205 one sentence
    pairs = matched([token for token, _ in truth], [token for token, _ in heard], substitutions=True)
    true_names = sorted({name for _, name in truth})
    heard_names = sorted({name for _, name in heard})
    together = np.zeros((len(true_names), len(heard_names)))
    for true, guess in pairs:
        together[true_names.index(truth[true][1]), heard_names.index(heard[guess][1])] += 1
    rows, columns = linear_sum_assignment(together, maximize=True)
    return Ratio(len(pairs) - float(together[rows, columns].sum()), len(pairs))


def _by_speaker(said: Said) -> list[list[str]]:
    """Return each speaker's tokens in order, speakers by name."""
    ordered = sorted(said, key=lambda entry: entry[1])  # stable: time order is kept within a speaker
    return [[token for token, _ in group] for _, group in groupby(ordered, key=lambda entry: entry[1])]
