"""The `# Copied from` language: read (`marker`), resolved (`sources`), compared (`region`, `equality`), kept (`fix`)."""
