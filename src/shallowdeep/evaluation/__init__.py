"""What the trained models say about the pictures, and what that can and cannot show.

Models, what they answered and prepared pictures come in; scores with intervals, the verdict and the
tables behind the plots go out.
"""
