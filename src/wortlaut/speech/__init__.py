"""Where people speak, and the windows that are recognized at once."""
