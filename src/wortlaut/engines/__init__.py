"""Other people's transcription behind Wortlaut's seams, so that both can be compared on the same recording."""
