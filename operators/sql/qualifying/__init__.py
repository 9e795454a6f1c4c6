"""From a tree to a tree in which every name means one thing and every construct is written in one way.

Whatever has no meaning here is refused with its place in the text.
"""
