"""The pipeline inside other programs: each module needs the package it is named after, and the extra of that name."""
