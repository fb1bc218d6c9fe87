"""Speaker embeddings behind one contract; one file each."""
