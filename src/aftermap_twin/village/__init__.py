"""A village of pitched roofs in yards along lanes. It shares no building, damage or paint."""
