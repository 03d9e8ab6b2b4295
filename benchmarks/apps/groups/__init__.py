"""The same group in each framework, at the same paths.

/member     join the group, say so with one text frame, wait for the end; what is published comes as text frames
/publish    for each text frame, "16 short", publish so many messages with that text to the group
"""
