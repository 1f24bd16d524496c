"""What all models share: their fitted form, loading by name, fitting, class weights and calibrated scores."""
