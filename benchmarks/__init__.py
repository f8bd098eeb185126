"""Speed, tracking and ablation benchmarks; see README.md beside this file."""
