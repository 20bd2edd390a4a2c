"""Rectified flow as pure functions: path, schedule, solver, guidance."""
