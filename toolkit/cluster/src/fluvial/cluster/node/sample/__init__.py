"""Images of the allow-list that come with the node. Standard library only."""
