"""Where bars of the past come from: files, recorded days, and services that sell or give them."""
