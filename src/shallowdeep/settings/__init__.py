"""What a person may set: params.yaml, every value checked before any work.

A YAML file comes in; frozen records of pydantic go out, or one line that names key, value and what
is allowed.
"""
