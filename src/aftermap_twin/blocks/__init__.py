"""An estate of high slab blocks of concrete panels. It shares no building, damage or paint."""
