"""Training of the mel front end."""
