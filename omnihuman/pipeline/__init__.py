"""Request -> result: assembling, sampling, windows, provenance."""
