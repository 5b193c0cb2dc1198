"""What travels between Lockstep's programs, and the types they share. Imports msgspec and the standard library only."""
