"""Downloads, and the guard of their URLs."""
