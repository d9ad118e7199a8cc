# shellcheck shell=bash
# What the machine must have. Debian and Ubuntu as root: apt brings what is missing; elsewhere we say what to install.

# command=package, for what is asked of the machine. postgres has no command on the path: see postgres_bin.
SYSTEM_NEEDS=(dockerd=docker.io iptables=iptables busybox=busybox-static ip=iproute2 ss=iproute2 nsenter=util-linux
  unshare=util-linux setpriv=util-linux flock=util-linux ps=procps curl=curl)

# What real VMs need besides: only asked for where they are.
SYSTEM_VM_NEEDS=(qemu-system-x86_64=qemu-system-x86 mksquashfs=squashfs-tools mke2fs=e2fsprogs)

system_check() {
  local -a missing
  mapfile -t missing < <({ system_missing "${SYSTEM_NEEDS[@]}"; postgres_bin >/dev/null || printf 'postgresql\n'; } | sort -u)
  system_have "${missing[@]}"
  system_check_dotnet
}

# For VMs of the driver qemu, and their image.
system_check_vm() {
  local -a missing
  mapfile -t missing < <(system_missing "${SYSTEM_VM_NEEDS[@]}")
  system_have "${missing[@]}"
}

# system_have PACKAGE...: installs those that are missing.
system_have() {
  [[ $(uname -s) == Linux ]] || die 2 "This needs Linux; it was tried on Debian 12."
  if (($#)); then
    if ((EUID != 0)); then
      die 2 "Run this as root: it starts container engines in namespaces of their own." \
        "Also missing here, as packages of Debian: $*"
    fi
    if ! command -v apt-get >/dev/null; then
      die 2 "Missing, as packages of Debian: $*" "Install what your system calls them, then call this again."
    fi
    system_install "$@"
  fi
  ((EUID == 0)) || die 2 "Run this as root: it starts container engines in namespaces of their own."
}

# system_missing COMMAND=PACKAGE...: the packages to install, one a line.
system_missing() {
  local need
  {
    for need in "$@"; do
      command -v "${need%%=*}" >/dev/null || printf '%s\n' "${need#*=}"
    done
    busybox_static >/dev/null || printf 'busybox-static\n'
  } | sort -u
}

# The path of a busybox that needs no libraries.
busybox_static() {
  local path
  path=$(command -v busybox) || return 1
  [[ $(LC_ALL=C ldd "$path" 2>&1 || true) != *"=>"* ]] || return 1
  printf '%s' "$path"
}

# Installs packages without starting the services they bring: only their programs are wanted.
system_install() {
  local policy=/usr/sbin/policy-rc.d installed=0
  detail "installing $*"
  if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
    # shellcheck disable=SC2064
    trap "rm -f $policy" EXIT
  fi
  system_no_main_cluster
  export DEBIAN_FRONTEND=noninteractive
  apt-get -o DPkg::Lock::Timeout=300 update -q || true # with old lists the install may still work, and says so if not
  apt-get -o DPkg::Lock::Timeout=300 install -y -q --no-install-recommends "$@" || installed=$?
  ((installed == 0)) || die 2 "apt could not install: $*" "Install them by hand, then call this again."
}

# The package would make and start a database cluster of the system; ours is a private one.
system_no_main_cluster() {
  local file=/etc/postgresql-common/createcluster.conf
  [[ -e $file ]] && return
  mkdir -p "${file%/*}"
  printf 'create_main_cluster = false\n' >"$file"
}

system_check_dotnet() {
  if ! command -v dotnet >/dev/null; then
    die 2 "The .NET 10 SDK is missing." "Install it, https://dotnet.microsoft.com/download/dotnet/10.0, so that 'dotnet' is on the PATH."
  fi
}
