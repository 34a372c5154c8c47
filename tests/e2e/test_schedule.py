# SPDX-License-Identifier: Apache-2.0
"""backup.schedule and backup.keep: operations.md 6.2."""
import os

from daemon import Daemon
from wamp_peer import wait_until


def names(daemon):
    return [backup["name"] for backup in daemon.admin("/backups").json()]


def test_backups_are_made_by_themselves_and_the_oldest_go():
    with Daemon(settings={"backup.schedule": "1s", "backup.keep": "2"}) as daemon:
        wait_until(lambda: len(names(daemon)) == 2)
        first = names(daemon)
        wait_until(lambda: first[0] not in names(daemon))
        wait_until(lambda: len(names(daemon)) == 2)
        answer = daemon.admin("/services/verify_backup", "POST", {"filename": names(daemon)[0]})
        assert answer.status in (200, 404), answer  # 404: it was the turn of this one


def test_the_age_of_the_newest_counts_over_a_restart():
    with Daemon(dev=False, settings={"backup.schedule": "1d"}) as daemon:
        wait_until(lambda: "backup_made" in daemon.log())
        assert daemon.stop() == 0
        made = os.listdir(os.path.join(daemon.data, "backup"))
        daemon.start()
        assert daemon.stop() == 0
        assert os.listdir(os.path.join(daemon.data, "backup")) == made and len(made) == 1


def test_nothing_is_made_without_a_schedule():
    with Daemon() as daemon:
        assert names(daemon) == []
