"""LASSO-selected features of the network in a random forest, and the models beside it."""
