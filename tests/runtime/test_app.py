"""A process answers its probes, ends on SIGTERM with status 0, and with status 1 when a service fails."""

import os
import signal
import subprocess
import sys
import textwrap
import time
import urllib.error
import urllib.request

PORT = 18931


def _start(body: str) -> subprocess.Popen[bytes]:
    program = f"""
        import asyncio, sys
        from kubeslice.runtime.app import App
        app = App("test", {PORT})
        {body}
        sys.exit(app.run())
    """
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], stderr=subprocess.PIPE)


def _ask(path: str) -> tuple[int, bytes]:
    deadline = time.monotonic() + 10
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{PORT}{path}", timeout=2) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def test_probes_metrics_and_an_orderly_end() -> None:
    process = _start("app.ready(lambda: False)")
    try:
        assert _ask("/healthz") == (200, b"ok\n")
        assert _ask("/readyz")[0] == 503
        assert b"kubeslice_queue_length" in _ask("/metrics")[1]
        assert _ask("/elsewhere")[0] == 404
    finally:
        os.kill(process.pid, signal.SIGTERM)
        _, errors = process.communicate(timeout=5)
    assert process.returncode == 0, errors


def test_a_service_that_fails_ends_the_process_with_its_reason() -> None:
    process = _start("""
        async def fail():
            raise RuntimeError("the disk is gone")
        app.add("failing", fail)""")
    _, errors = process.communicate(timeout=10)
    assert process.returncode == 1
    assert b"the disk is gone" in errors


def test_what_others_must_take_over_is_left_before_the_services_end_and_for_so_long_at_most() -> None:
    process = _start("""
        async def serve():
            try:
                await asyncio.Event().wait()
            finally:
                print("services end", file=sys.stderr)
        async def hand_over():
            print("handed over", file=sys.stderr)
        async def hang():
            await asyncio.Event().wait()
        app.add("serving", serve)
        app.leave(hand_over, 1.0)
        app.leave(hang, 0.1)""")
    try:
        _ask("/healthz")
    finally:
        os.kill(process.pid, signal.SIGTERM)
        _, errors = process.communicate(timeout=5)
    assert process.returncode == 0, errors
    assert 0 < errors.index(b"handed over") < errors.index(b"services end")
