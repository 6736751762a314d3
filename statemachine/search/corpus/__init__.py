"""A corpus of histories: what it keeps, where it is kept, and which entries make others needless."""
