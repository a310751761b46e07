import asyncio

from ops.jobs import Job, run_jobs


async def test_hc31_jobs_run_side_by_side_survive_errors_and_finish_their_batch_when_stopped():
    stopping = asyncio.Event()
    told: list[str] = []

    async def fails_once() -> int:
        told.append("fails")
        if told.count("fails") == 1:
            raise ConnectionError("database is away")
        return 0

    async def works() -> int:
        told.append("begins")
        await asyncio.sleep(0.01)
        told.append("ends")
        if told.count("ends") == 3:
            stopping.set()
        return 1

    async def stop_late() -> int:
        await asyncio.wait_for(stopping.wait(), 5)
        return 0

    jobs = [Job("fails", fails_once, 0.01), Job("works", works, 60), Job("late", stop_late, 60)]
    await asyncio.wait_for(run_jobs(jobs, stopping, lambda: 0.0), 5)
    assert told.count("begins") == told.count("ends") == 3
    assert told.count("fails") >= 1


async def test_a_job_without_work_rests():
    stopping = asyncio.Event()
    runs = []

    async def idle() -> int:
        runs.append(1)
        return 0

    task = asyncio.create_task(run_jobs([Job("idle", idle, 3600)], stopping, lambda: 0.0))
    await asyncio.sleep(0.05)
    stopping.set()
    await asyncio.wait_for(task, 5)
    assert len(runs) == 1
