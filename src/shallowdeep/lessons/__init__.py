"""The teaching half: the source article's network by hand, and which loops vectorisation removes.

Nothing comes in; pages of docs/ go out. No stage and no command needs it.
"""
