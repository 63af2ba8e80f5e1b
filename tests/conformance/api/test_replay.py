"""Every recorded case of a kube-apiserver 1.36, and every case of our own, replayed."""

import pytest
from tests.conformance.api.cases import OWN, RECORDED, cases_in, replay

CASES = [*cases_in(RECORDED), *cases_in(OWN)]


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("case", CASES, ids=str)
async def test_case(case, shared, empty):
    await replay(case, empty if case.needs_empty else shared)
