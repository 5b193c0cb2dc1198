"""The meaning of Firestore's failures: refused, not done, or of unknown outcome (DESIGN 7)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import grpc
from google.api_core.exceptions import (
    Aborted,
    AlreadyExists,
    FailedPrecondition,
    GoogleAPICallError,
    InvalidArgument,
    MethodNotImplemented,
    NotFound,
    OutOfRange,
    PermissionDenied,
    ResourceExhausted,
    Unauthenticated,
)
from google.auth.exceptions import GoogleAuthError

from services.stores.store import OutcomeUnknown, StoreDown

REFUSED = (FailedPrecondition, AlreadyExists, NotFound)
WROTE_NOTHING = (
    Aborted,  # another process was writing the same documents: the batch was rolled back
    *(InvalidArgument, MethodNotImplemented, OutOfRange),
    *(PermissionDenied, Unauthenticated, GoogleAuthError),
    ResourceExhausted,
)
NEVER_SENT = (  # gRPC's texts for a call that it could not send; after any other UNAVAILABLE it may have been executed
    "failed to connect to all addresses",
    "errors resolving",
    "dns resolution failed",
    "getting metadata from plugin failed",
)


class Refused(StoreDown):
    """A precondition of a write did not hold; nothing was written."""


@contextmanager
def read_errors() -> Iterator[None]:
    """Turn every failure of a read into StoreDown."""
    try:
        yield
    except (GoogleAPICallError, GoogleAuthError, grpc.RpcError) as error:
        raise StoreDown(_sentence(error)) from error
    except ValueError as error:  # gRPC raises it for a closed channel
        raise StoreDown(f"Firestore: {error}") from error


@contextmanager
def write_errors() -> Iterator[None]:
    """Turn a failed write into Refused or StoreDown when nothing was written, else into OutcomeUnknown.

    A timeout is always of unknown outcome.
    """
    try:
        yield
    except REFUSED as error:
        raise Refused(_sentence(error)) from error
    except WROTE_NOTHING as error:
        raise StoreDown(_sentence(error)) from error
    except (GoogleAPICallError, grpc.RpcError) as error:
        if any(words in str(error).lower() for words in NEVER_SENT):
            raise StoreDown(_sentence(error)) from error
        raise OutcomeUnknown(_sentence(error)) from error
    except ValueError as error:  # gRPC raises it for a closed channel
        raise StoreDown(f"Firestore: {error}") from error


def _sentence(error: Exception) -> str:
    words = " ".join(str(getattr(error, "message", error)).split())
    return f"Firestore: {type(error).__name__}: {words[:200]}"
