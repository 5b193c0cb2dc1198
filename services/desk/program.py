"""Which program this is; the journal says with each new writer which one decided from there on."""

VERSION = "0.7.0"
