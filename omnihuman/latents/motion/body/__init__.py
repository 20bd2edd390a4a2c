"""Torso, arms and hands of the pictured person: where they are, how far each may move, and their layers."""
