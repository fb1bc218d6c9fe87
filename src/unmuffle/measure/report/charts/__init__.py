"""Charts as inline SVG that takes its colours from the page, and so follows its dark mode."""
