"""Who is in the study, and what is known about them."""
