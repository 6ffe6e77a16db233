"""Every remedy against collapse on real sentences."""
