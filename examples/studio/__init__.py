"""Brushes and parts from which `examples/draw.py` paints its people; numpy and OpenCV only, no third-party art."""
