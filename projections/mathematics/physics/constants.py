"""Physical constants and the units that the closed forms use inside."""

import math

MU0_H_m = 4e-7 * math.pi
"""Magnetic constant in H/m."""
BOLTZMANN_eV_K = 8.617333262e-5
KELVIN_AT_0_Cel = 273.15
REFERENCE_Cel = 20.0
"""The temperature to which magnet values and flux are referred."""
ONE_SIDED_95 = 1.6448536269514722
"""Normal quantile at 95 %."""
