"""The Danish tax and customs FTPS gateway."""
