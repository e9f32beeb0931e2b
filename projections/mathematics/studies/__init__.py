"""Did it work, and can we measure it: gauge studies, difference in differences, interrupted series."""
