"""Import and export: files become events, the log becomes files. All enters by the same door as a posted event."""
