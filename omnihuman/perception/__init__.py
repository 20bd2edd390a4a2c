"""Landmarks and masks of people from registry models. Knows nothing of motion."""
