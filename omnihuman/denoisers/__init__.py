"""Networks that predict the velocity from noisy latents and conditions."""
