"""Reports for people: one frozen `Report` says everything, and each format is a small module that draws it and judges nothing."""
