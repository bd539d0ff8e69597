"""From predictions to the tables of the evaluation.

Order of the steps: `samples` reads predictions; `decisions` and `prediction_sets` add thresholds
and sets from the training set; `groups` divides samples and suppresses small ones; the scorers of
`registry` compute metrics. `design` runs these steps for one design, and `pooling` pools centers.
"""
