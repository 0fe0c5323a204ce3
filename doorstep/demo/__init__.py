"""A whole working day, end to end, on made-up people at real addresses. `doorstep demo` runs it."""
