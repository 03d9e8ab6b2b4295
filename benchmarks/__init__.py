"""Measurements of wscontrollers against what is written by hand and against its peers; see README.md."""
