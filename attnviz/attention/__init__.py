"""The project's own attention: plain torch, readable as a text-book; imports nothing of attnviz."""
