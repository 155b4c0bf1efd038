"""Parsing XML that comes from outside; the only room that touches a parser."""
