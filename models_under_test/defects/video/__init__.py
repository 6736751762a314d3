"""Planted bugs of the video pipeline, a module each.  What a defect is: ``defects/__init__.py``."""

from __future__ import annotations

from pathlib import Path

from models_under_test.defects import stories_in

STORIES = stories_in(Path(__file__).parent)
