"""The decision whether somebody may enter a room: one pure function, for join page, API and "test this link".

`decide` goes through the checks in a fixed order; the first that fails is the answer, the later ones are
listed but not judged. It reads nothing and changes nothing. Capacity and uses are judged again, under a
row lock, by `entering.admit`.
"""

from dataclasses import dataclass
from typing import Literal

from portal.admission.case import Case, Check, Enter, Reason, Refuse, Result, role_of
from portal.admission.checks import checks_of
from portal.errors import Message


@dataclass(frozen=True)
class CheckResult:
    """One check with its outcome: `passed`, `stopped` (it decided) or `later` (it was not judged)."""

    check: Check
    outcome: Literal["passed", "stopped", "later"]
    words: Message


@dataclass(frozen=True)
class Decision:
    """The result, with all checks in their order and the case that was judged."""

    result: Result
    checks: tuple[CheckResult, ...]
    case: Case

    @property
    def reason(self) -> Reason | None:
        """Why somebody is refused, or None."""
        return self.result.reason if isinstance(self.result, Refuse) else None

    def without_the_plan(self) -> tuple[CheckResult, ...]:
        """The checks without those of the customer's plan, for members, who are not told what is wrong with it.

        If the plan decided, the check of the room says that it is not available.
        """
        stopped = any(line.check in _PLAN and line.outcome == "stopped" for line in self.checks)
        closed = CheckResult(Check.ROOM, "stopped", Message("This room is not available right now"))
        others = (line for line in self.checks if line.check not in _PLAN)
        return tuple(closed if stopped and line.check is Check.ROOM else line for line in others)


_PLAN = frozenset({Check.CUSTOMER, Check.SUBSCRIPTION, Check.ACCOUNT, Check.PROVIDER})


def decide(case: Case) -> Decision:
    """Judge the case. The first failing check is the answer."""
    judged: list[CheckResult] = []
    result: Result | None = None
    for check, failure, words in checks_of(case):
        if result is not None:
            judged.append(CheckResult(check, "later", words))
        elif failure is not None:
            result = failure
            judged.append(CheckResult(check, "stopped", words))
        else:
            judged.append(CheckResult(check, "passed", words))
    return Decision(result or Enter(role_of(case)), tuple(judged), case)
