"""The network family: ResNet50 on scintigrams, its training, state and embeddings."""
