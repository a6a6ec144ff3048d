"""From any audio or video file to mono 16 kHz samples on a sample-exact clock."""
