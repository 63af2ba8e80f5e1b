"""Every recorded case of a kube-apiserver 1.36, and every case of our own, replayed."""

import pytest
from tests.conformance.api.cases import OWN, RECORDED, cases_in, replay
from tests.conformance.api.servers import KINDS, lacks

CASES = [*cases_in(RECORDED), *cases_in(OWN)]


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("case", CASES, ids=str)
async def test_case(case, servers):
    if lacks(case.kind):
        pytest.skip(lacks(case.kind))
    await replay(case, await servers.of(case.kind))


def test_cases_say_what_they_need_and_why():
    for case in CASES:
        assert case.kind in KINDS, case
        assert case.reason, case
