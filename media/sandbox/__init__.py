"""Where pictures from outside are decoded: a process that has a pipe in, a pipe out, and nothing else."""
