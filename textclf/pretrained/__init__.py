"""Pretrained weights: their catalogue, their files, and BERT encoders as ONNX."""
