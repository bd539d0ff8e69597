"""ResNet50 on scintigrams: its training, embeddings and Grad-CAM maps."""
