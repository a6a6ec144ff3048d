"""Who speaks when: segmentation, speaker embeddings, clustering, labelling."""
