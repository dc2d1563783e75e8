"""The benchmark of the audit log runs, small, and measures what it says."""

from __future__ import annotations

from tests.bench.audit_log import run


def test_the_benchmark_of_the_audit_log_runs_at_three_thousand_rows() -> None:
    measures = run(3_000)
    names = [name for name, _, _, _ in measures]
    assert len(names) == len(set(names))
    assert all(value > 0 for _, value, _, _ in measures)
    assert {unit for _, _, unit, _ in measures} == {"rows/s", "ms", "x"}
    for words in ("time against a bare insert", "last 50 of a channel, p99", "text, a rare word, p99", "verify"):
        assert any(words in name for name in names)
    assert "verify" in names
