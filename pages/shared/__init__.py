"""What pages have in common; not pages themselves."""
