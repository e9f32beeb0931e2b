"""From a wanted motor back to a limit on its parents: inversion, joint limits on a supply, guard bands, factors."""
