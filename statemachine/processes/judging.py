"""Judges what the processes of a crew logged, and words what was broken with the lines that show it."""
