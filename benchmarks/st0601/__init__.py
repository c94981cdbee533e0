"""Every tag of ST 0601, held against gold files; a track of the product needs 16 of them."""
