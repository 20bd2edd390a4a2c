"""Driver -> motion parameters: a followed person or key points, fitted to the picture. Draws nothing."""
