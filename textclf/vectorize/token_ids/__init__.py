"""Texts as sequences of word ids, as Keras's Tokenizer and pad_sequences make them."""
