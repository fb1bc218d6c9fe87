"""The stream pool and the server: many streams on few cores."""
