"""From options and settings to a pipeline: the only room that knows every implementation."""

from wortlaut.assembly.provenance import UNIVERSAL_ALIGNER
from wortlaut.assembly.transcriber import Transcriber, open_store, transcribe

__all__ = ["UNIVERSAL_ALIGNER", "Transcriber", "open_store", "transcribe"]
