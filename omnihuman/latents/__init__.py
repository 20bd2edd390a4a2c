"""Latent spaces: clips <-> latents behind one contract (`base.py`)."""
