"""Who is there: a token in a header, for programs, or in the first message, for browsers."""
