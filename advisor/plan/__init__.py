"""Starting parameters of a fine-tuning, each with its reason: from the model, the data and the accelerator to a configuration."""
