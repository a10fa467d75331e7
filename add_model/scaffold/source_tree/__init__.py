"""What is done in a source tree that others keep: entries put into its files, byte for byte beside what is there."""
