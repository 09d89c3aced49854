"""What an assessment is about: attrs classes, no input or output, nothing of ours imported from further up."""
