"""The report in Markdown: what it says of all networks together."""

from types import SimpleNamespace

from flopledger.reports.report.write import agreeing


def test_a_count_that_no_second_counter_checked_does_not_agree():
    checks = [True, None, False, True, None]
    counted = [(None, SimpleNamespace(check=SimpleNamespace(agrees=value))) for value in checks]
    assert agreeing(counted) == 2
