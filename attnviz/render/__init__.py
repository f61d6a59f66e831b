"""View records, and how they become terminal cells, figures and numbers."""
