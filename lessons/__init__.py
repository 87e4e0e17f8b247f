"""Lessons: the source article's network by hand, and the loops that vectorisation removes.

Nothing comes in; pages of docs/ go out. No stage and no command imports this package.
"""
