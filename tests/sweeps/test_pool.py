import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kerasrun.errors import RunFailed
from kerasrun.sweeps.pool import Pool

FAKE = (sys.executable, str(Path(__file__).with_name("fake_server.py")))


def gone(process):
    """Tell whether a process is no more, or a zombie that nobody has buried yet."""
    try:
        os.kill(process, 0)
        state = Path(f"/proc/{process}/stat")
        return state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z"
    except (ProcessLookupError, FileNotFoundError):  # also between two of these looks
        return True


def wait_until(happened, seconds=20):
    """Wait for something that takes an instant, on a busy machine too."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.001)


def ends(pool, count):
    """Return the exit events of the next errands to end, by cell, and everything else that was told."""
    found, others = {}, []
    for event in pool.events():
        if event["event"] == "exit":
            found[event["cell"]] = event
        else:
            others.append(event)
        if len(found) == count:
            break
    return found, others


@pytest.fixture
def pool():
    with Pool(2, FAKE) as made:
        yield made


def begun(pool):
    return next(event for event in pool.events() if event["event"] == "begun")


def test_what_a_child_tells_and_how_it_ends(pool):
    pool.start({"cell": 7, "do": "tell", "events": [{"event": "epoch", "row": {"loss": 0.5}}], "code": 3})
    exits, others = ends(pool, 1)
    assert others == [{"cell": 7, "event": "epoch", "row": {"loss": 0.5}}]
    assert (exits[7]["code"], exits[7]["signal"], exits[7]["said"]) == (3, 0, [])
    assert exits[7]["peak"] > 1 << 20


def test_children_work_at_the_same_time(pool, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    for cell, mode in ((1, "r"), (2, "w")):
        pool.start({"cell": cell, "do": "meet", "fifo": str(tmp_path / "fifo"), "mode": mode})
    exits, _ = ends(pool, 2)
    assert [exits[cell]["code"] for cell in (1, 2)] == [0, 0]


def test_what_a_child_says_comes_with_its_end(pool):
    pool.start({"cell": 1, "do": "say"})
    assert sorted(ends(pool, 1)[0][1]["said"]) == ["to stderr", "to stdout"]


def test_an_exception_is_a_fault_with_its_traceback(pool):
    pool.start({"cell": 1, "do": "raise"})
    exits, others = ends(pool, 1)
    assert others == [{"cell": 1, "event": "fault", "text": "ValueError: out of order"}]
    assert exits[1]["code"] == 1
    assert exits[1]["said"][-1] == "ValueError: out of order"
    assert any("do_raise" in line for line in exits[1]["said"])


def test_an_error_of_the_program_has_its_exit_code(pool):
    pool.start({"cell": 1, "do": "fill"})
    exits, others = ends(pool, 1)
    assert (exits[1]["code"], others[0]["text"]) == (74, "no space left")


def test_what_cannot_be_prepared_ends_without_a_child(pool):
    pool.start({"cell": 1, "do": "no data"})
    exits, others = ends(pool, 1)
    assert (exits[1]["code"], exits[1]["text"], others) == (69, "no data here", [])


def test_a_crash_is_told_with_signal_and_the_stack(pool):
    pool.start({"cell": 1, "do": "abort"})
    exits, _ = ends(pool, 1)
    assert exits[1]["signal"] == signal.SIGABRT
    assert any("do_abort" in line for line in exits[1]["said"])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_child_whose_output_takes_nothing_more_ends_all_the_same(pool):
    pool.start({"cell": 1, "do": "choke"})
    exits, others = ends(pool, 1)
    assert (exits[1]["code"], exits[1]["signal"], others) == (3, 0, [])
    pool.start({"cell": 2, "do": "say"})
    exits, others = ends(pool, 1)
    assert (list(exits), others) == ([2], []), "nobody else told an end"


def test_an_event_that_could_be_torn_apart_is_shortened(pool):
    row = {f"metric_{number}": number / 7 for number in range(400)}
    pool.start({"cell": 1, "do": "tell", "events": [{"event": "epoch", "row": row, "text": "x" * 9000, "epoch": 3}]})
    _, others = ends(pool, 1)
    assert others == [{"cell": 1, "event": "epoch", "text": "x" * 500, "epoch": 3}]


def test_many_children_write_whole_events(pool):
    events = [{"event": "epoch", "row": {"loss": number / 7}, "pad": "x" * 3500} for number in range(40)]
    for cell in range(6):
        pool.start({"cell": cell, "do": "tell", "events": events})
    exits, others = ends(pool, 6)
    assert len(exits) == 6
    for cell in range(6):
        assert [event["row"] for event in others if event["cell"] == cell] == [event["row"] for event in events]


def test_leaving_the_block_kills_what_is_left():
    with Pool(1, FAKE) as pool:
        pool.start({"cell": 1, "do": "stay"})
        at = begun(pool)
    wait_until(lambda: gone(at["child"]) and gone(at["server"]))


def test_at_the_first_signal_workers_finish_and_nothing_new_begins(pool):
    with pool.obeying():
        pool.start({"cell": 1, "do": "wait"})
        begun(pool)
        os.kill(os.getpid(), signal.SIGTERM)
        pool.start({"cell": 2, "do": "say"})
        exits, others = ends(pool, 2)
    assert pool.stopped_by == signal.SIGTERM
    assert [exits[cell]["code"] for cell in (1, 2)] == [143, 143]
    assert "text" in exits[2], "no child was made"
    said = "The workers finish their epochs (once more stops now; what is committed is kept)."
    assert {"event": "notice", "text": said} in others


def test_at_the_second_signal_all_are_killed(pool):
    with pool.obeying():
        pool.start({"cell": 1, "do": "stay"})
        at = begun(pool)
        os.kill(os.getpid(), signal.SIGINT)
        told = pool.events()
        assert next(told)["event"] == "notice"
        assert next(told) == {"cell": 1, "event": "heard", "signal": signal.SIGINT}
        os.kill(os.getpid(), signal.SIGINT)
        assert list(told) == []
    wait_until(lambda: gone(at["child"]))


def test_a_dead_server_is_an_error_and_its_workers_are_killed(pool):
    pool.start({"cell": 1, "do": "stay"})
    at = begun(pool)
    os.kill(at["server"], signal.SIGKILL)
    with pytest.raises(RunFailed, match=r"killed \(signal 9\)"):
        list(pool.events())
    wait_until(lambda: gone(at["child"]))


def test_a_server_that_does_not_start_is_an_error_with_what_it_said():
    with Pool(1, (sys.executable, "-c", "raise SystemExit('no such device')")) as pool:
        pool.start({"cell": 1, "do": "say"})
        with pytest.raises(RunFailed, match="exit code 1.*\nno such device"):
            list(pool.events())


PARENT = """
import json, sys
from kerasrun.sweeps.pool import Pool
with Pool(2, json.loads(sys.argv[1])) as pool:
    for cell in (1, 2):
        pool.start({"cell": cell, "do": "stay"})
    for event in pool.events():
        print(json.dumps(event), flush=True)
"""


def test_row_67_workers_die_with_a_killed_parent():
    parent = subprocess.Popen([sys.executable, "-c", PARENT, json.dumps(FAKE)], stdout=subprocess.PIPE, text=True)
    told = [json.loads(parent.stdout.readline()) for _ in range(2)]
    processes = [told[0]["server"], *(event["child"] for event in told)]
    assert not any(map(gone, processes))
    parent.kill()
    wait_until(lambda: all(map(gone, processes)))
    parent.communicate()


def test_row_67_workers_die_with_parent_and_server_killed_together():
    parent = subprocess.Popen([sys.executable, "-c", PARENT, json.dumps(FAKE)], stdout=subprocess.PIPE, text=True)
    told = [json.loads(parent.stdout.readline()) for _ in range(2)]
    os.kill(parent.pid, signal.SIGSTOP)  # it shall not tidy up
    os.kill(told[0]["server"], signal.SIGKILL)
    parent.kill()
    wait_until(lambda: all(gone(event["child"]) for event in told))
    parent.communicate()
