"""What an enhancer broke: measures of an original and what was made of it."""
