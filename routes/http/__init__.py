"""What every call shares: parsing, guards, errors, request ids, the API document."""
