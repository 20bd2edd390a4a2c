"""Speech, song, instruments and rooms, made and kept for training."""
