"""What the operator is told on the phone: which kinds, in which words, and how a message is delivered."""
