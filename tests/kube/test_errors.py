"""What failures of a transport are called by who reads them."""

import pytest

from kubeslice.kube import errors


@pytest.mark.parametrize(
    ("failure", "sentence"),
    [
        (TimeoutError(), "no answer from the API server: it took too long"),
        (ConnectionRefusedError(111, "refused"), "no answer from the API server: [Errno 111] refused"),
        (EOFError(), "no answer from the API server: EOFError"),
    ],
)
def test_no_answer_says_why(failure: Exception, sentence: str) -> None:
    assert errors.no_answer(failure).message == sentence
