"""Plans: what their nodes are, which operator each is, and what is known of one without running it.

Nothing here knows SQL text.
"""
