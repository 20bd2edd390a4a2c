"""Judges how pictures are moved: invariants, re-detection on random poses, contact sheets, one report."""
