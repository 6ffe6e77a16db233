"""The Tau page's parts."""
