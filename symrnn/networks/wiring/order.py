"""The order of the items: those that read each other step by step run in one scan; the others one after the other."""

from __future__ import annotations

from symrnn.errors import SpecError
from symrnn.networks.wiring.links import Link
from symrnn.networks.wiring.wires import Item, Wires


def groups(wires: Wires) -> list[list[Item]]:
    """Return the items in an order in which each reads what comes before it, those of one circle together.

    The strongly connected parts of the links, in topological order (Tarjan 1972); where the links leave it open, the order
    in which the items were given.

    Raises:
        SpecError: A circle in which one reads the whole of another, or in which nobody looks a step back.
    """
    links = {name: list(item.links(wires)) for name, item in wires.items.items()}
    found = [sorted(part, key=list(wires.items).index) for part in components({n: [k.name for k in links[n]] for n in links})]
    for part in found:
        if len(part) > 1 or part[0] in {k.name for k in links[part[0]]}:
            check_circle(part, links, wires)
    return [[wires.items[name] for name in part] for part in found]


def components(graph: dict[str, list[str]]) -> list[list[str]]:
    """Return the strongly connected parts of a graph, each after those that it points to."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in graph[name]:
            if other not in index:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], index[other])
        if low[name] == index[name]:
            cut = stack.index(name)
            found.append(stack[cut:])
            del stack[cut:]

    for name in graph:
        if name not in index:
            visit(name)
    return found


def check_circle(part: list[str], links: dict[str, list[Link]], wires: Wires) -> None:
    """Refuse a circle that cannot run step by step.

    Raises:
        SpecError: The circle, link by link.
    """
    for name in part:
        for link in links[name]:
            if link.whole and link.name in part:
                raise SpecError(f"a cycle between scans: {wires.items[name].label} {link.what} '{link.name}', whose scan must have "
                                f"ended, but '{link.name}' reads '{name}' ({way(link.name, name, links, part)})")
    running = {wires.items[name].step: name for name in reversed(part) if wires.items[name].cell_name}
    if len(running) > 1:
        raise SpecError(f"a cycle between scans: '{running[1]}' runs forward and '{running[-1]}' backward, but they read each other "
                        f"({way(running[1], running[-1], links, part)}, {way(running[-1], running[1], links, part)})")
    back = next((name for name in part if wires.items[name].role == "previous"), None)
    if -1 in running and back is not None:
        raise SpecError(f"a cycle between scans: {wires.items[back].label} looks at the time before, which '{running[-1]}' reaches "
                        f"later, since it runs backward ({way(back, back, links, part)})")
    now = {name: [k.name for k in links[name] if k.now and k.name in part] for name in part}
    for inner in components(now):
        if len(inner) > 1 or inner[0] in now[inner[0]]:
            raise SpecError(f"a cycle within a time step: {way(inner[0], inner[0], links, inner)}; put a Previous between two of them")


def way(start: str, goal: str, links: dict[str, list[Link]], inside: list[str]) -> str:
    """Return the links from one item to another, such as ``'a' → 'b' → 'c'``."""
    waiting, seen = [[start]], {start}
    while waiting:
        path = waiting.pop(0)
        for link in links[path[-1]]:
            if link.name == goal:
                return " → ".join(f"'{name}'" for name in [*path, goal])
            if link.name in inside and link.name not in seen:
                seen.add(link.name)
                waiting.append([*path, link.name])
    return f"'{start}' → '{goal}'"
