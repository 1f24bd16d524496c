"""What a project of the user is made and checked with: textclf init and textclf check."""
