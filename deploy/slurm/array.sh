#!/bin/bash
#SBATCH --job-name=seedspan
#SBATCH --array=0-15
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=8
#SBATCH --mem-per-cpu=512M
#SBATCH --time=04:00:00
#SBATCH --signal=B:TERM@180
#SBATCH --requeue
#SBATCH --output=seedspan-%A_%a.log
#
# A worker in each task of an array, and the driver in the first beside its worker. From a shared file system:
#
#   export SEEDSPAN_QUEUE=redis://login-node:6379
#   export SEEDSPAN_QUEUE_PASSWORD_FILE=$HOME/.seedspan-password   # chmod 600
#   sbatch deploy/slurm/array.sh images/ --out scores.zarr --size 32 --sde ve:5
#
# What follows the script's name goes to `seedspan precompute`. Submitted again, it goes on where it ended.
set -euo pipefail

: "${SEEDSPAN_QUEUE:?the address of the Redis that all nodes reach}"
if [ "$#" -eq 0 ]; then
  echo "usage: sbatch $0 INPUTS... --out NAME.zarr [options of seedspan precompute]" >&2
  exit 2
fi
command=${SEEDSPAN_COMMAND:-seedspan}

children=()
# Three minutes before the time is up: shards are finished or given back, and the driver ends.
trap 'kill -TERM "${children[@]}" 2>/dev/null || true' TERM INT

if [ "${SLURM_ARRAY_TASK_ID:-0}" -eq 0 ]; then
  "$command" precompute "$@" --queue &
  driver=$!
  children+=("$driver")
fi
# Seeds are chosen before the first shard: the workers wait for it.
"$command" worker --workers "${SLURM_CPUS_PER_TASK:-auto}" --grace 120 --until-idle "${SEEDSPAN_IDLE:-900}" &
worker=$!
children+=("$worker")

# A signal ends `wait` early; who is waited for is asked again, until it has ended.
ended() {
  local status=0
  while :; do
    status=0
    wait "$1" || status=$?
    kill -0 "$1" 2>/dev/null || return "$status"
  done
}

status=0
if [ -n "${driver:-}" ]; then
  ended "$driver" || status=$?
  # Nothing is left to do, or nobody to say what: the others end when they are idle.
  kill -TERM "$worker" 2>/dev/null || true
fi
ended "$worker" || [ -n "${driver:-}" ] || status=$?
exit "$status"
