"""What a person reads of a run: the text reports, the timeline page, the failure folder, the plain tests."""
