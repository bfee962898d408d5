#!/usr/bin/env bash
# mpi-hosts.sh up N | down | on I COMMAND… | agent HOST COMMAND…: "hosts" that are network namespaces with host names of
# their own, joined by a bridge in yet another one: nothing changes outside. Needs root. `agent` is what mpirun starts
# in place of ssh.
set -euo pipefail
prefix=fxhost
inside() { # NAMESPACE COMMAND…
  local name=$1
  shift
  exec ip netns exec "$name" unshare --uts /bin/sh -c 'hostname "$0"; exec "$@"' "$name" "$@"
}
case ${1:-} in
  up)
    ip netns add ${prefix}sw
    ip -n ${prefix}sw link set lo up
    ip -n ${prefix}sw link add br0 type bridge
    ip -n ${prefix}sw link set br0 up
    for i in $(seq 1 "$2"); do
      ip netns add $prefix"$i"
      ip -n $prefix"$i" link set lo up
      ip link add veth0 netns $prefix"$i" type veth peer name p"$i" netns ${prefix}sw
      ip -n ${prefix}sw link set p"$i" master br0 up
      ip -n $prefix"$i" addr add 10.77.0."$i"/24 dev veth0
      ip -n $prefix"$i" link set veth0 up
    done
    # Who may make a network but not a host name cannot have hosts.
    ip netns exec ${prefix}1 unshare --uts hostname ${prefix}1
    ;;
  down)
    for name in $(ip netns list | awk -v p="^$prefix" '$1 ~ p {print $1}'); do ip netns del "$name"; done
    ;;
  on)
    name=$prefix$2
    shift 2
    inside "$name" "$@"
    ;;
  agent)
    host=${2/#10.77.0./$prefix}
    shift 2
    while [[ "${1:-}" == -* ]]; do shift; done
    exec ip netns exec "$host" unshare --uts /bin/sh -c "hostname $host; $*"
    ;;
  *)
    echo "usage: mpi-hosts.sh up N | down | on I COMMAND… | agent HOST COMMAND…" >&2
    exit 2
    ;;
esac
