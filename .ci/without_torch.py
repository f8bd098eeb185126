"""A pytest plugin for a Python without torch: a test that fails is skipped if its file asked for torch.

A run in which few tests pass fails, so that a broken environment cannot go unnoticed.
"""

import importlib.util
import sys

import pytest

FEWEST = 500


class Watch:
    """An import hook that finds nothing and remembers that torch was asked for."""

    asked = False

    def find_spec(self, name, path=None, target=None):
        self.asked = self.asked or name.partition(".")[0] == "torch"


watch = Watch()
passed = 0
file = None


def pytest_configure(config):
    if importlib.util.find_spec("torch"):
        raise pytest.UsageError("torch is installed: run the tests without this plugin")
    sys.meta_path.insert(0, watch)


def pytest_runtest_setup(item):
    # What a fixture asked for counts for every test of its file.
    global file
    if item.path != file:
        file, watch.asked = item.path, False


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    watch.asked = False
    report = yield
    return excuse(report, watch.asked)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    # A shared fixture that failed once is not run again.
    cached = call.excinfo is not None and getattr(call.excinfo.value, "name", None) == "torch"
    return excuse(report, watch.asked or cached)


def excuse(report, asked):
    if report.failed and asked:
        report.outcome = "skipped"
        report.longrepr = (report.nodeid, 0, "Skipped: needs torch")
    return report


def pytest_runtest_logreport(report):
    global passed
    passed += report.when == "call" and report.passed


def pytest_sessionfinish(session):
    if passed < FEWEST:
        print(f"\nonly {passed} tests passed; at least {FEWEST} need no torch")
        session.exitstatus = 1
