"""Running the program: settings, log lines, figures, the clock jobs, the commands of `flask desk`."""
