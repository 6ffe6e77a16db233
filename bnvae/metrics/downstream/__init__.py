"""What a code is good for: labels, edits, factors kept in reconstructions."""
