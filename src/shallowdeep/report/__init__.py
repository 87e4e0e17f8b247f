"""What a person looks at: charts, sheets of pictures, the page of results, the page of records.

Scores, tables and pictures come in; SVG, JPEG and HTML go out, the same bytes for the same input.
"""
