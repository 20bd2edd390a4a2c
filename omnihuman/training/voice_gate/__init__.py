"""Training of the voice gate's judge."""
