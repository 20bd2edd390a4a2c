"""Request -> timed tracks -> a batch on the denoiser's clock; the one meaning of "absent"."""
