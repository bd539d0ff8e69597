"""Networks on scintigrams: its training, embeddings and Grad-CAM maps."""
