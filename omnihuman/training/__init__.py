"""Data, one pure step, loop, stages; writes the shipped weights."""
