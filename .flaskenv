# Lets `flask desk ...` find the command line without starting the desk.
FLASK_APP=cli:create_cli
