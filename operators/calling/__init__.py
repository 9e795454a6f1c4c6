"""Calling users' Python functions: over batches, over rows, and async ones with timeouts and repetitions."""
