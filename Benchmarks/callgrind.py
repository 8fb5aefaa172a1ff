"""Reads callgrind's dumps and tells which part of the program each instruction and each call belongs to."""

import collections
import pathlib
import re
import shutil
import subprocess

# Functions that call each other once, whoever called the first.
FORWARDING = {"swift_allocObject", "swift_slowAlloc", "swift_slowAllocTyped", "_swift_allocObject_"}
ALLOCATIONS = {"malloc", "calloc", "realloc", "_int_memalign"}
REST = "rest"
CRYPTO = "libcrypto"


class Function:
    """One function of one thread: what it costs by itself, who calls it and whom it calls."""

    __slots__ = ("library", "name", "cost", "callers", "callees")

    def __init__(self, library, name):
        self.library = library
        self.name = name
        self.cost = 0
        self.callers = collections.defaultdict(lambda: [0, 0])  # Function: [calls, their inclusive cost]
        self.callees = collections.defaultdict(lambda: [0, 0])


def read(path):
    """The functions in one thread's dump (callgrind's profile format, https://valgrind.org/docs/manual/cl-format.html)."""
    functions = {}
    names = {"ob": {}, "fn": {}}
    header = re.compile(r"(c?)(ob|fn)=\((\d+)\)(?: (.*))?$")
    current, callee, library, called_library, calls = None, None, "", "", None

    def function(library, name):
        return functions.setdefault((library, name), Function(library, name))

    with open(path, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            first = line[0]
            if first.isdigit() or first in "+-*":
                cost = int(line.split()[1])
                # A call that was under way when counting began is told with less than nothing.
                if cost >= 1 << 63:
                    cost = 0
                if calls is None:
                    current.cost += cost
                    continue
                if callee is not current:
                    for edge in (current.callees[callee], callee.callers[current]):
                        edge[0] += calls
                        edge[1] += cost
                calls = None
            elif first in "ofc":
                match = header.match(line.rstrip("\n"))
                if match:
                    is_callee, kind, number, given = match.groups()
                    if given:
                        names[kind][number] = given
                    name = names[kind][number]
                    if kind == "ob":
                        if is_callee:
                            called_library = pathlib.PurePath(name).name
                        else:
                            library = pathlib.PurePath(name).name
                            called_library = library
                    elif is_callee:
                        callee = function(called_library, name)
                        called_library = library
                    else:
                        current = function(library, name)
                elif line.startswith("calls="):
                    calls = int(line[6:].split()[0])
    return list(functions.values())


def demangle(names):
    """`names` with Swift's mangling undone, as a dictionary."""
    swift = shutil.which("swift")
    mangled = sorted(name for name in names if name.startswith(("$s", "$S", "_$s")))
    if swift is None or not mangled:
        return {}
    text = "\n".join(mangled)
    done = subprocess.run([swift, "demangle", "--compact"], input=text, stdout=subprocess.PIPE, text=True, check=True)
    return dict(zip(mangled, done.stdout.splitlines(), strict=True))


def is_crypto(function):
    return function.library.startswith("libcrypto")


class Attribution:
    """Which share of each function belongs to which region of the program.

    A region begins with its head functions and goes down to the heads of other regions. What several regions call
    belongs to each as much as the costs of their calls say; so the regions add up to the whole. Everything below
    libcrypto's functions is a region of its own.
    """

    def __init__(self, functions, region_of):
        self.functions = functions
        self.heads = {}
        for function in functions:
            region = CRYPTO if is_crypto(function) else region_of(function)
            if region is not None:
                self.heads[function] = region
        self._others = [function for function in self._callers_first() if function not in self.heads]
        self.shares = self._spread(frozenset())
        self._shares_of_calls = self._spread(FORWARDING)

    def _spread(self, counted):
        """The share that each region has of each function: by the costs of calls, or by their number for `counted`."""
        shares = {function: {region: 1.0} for function, region in self.heads.items()}
        weights = {}
        for function in self._others:
            weighed_by = 0 if function.name in counted else 1
            edges = [(caller, edge[weighed_by]) for caller, edge in function.callers.items() if edge[weighed_by] > 0]
            unknown = 0
            if weighed_by == 1:
                # What was on the stack already when counting began has no caller.
                whole = function.cost + sum(edge[1] for edge in function.callees.values())
                unknown = max(0, whole - sum(weight for _, weight in edges))
            total = unknown + sum(weight for _, weight in edges)
            if total == 0:
                edges, unknown, total = [], 1, 1
            weights[function] = [(caller, weight / total) for caller, weight in edges], unknown / total
            shares[function] = {REST: 1.0}
        for _ in range(100):
            change = 0.0
            for function in self._others:
                edges, unknown = weights[function]
                share = collections.defaultdict(float)
                if unknown:
                    share[REST] += unknown
                for caller, weight in edges:
                    for region, part in shares[caller].items():
                        share[region] += weight * part
                old = shares[function]
                change = max(change, max(abs(part - old.get(region, 0)) for region, part in share.items()))
                shares[function] = {region: part for region, part in share.items() if part > 1e-7}
            if change < 1e-6:
                break
        return shares

    def _callers_first(self):
        """All functions, callers before callees as far as there are no cycles."""
        order, seen = [], set()
        for root in self.functions:
            if root in seen:
                continue
            seen.add(root)
            stack = [(root, iter(root.callees))]
            while stack:
                function, rest = stack[-1]
                for callee in rest:
                    if callee not in seen:
                        seen.add(callee)
                        stack.append((callee, iter(callee.callees)))
                        break
                else:
                    order.append(function)
                    stack.pop()
        order.reverse()
        return order

    def instructions(self):
        """Instructions by region."""
        sums = collections.defaultdict(float)
        for function in self.functions:
            for region, share in self.shares[function].items():
                sums[region] += function.cost * share
        return sums

    def calls(self, is_counted):
        """Calls by region of functions for which `is_counted`, but for those that one of these makes."""
        counted = {function for function in self.functions if is_counted(function)}
        sums = collections.defaultdict(float)
        for function in counted:
            for caller, edge in function.callers.items():
                if caller in counted:
                    continue
                for region, share in self._shares_of_calls[caller].items():
                    sums[region] += edge[0] * share
        return sums

    def own(self, function):
        """The function's own instructions, without those that it spends for libcrypto."""
        return function.cost * (1 - self.shares[function].get(CRYPTO, 0))


def inclusive(functions):
    """Instructions of each function and of all it calls, libcrypto left out."""
    full = {f: f.cost + sum(edge[1] for edge in f.callees.values()) for f in functions}
    kept = {f: 0.0 if is_crypto(f) else float(full[f]) for f in functions}
    for _ in range(200):
        change = 0.0
        for function in functions:
            if is_crypto(function):
                continue
            new = function.cost + sum(
                edge[1] * kept[callee] / full[callee] for callee, edge in function.callees.items() if full[callee]
            )
            change = max(change, abs(new - kept[function]))
            kept[function] = new
        if change < 1:
            break
    return kept
