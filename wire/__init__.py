"""Messages between Lockstep's programs, and the types they share. Imports only msgspec and the standard library."""
