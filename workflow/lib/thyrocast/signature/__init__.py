"""The signature: features of the network that the LASSO selects, in a random forest."""
