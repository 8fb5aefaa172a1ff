"""A store behind sentinels, and one that is a cluster."""

import contextlib

import gateways
import stores
from test_store import shared, statuses, store_check
from test_store_failures import wait_down, wait_up
from waiting import until

SLOW = {"requestsPerSecond": 0.01, "burst": 6}
KEY = "gatehouse:{limits}:tenant:crm"


class Sentinel(stores.Store):
    """Watches a server under the name `limits`, and decides alone."""

    def __init__(self, master, password=None):
        self.master = master
        self.protection = f"requirepass {password}\nsentinel auth-pass limits {password}\n" if password else ""
        super().__init__()

    def _start(self, port, options, answering):
        self.folder.joinpath("sentinel.conf").write_text(
            f"port {port}\nbind 127.0.0.1\ndir {self.folder}\n"
            f"sentinel monitor limits 127.0.0.1 {self.master.port} 1\n"
            "sentinel down-after-milliseconds limits 500\nsentinel failover-timeout limits 5000\n" + self.protection
        )
        self.program = [str(self.folder / "sentinel.conf"), "--sentinel"]
        return super()._start(port, options, answering)


def test_the_server_is_where_a_sentinel_says_also_after_it_failed(make_setup, upstream):
    with contextlib.ExitStack() as stack:
        master = stack.enter_context(stores.running())
        replica = stack.enter_context(stores.running("redis", ["--replicaof", "127.0.0.1", master.port]))
        until(lambda: b"master_link_status:up" in replica.call("INFO", "replication"), "no replication")
        sentinel = Sentinel(master)
        stack.callback(sentinel.remove)
        until(
            lambda: len(sentinel.call("SENTINEL", "replicas", "limits")) == 1, "the sentinel finds no replica"
        )
        gone = "redis://127.0.0.1:9"
        setup = shared(
            make_setup(), master, SLOW, url=[gone, sentinel.url()], options={"sentinel": "limits"},
            onStoreFailure="allow",
        )
        with gateways.running(setup) as gateway:
            wait_up(gateway)
            assert statuses(gateway, 2) == [201] * 2
            assert master.call("EXISTS", KEY) == 1
            until(lambda: replica.call("EXISTS", KEY) == 1, "the bucket is not replicated")
            master.kill()
            wait_down(gateway)
            wait_up(gateway)
            # What was used before stays so.
            assert statuses(gateway, 5) == [201] * 4 + [429]
            assert replica.call("ROLE")[0] == b"master"
        setup = shared(
            make_setup("other"), master, SLOW, url=sentinel.url(), options={"sentinel": "others"}
        )
        with gateways.running(setup) as gateway:
            until(lambda: "knows `others`" in store_check(gateway)["detail"], lambda: store_check(gateway))


def test_a_sentinel_that_wants_a_password_gets_the_servers(make_setup, upstream):
    with contextlib.ExitStack() as stack:
        master = stack.enter_context(stores.running("redis", ["--requirepass", "open"]))
        sentinel = Sentinel(master, "open")
        stack.callback(sentinel.remove)
        setup = shared(
            make_setup(), master, SLOW, url=sentinel.url(), options={"sentinel": "limits", "passwordFile": "store.key"},
            onStoreFailure="deny",
        )
        gateways.write_secret(setup.folder / "store.key", "open\n")
        with gateways.running(setup) as gateway:
            wait_up(gateway)
            assert statuses(gateway, 7) == [201] * 6 + [429]
        gateways.write_secret(setup.folder / "store.key", "shut\n")
        with gateways.running(setup) as gateway:
            until(lambda: "WRONGPASS" in store_check(gateway)["detail"], lambda: store_check(gateway))


@contextlib.contextmanager
def cluster(count):
    with contextlib.ExitStack() as stack:
        nodes = [
            stack.enter_context(stores.running("redis", ["--cluster-enabled", "yes"])) for _ in range(count)
        ]
        for number, node in enumerate(nodes):
            first, last = 16384 * number // count, 16384 * (number + 1) // count - 1
            node.call("CLUSTER", "ADDSLOTSRANGE", first, last)
            node.call("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for node in nodes[1:]:
            node.call("CLUSTER", "MEET", "127.0.0.1", nodes[0].port)
        for node in nodes:
            until(lambda: b"cluster_state:ok" in node.call("CLUSTER", "INFO"), "the nodes make no cluster")
            until(
                lambda: node.call("CLUSTER", "INFO").count(f"cluster_known_nodes:{count}".encode()) == 1,
                "the nodes do not know each other",
            )
        yield nodes


def test_the_node_of_a_cluster_is_found_also_when_the_slot_moves(make_setup, upstream):
    with cluster(3) as nodes:
        slot = nodes[0].call("CLUSTER", "KEYSLOT", KEY)
        owner = nodes[slot * 3 // 16384]
        others = [node for node in nodes if node is not owner]
        setup = shared(
            make_setup(), owner, SLOW, url=[node.url() for node in others], options={"cluster": True},
            onStoreFailure="allow",
        )
        with gateways.running(setup) as gateway:
            wait_up(gateway)
            assert statuses(gateway, 7) == [201] * 6 + [429]
            assert owner.call("EXISTS", KEY) == 1
            assert {owner.call("CLUSTER", "KEYSLOT", key) for key in owner.keys()} == {slot}
            owner.call("FLUSHALL")
            heir = others[0].call("CLUSTER", "MYID")
            for node in (others[0], owner, others[1]):
                node.call("CLUSTER", "SETSLOT", slot, "NODE", heir)

            def counted_by_the_heir():
                statuses(gateway, 1)
                return others[0].call("EXISTS", KEY) == 1

            until(counted_by_the_heir, lambda: store_check(gateway))
            wait_up(gateway)
