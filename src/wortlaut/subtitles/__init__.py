"""Subtitles: a transcript cut into what stands on the screen at one time, by the rules of those who show it."""
