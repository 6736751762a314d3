"""Runs by time: searches dealt out to several processes until the time is up."""
