"""Settings of a run: params.yaml, every value checked before any work.

A YAML file goes in; frozen pydantic records come out, or one line with key, value and what is
allowed.
"""
