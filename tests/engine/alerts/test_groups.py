"""Who is told what, and when."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select

from quarterdeck.contract.clock import DAY, iso
from quarterdeck.contract.enums import AlertType
from quarterdeck.contract.models.channels import NewChannel
from quarterdeck.engine.alerts import history, notices
from quarterdeck.engine.alerts.sending import Outlet
from quarterdeck.engine.alerts.tables import alert_groups
from quarterdeck.engine.channels.managing import create_channel
from quarterdeck.engine.channels.service import notify
from quarterdeck.engine.channels.tables import notification_channels, notifications
from quarterdeck.engine.queues.seeding import seed
from quarterdeck.engine.workers.tables import workers
from tests.engine.alerts.world import MONDAY, RESOLVED, Day
from tests.support.desk import ROOT


async def test_a_group_waits_then_speaks_at_intervals_then_repeats(day: Day) -> None:
    await day.rule(AlertType.WORKER_UNHEALTHY, 1, by=["worker"])
    await day.worker("w1")
    await day.pass_(60)
    await day.worker("w2")
    assert await day.pass_(60) == ["trigger"]
    assert len(day.said[0][1].alerts) == 2
    await day.worker("w3")
    assert await day.pass_(240) == []  # the group has just spoken
    assert await day.pass_(60) == ["trigger"]
    assert len(day.said[1][1].alerts) == 3
    assert await day.pass_(4 * 3_600 - 300, step=300) == []
    assert await day.pass_(600) == ["trigger"]


async def test_groups_are_made_by_labels(day: Day) -> None:
    await day.external(group_by=["alertname", "cluster"])
    for cluster in ("a", "b"):
        for host in ("1", "2", "3"):
            await day.post({"labels": {"alertname": "Down", "cluster": cluster, "host": host}})
    assert await day.pass_(60) == ["trigger", "trigger"]
    assert sorted(notice.title for _, notice in day.said) == [
        "Down (cluster=a): 3 firing",
        "Down (cluster=b): 3 firing",
    ]


async def test_quiet_hours_end_with_what_still_fires(day: Day) -> None:
    hours = {"timezone": "UTC", "windows": [{"days": ["mon"], "start": "08:00", "end": "10:00"}]}
    await day.rule(AlertType.WORKER_UNHEALTHY, 1, by=["worker"], quiet_hours=hours)
    await day.worker("w1")
    await day.worker("short")
    assert await day.pass_(3_420, step=300) == []
    async with day.engine.store.write() as transaction:
        await transaction.connection.execute(workers.delete().where(workers.c.name == "short"))
    assert await day.pass_(120) == []
    assert await day.pass_(60) == ["trigger"]
    assert [each["labels"]["worker"] for each in day.said[0][1].alerts] == ["w1"]


async def test_a_storm_comes_as_a_summary_and_its_ends_one_by_one(day: Day) -> None:
    calm = replace(day.engine.settings.alerts, channel_per_minute=10)
    day.engine.settings = replace(day.engine.settings, alerts=calm)
    await day.external(group_by=["host"])
    tomorrow = iso(day.now + DAY)
    storm = [{"labels": {"alertname": "Down", "host": f"h{number}"}, "endsAt": tomorrow} for number in range(25)]
    await day.post(*storm)
    assert len(await day.pass_(60)) == 9  # the last place of the minute is the summary's
    assert await day.pass_(60) == ["trigger"]
    summary = day.said[-1][1]
    assert summary.title.startswith("16 notices were too many for ops at once: Down (host=h")
    assert await day.pass_(120) == []
    await day.post(*({**each, "endsAt": iso(day.now)} for each in storm[:-1]))
    before = len(day.said)
    ends = [await day.pass_(60) for _ in range(7)]
    assert all(len(each) <= 10 for each in ends)
    keys = {notice.key for _, notice in day.said[before:]}
    assert [kind for each in ends for kind in each] == ["resolve"] * len(keys) == ["resolve"] * 24
    assert summary.key not in keys, "what it tells of still fires"
    await day.post({**storm[-1], "endsAt": iso(day.now)})
    assert await day.pass_(300) == ["resolve", "resolve"]
    assert summary.key in {notice.key for _, notice in day.said[-2:]}, "who opened an incident for it can close it"
    await day.post(storm[-1])
    await day.post({**storm[-1], "endsAt": iso(day.now)})
    assert set(await day.pass_(600)) <= {"trigger", "resolve"}
    assert summary.key not in {notice.key for _, notice in day.said[before + 26 :]}, "once"


async def test_a_notice_is_a_notification_of_its_channel(day: Day) -> None:
    """All the way: the group's notice is a run of the queue of notifications, and the alert says how that stands."""
    day.engine.keep(Outlet, Outlet).notify = notify
    await seed(day.engine)
    hook = {"name": "ops", "settings": {"kind": "webhook", "url": "https://hooks.example.com/x"}}
    await create_channel(day.engine, ROOT, NewChannel.model_validate(hook))
    day.made.add("ops")
    await day.external(channels=["ops", "nowhere"])
    async with day.engine.store.write() as transaction:  # such a rule may be there from before
        gone = notification_channels.delete().where(notification_channels.c.name == "nowhere")
        await transaction.connection.execute(gone)
    await day.post({"labels": {"alertname": "Down"}})
    await day.pass_(60)
    (alert,) = await day.list()
    sent = {each.channel: each for each in (await history.show(day.engine, ROOT, alert.id)).notices}
    assert (sent["ops"].kind, sent["ops"].status) == ("trigger", "pending")
    assert (sent["nowhere"].status, sent["nowhere"].error) == ("skipped", "There is no channel nowhere.")


async def test_a_source_that_flaps_a_thousand_times_a_minute_is_one_alert_in_one_group(day: Day) -> None:
    """For a quarter of a minute; its group may speak at 2, 7 and 12 s, and is looked at every half second."""
    times = replace(day.engine.settings.alerts, group_wait_seconds=2, group_interval_seconds=5)
    day.engine.settings = replace(day.engine.settings, alerts=times)
    await day.external()
    labels = {"alertname": "Flap", "host": "a"}
    for change in range(250):
        day.now = MONDAY + change * 60
        await day.post({"labels": labels} | ({"endsAt": iso(day.now)} if change % 2 else {}))
        if change % 8 == 0:
            await notices.flush(day.engine)
    (alert,) = await day.list()
    assert (alert.state, alert.changes) == (RESOLVED, 124)
    assert await day.number(alert_groups) == 1
    spoke = len(day.said)
    assert 1 <= spoke <= 3
    assert set(await day.pass_(60, step=1)) <= {"resolve"}  # and that is all
    assert len(day.said) - spoke <= 1


async def test_a_notice_names_some_of_very_many_and_counts_all(day: Day) -> None:
    await day.external()
    await day.post(*({"labels": {"alertname": "Down", "host": f"h{number}"}} for number in range(150)))
    assert await day.pass_(60) == ["trigger"]
    ((_, notice),) = day.said
    assert (notice.title, len(notice.alerts), notice.total) == ("Down: 150 firing", 100, 150)
    async with day.engine.store.write() as transaction:
        await notify(day.engine, transaction, ["nowhere"], notice)
        (content,) = (await transaction.connection.execute(select(notifications.c.content))).scalars()
    assert (content["total"], len(content["alerts"])) == (150, 100)
