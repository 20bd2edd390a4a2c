"""What is said and what is asked: sentences for the voice, captions of the styles."""
