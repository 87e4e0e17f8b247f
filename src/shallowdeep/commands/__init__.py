"""Commands of `python -m shallowdeep COMMAND`, each with a `main`.

Words of the command line come in; lines for the terminal and an exit status go out.
"""
