"""What the commands of every authority have in common: filing many, collecting, watching, settling."""
