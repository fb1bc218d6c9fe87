"""What noise and its removal do to recognition and to the identity of a talker."""
