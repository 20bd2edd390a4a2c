"""The motion space: latents are motion parameters, decoding warps the picture itself."""
