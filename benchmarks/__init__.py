"""How fast the portal is, as ratios to a bare Flask page measured in the same run: `make bench`."""
