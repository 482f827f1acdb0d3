"""The local web page on which people label blocks: `desk` is what lies on an annotator's desk, `app` shows it."""
