"""How the chart goes from one release to another, and back."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.charts import ALL, ROOMS, container, of_kind

PAGE = Path(__file__).parents[2] / "docs" / "deploying.md"
# Old workers do not read what new ones, or new gateways, have written.
WRITERS_FIRST = ["gateway", "matcher", "launcher", "hooks", "console"]


def images(kind: str, values: Sequence[str]) -> dict[str, str]:
    return {name: container(each)["image"] for name, each in of_kind(kind, *values).items()}


@pytest.mark.promise("P-DEPLOY-04")
def test_tables_and_topics_are_made_before_anything_of_a_release_runs() -> None:
    job, secret = of_kind("Job")["migrate"], of_kind("Secret", *ALL)["secrets"]
    weights = [int(each["metadata"]["annotations"]["helm.sh/hook-weight"]) for each in (secret, job)]

    assert container(job)["args"] == ["migrate"]
    assert weights == sorted(set(weights))
    assert set(of_kind("Job")) == {"migrate"}
    assert container(of_kind("Job", *ALL)["refile"])["args"] == ["migrate", "--refile"]


@pytest.mark.promise("P-DEPLOY-06")
def test_a_rollback_brings_the_secret_back_and_migrates_nothing() -> None:
    """Helm leaves what a hook has made as it is, and the pods of before would read the Secret that they did not have."""
    hooks = of_kind("Secret", *ALL) | of_kind("Job", *ALL)

    assert {name: each["metadata"]["annotations"]["helm.sh/hook"] for name, each in hooks.items()} == {
        "secrets": "pre-install,pre-upgrade,pre-rollback",
        "migrate": "pre-install,pre-upgrade",
        "refile": "post-upgrade",
    }


@pytest.mark.promise("P-DEPLOY-06")
@pytest.mark.parametrize("room", ROOMS)
def test_a_room_is_taken_back_by_itself_and_what_migrates_is_not(room: str) -> None:
    values = ["image.tag=new", f"rooms.{room}.tag=old"]

    assert images("Deployment", values) == {each: "profuse:old" if each == room else "profuse:new" for each in ROOMS}
    assert images("Job", values) == {"migrate": "profuse:new"}


@pytest.mark.promise("P-DEPLOY-06")
def test_the_page_takes_rooms_back_in_an_order_in_which_all_is_read() -> None:
    given = re.findall(r"--set (rooms\.(\w+)\.tag=\S+)", PAGE.read_text())

    assert [room for _, room in given] == WRITERS_FIRST
    assert set(images("Deployment", [value for value, _ in given]).values()) == {"profuse:OLD"}
