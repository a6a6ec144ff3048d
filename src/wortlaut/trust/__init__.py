"""What of a transcript can be trusted: text that nobody said leaves it, speech that no word covers is heard again."""
