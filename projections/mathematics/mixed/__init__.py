"""Linear mixed models from accumulated cross-products: sums in, variances and effects out; never a row."""
