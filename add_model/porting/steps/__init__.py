"""Steps: how far a port has come, told by evidence; and the steps that the tool can verify, write or publish."""
