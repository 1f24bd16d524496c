"""The stage behave: behavioural tests of models."""
