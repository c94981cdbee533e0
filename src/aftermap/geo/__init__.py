"""How space works: pure maths, arrays in, arrays out."""
