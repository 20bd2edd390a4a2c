"""One isolated item: a child process that renders, and what becomes of it when it is stopped, killed or fails."""
