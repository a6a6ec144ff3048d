"""Who said what, when: transcription with word times and speakers, on your own machine."""
