"""Step: the surface and the pictures to a textured mesh and a point cloud."""
