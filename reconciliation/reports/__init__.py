"""What finance reads in the morning: reports built from the books, and their renderers."""
