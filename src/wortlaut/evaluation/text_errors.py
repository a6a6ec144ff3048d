"""Word and character error rate, and which token corresponds to which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import jiwer

from wortlaut.evaluation.ratio import Ratio


@dataclass(frozen=True, slots=True)
class TextErrors:
    """The cheapest way from the true tokens to the recognized ones; `length` counts the true tokens."""

    substitutions: int
    deletions: int
    insertions: int
    length: int

    @property
    def count(self) -> int:
        return self.substitutions + self.deletions + self.insertions

    @property
    def rate(self) -> Ratio:
        """Errors of true tokens: over 100 % where much was invented."""
        return Ratio(self.count, self.length)


def text_errors(truth: Sequence[str], recognized: Sequence[str]) -> TextErrors:
    """Count the errors between two token sequences (Levenshtein)."""
    if not truth or not recognized:  # jiwer would call the one an error and the other a special case
        return TextErrors(0, len(truth), len(recognized), len(truth))
    found = jiwer.process_words(" ".join(truth), " ".join(recognized))
    return TextErrors(found.substitutions, found.deletions, found.insertions, len(truth))


def matched(truth: Sequence[str], recognized: Sequence[str], *, substitutions: bool = False) -> list[tuple[int, int]]:
    """Return the positions (true, recognized) of tokens that the alignment pairs, in order.

    Equal tokens only, or with `substitutions` also those taken for one another. Tokens hold no spaces; empty ones
    never match.
    """
    if not truth or not recognized:
        return []
    true_tokens = [token or "\N{EMPTY SET}t" for token in truth]
    heard_tokens = [token or "\N{EMPTY SET}r" for token in recognized]
    kinds = {"equal", "substitute"} if substitutions else {"equal"}
    chunks = jiwer.process_words(" ".join(true_tokens), " ".join(heard_tokens)).alignments[0]
    return [
        (chunk.ref_start_idx + offset, chunk.hyp_start_idx + offset)
        for chunk in chunks
        if chunk.type in kinds
        for offset in range(chunk.ref_end_idx - chunk.ref_start_idx)
    ]
