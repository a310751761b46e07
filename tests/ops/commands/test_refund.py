"""`mizan refund many` reads its file whole, and names every bad line."""

from __future__ import annotations

import click
import pytest

from gateway.services.refunds.create_refund import RefundRequest
from ops.commands.refund import read_file

REQUEST = RefundRequest("flood relief", asked_by="mariam")


def test_lines_with_and_without_an_amount():
    first, second = read_file("payment_intent,amount,currency\npi_1,10.50,AED\npi_2,,\n", REQUEST)
    assert (first.intent_id, first.request.amount_minor, first.request.currency) == ("pi_1", 10_50, "AED")
    assert (second.intent_id, second.request.amount_minor, second.request.asked_by) == ("pi_2", None, "mariam")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "names its columns"),
        ("payment,amount\npi_1,1\n", "names its columns"),
        ("payment_intent,amount,currency\npi_1,1.001,AED\npi_2,x,AED\n", "line 2.*line 3"),
        ("payment_intent\npi_1\npi_1\n", "pi_1 stands twice"),
        ("payment_intent\n", "1 to 500 lines"),
    ],
)
def test_a_bad_file_is_refused_with_its_lines(text: str, said: str):
    with pytest.raises(click.ClickException, match=said):
        read_file(text, REQUEST)
