"""Does a deeper network help on these pictures? Many runs, an interval, the same bits anywhere."""
