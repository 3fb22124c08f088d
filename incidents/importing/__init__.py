"""The import: reads a company's files into people and exposures. Start reading at `loading`."""
