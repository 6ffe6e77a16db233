"""PCA, t-SNE and UMAP of posterior means."""
