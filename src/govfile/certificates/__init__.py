"""Who you are: keys, certificates, what their subjects say, and whom to trust."""
