"""The composition root and every process: settings, wiring, command line, migrations, benchmarks."""
