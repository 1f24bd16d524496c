"""What all models share: fitted form, loading by name, fitting, class weights, calibration."""
