"""What is kept from run to run: results that need no second look, and the sides of copies that a fix rests on."""
