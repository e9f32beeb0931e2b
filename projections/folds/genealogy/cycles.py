"""Which links of a directed graph lie on a cycle: those inside a strongly connected component (Tarjan 1972)."""

from collections.abc import Iterable, Mapping, Sequence

Pair = tuple[str, str]


def on_cycles(links: Iterable[Pair]) -> frozenset[Pair]:
    """The links (from, to) that lie on some cycle, a loop on itself included; the order of the links does not count."""
    listed = sorted(set(links))
    ahead: dict[str, list[str]] = {}
    for near, far in listed:
        ahead.setdefault(near, []).append(far)
        ahead.setdefault(far, [])
    component = _components(ahead)
    return frozenset((near, far) for near, far in listed if component[near] == component[far])


def _components(ahead: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """The number of the strongly connected component of each node; iterative, so depth is no limit."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    component: dict[str, int] = {}
    stack: list[str] = []
    for root in ahead:
        if root in index:
            continue
        work = [(root, iter(ahead[root]))]
        index[root] = low[root] = len(index)
        stack.append(root)
        while work:
            node, following = work[-1]
            further = next((far for far in following if far not in component), None)
            if further is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    _close(node, stack, component)
            elif further in index:
                low[node] = min(low[node], index[further])
            else:
                index[further] = low[further] = len(index)
                stack.append(further)
                work.append((further, iter(ahead[further])))
    return component


def _close(node: str, stack: list[str], component: dict[str, int]) -> None:
    number = len(component)
    while True:
        member = stack.pop()
        component[member] = number
        if member == node:
            return
