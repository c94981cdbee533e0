"""Products in the forms that other programs read: GeoJSON, HXL, UNOSAT, cameras.json."""
