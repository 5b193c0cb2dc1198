"""Running the program: settings, logs, metrics, the clock jobs and the commands of `flask desk`."""
