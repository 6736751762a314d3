"""Long runs: searches dealt out to several processes until the time is up, and what they found."""
