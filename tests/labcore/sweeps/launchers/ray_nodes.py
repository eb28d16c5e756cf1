"""A cluster of Ray in a process of its own: the head and others, each with room for one trial.

It prints the cluster's address and the process of each other node's raylet. For each line that it
reads, the name of a node, it takes that away with everything that runs there. When its input ends
it takes the cluster away.
"""

import logging
import os
import sys

import psutil


def main():
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    from ray.cluster_utils import Cluster

    logging.getLogger("ray").setLevel(logging.ERROR)
    memory = 80 * 2**20
    room = {"num_cpus": 1, "object_store_memory": memory}
    cluster = Cluster(initialize_head=True, head_node_args={**room, "include_dashboard": False})
    nodes = {name: cluster.add_node(**room) for name in sys.argv[1:]}
    print(cluster.address, *(raylet_of(node) for node in nodes.values()), file=out, flush=True)
    for line in sys.stdin:
        take_away(cluster, nodes.pop(line.strip()))
        print("gone", file=out, flush=True)
    cluster.shutdown()


def raylet_of(node):
    return node.all_processes["raylet"][0].process.pid


def take_away(cluster, node):
    """As when the power fails: nothing on the node gets a chance to say anything."""
    root = psutil.Process(raylet_of(node))
    for process in [root, *root.children(recursive=True)]:
        process.kill()
    cluster.remove_node(node, allow_graceful=False)


if __name__ == "__main__":
    main()
