# shellcheck shell=bash
# Disks of an isolated stack: PostgreSQL and each agent keep their data on a small file system of their own, an image below
# disks/, so that one can be full without the machine's. Needs network.sh, stack.sh.

DISKS=$HOSTING_HOME/disks
DISK_MIB=1024

# disk_ensure FOLDER: mounts the folder's disk; makes it first when there is none.
disk_ensure() {
  local folder=$1 image
  network_isolated || return 0
  mkdir -p "$DISKS" "$folder"
  ! mountpoint -q "$folder" || return 0
  image=$DISKS/$(basename "$folder").img
  if [[ ! -e $image ]]; then
    truncate -s "${DISK_MIB}M" "$image.new"
    mkfs.ext4 -q -m 0 "$image.new"
    mv "$image.new" "$image"
  fi
  mount -o loop "$image" "$folder"
  rm -rf "${folder:?}/lost+found"
}

# disk_of NAME: the folder under which a service's disk is; fails when it has none.
disk_of() {
  local folder=$HOSTING_HOME/$1
  folder=$(readlink -f "$folder") && mountpoint -q "$folder" || return 1
  printf '%s' "$folder"
}
