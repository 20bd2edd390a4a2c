"""Pixels: person and background taken apart, filled, rasterised and laid over one another. Knows no anatomy."""
