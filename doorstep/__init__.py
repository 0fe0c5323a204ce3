"""The program: puts the parts together."""
