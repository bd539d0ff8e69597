"""A locked model applied: predictions for patients of another hospital, and its ONNX graph."""
