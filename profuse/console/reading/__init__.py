"""SQL of the pages. Each statement looks at a bounded number of rows, however many there are; what it did not look at, it says."""
