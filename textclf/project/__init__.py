"""What a project of the user is made and checked with: textclf init, textclf check and textclf fsck."""
