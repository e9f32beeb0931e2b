"""Exact sums: integers and rationals that merge in any order to the same bits, and what is read from them."""
