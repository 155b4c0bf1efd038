"""What the tests share: finding real servers, running them on loopback, watching folders."""
