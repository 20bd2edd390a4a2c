"""Looks whether this machine can make a video, and says what is in the way. Changes nothing, fetches nothing."""
