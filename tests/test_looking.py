"""What is told when the master's state is not what a scenario expects."""

from scenes import play_text

STORY = """
scenario: A backup fails
clauses: [REC-5]
agents: {alpha: manual}
tasks: {nightly: {agent: alpha}}
steps:
  - heartbeat: alpha
  - run: nightly
    as: backup
  - poll: alpha
  - update_record: {agent: alpha, record: backup, status: failed, errorMessage: "the disk is full"}
  - expect: {record: backup, status: success}
"""


def test_a_status_is_told_with_the_error_beside_it() -> None:
    """That a backup failed is half of it: why it failed is what its developer looks for."""
    outcome, _ = play_text(STORY)

    assert outcome.failure is not None
    assert outcome.failure.seen == '"failed", errorMessage "the disk is full"'
