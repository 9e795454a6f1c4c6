"""From a plan to a plan that means the same and costs less.

Nothing here knows SQL text, and a plan is never changed: another is made.
"""
