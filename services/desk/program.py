"""The version of this program. The journal records it with each new writer."""

VERSION = "0.7.0"
