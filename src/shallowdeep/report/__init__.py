"""Charts, sheets of pictures, the page of results, model cards and the page of records.

Findings, tables and pictures come in; SVG, JPEG, HTML and Markdown go out, the same bytes for the
same input.
"""
