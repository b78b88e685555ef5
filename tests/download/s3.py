"""An S3 server on the loopback, of moto, and what lies in it."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import boto3  # type: ignore[import-untyped]
import fsspec  # type: ignore[import-untyped]
import requests
from moto.server import ThreadedMotoServer

if TYPE_CHECKING:
    from collections.abc import Iterator

BUCKET = "files"


class Bucket:
    """The bucket as its owner sees it, past everything of ours."""

    def __init__(self) -> None:
        self.client: Any = boto3.client("s3")
        self.client.create_bucket(Bucket=BUCKET)

    def names(self) -> set[str]:
        """Return the names of all objects."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        return {item["Key"] for page in pages for item in page.get("Contents", ())}

    def content(self, key: str) -> bytes:
        """Return an object."""
        body: bytes = self.client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return body

    def put(self, key: str, body: bytes) -> None:
        """Replace an object."""
        self.client.put_object(Bucket=BUCKET, Key=key, Body=body)

    def delete(self, key: str) -> None:
        """Delete an object."""
        self.client.delete_object(Bucket=BUCKET, Key=key)

    def unfinished(self) -> int:
        """Return how many uploads were begun and neither completed nor given up."""
        return len(self.client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", ()))


@contextmanager
def bucket() -> Iterator[Bucket]:
    """Serve an empty bucket, for as long as the environment points at it."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    # What it holds belongs to the process, and would outlive the server.
    requests.post(f"http://{host}:{port}/moto-api/reset", timeout=30).raise_for_status()
    environ = {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
    }
    try:
        with patch.dict(os.environ, environ):
            yield Bucket()
    finally:
        # A file system that is kept would go on with the address of a server that is gone.
        fsspec.get_filesystem_class("s3").clear_instance_cache()
        server.stop()
