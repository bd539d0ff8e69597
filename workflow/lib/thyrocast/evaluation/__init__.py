"""From predictions to the tables of the evaluation.

The way of a prediction: `samples` reads it, `decisions` and `prediction_sets` add what was learned
from the training set, `groups` divides and suppresses, the scorers of `registry` compute, `design`
puts all of it together, and `pooling` joins the designs.
"""
