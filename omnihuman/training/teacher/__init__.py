"""The stochastic teacher: timed phones and manners in words -> one of many plausible takes."""
