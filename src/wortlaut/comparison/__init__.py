"""Several engines on one recording, side by side: what each wrote, when, who, and at what cost.

running     an engine in a process of its own -> Run
differences transcripts -> which words differ, and rows to read side by side
"""
