"""What a person types: `python -m shallowdeep COMMAND`, one file a command.

Words of the command line come in; lines for the terminal and an exit status go out.
"""
