"""The storybook: a grammar of sentences whose causes are known."""
