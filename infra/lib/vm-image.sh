# shellcheck shell=bash
# Building the image of a VM from packages of Debian: kernel, initramfs and a read-only base. Needs stack.sh, ui.sh, system.sh.

VM_SOURCES=$REPO/infra/vm
VM_FREE_MIB=900 # what a build takes beside what is there

# vm_image DIRECTORY: makes the image in it unless it is there already, made from the same packages and files. Whoever reads it
# never sees half of one: it is built beside and renamed.
vm_image() {
  local directory=$1 manifest build
  mkdir -p "$(dirname "$directory")" || die 1 "$(dirname "$directory") cannot be made."
  exec 7>>"$directory.lock"
  flock 7
  build=$(mktemp -d "$directory.build-XXXXXX")
  # shellcheck disable=SC2064
  trap "rm -rf '$build'" EXIT
  [[ -e $directory/manifest ]] || vm_check_room "$build"
  vm_resolve "$build"
  manifest=$(vm_manifest "$build")
  if [[ -e $directory/manifest && $(sed '/^# made:/,$d' "$directory/manifest") == "$manifest" ]]; then
    detail "nothing changed"
    return
  fi
  vm_check_room "$build"
  vm_download "$build"
  vm_unpack "$build"
  vm_kernel "$build"
  vm_initramfs "$build"
  vm_base "$build"
  { printf '%s\n# made:\n' "$manifest" && cd "$build/image" && sha256sum kernel initramfs base; } >"$build/manifest"
  mv "$build/manifest" "$build/image/manifest"
  vm_replace "$build/image" "$directory"
  detail "$(du -sm "$directory" | cut -f1) MiB"
}

# apt as if nothing were installed here, so that the same lists give the same packages on every machine.
vm_apt() {
  local build=$1
  shift
  mkdir -p "$build/apt/archives/partial"
  : >"$build/apt/status"
  apt-get -q -o "Dir::State::status=$build/apt/status" -o "Dir::Cache::archives=$build/apt/archives" -o Dir::Cache::pkgcache= \
    -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root -o APT::Install-Recommends=false -o DPkg::Lock::Timeout=300 "$@"
}

vm_words() { sed 's/#.*//' "$1" | tr -s ' \n' '\n' | sed '/^$/d'; }

# The packages with their versions and digests, one a line: name_version_architecture.deb digest.
vm_resolve() {
  local -a wanted
  command -v apt-get >/dev/null || die 2 "A VM's image is made of packages of Debian, and there is no apt-get." \
    "Build it on a machine with Debian 12 (./infra/vm-image DIRECTORY) and copy the directory."
  mapfile -t wanted < <(vm_words "$VM_SOURCES/packages")
  detail "asking apt"
  vm_uris "$1" "${wanted[@]}" || { apt-get -q -o DPkg::Lock::Timeout=300 update && vm_uris "$1" "${wanted[@]}"; } ||
    die 1 "apt does not know all packages of a VM: ${wanted[*]}" "Is a mirror of Debian in /etc/apt? 'apt-get update' and 'apt-cache policy linux-image-cloud-amd64' tell."
  LC_ALL=C sort -o "$1/packages" "$1/packages"
}

vm_uris() {
  local build=$1
  shift
  vm_apt "$build" install -y --print-uris "$@" >"$build/uris" || return
  awk 'NR == FNR { skip[$1]; next } /^\x27/ { split($2, part, "_"); if (!(part[1] in skip)) print $2, $4 }' \
    <(vm_words "$VM_SOURCES/left-out") "$build/uris" >"$build/packages"
  [[ -s $build/packages ]]
}

# Everything that the image's bytes follow from.
vm_manifest() {
  printf '# inputs:\n'
  cat "$1/packages"
  printf 'mksquashfs %s\n' "$(mksquashfs -version | awk 'NR == 1 { print $3 }')"
  printf 'busybox %s\n' "$(busybox_static | xargs sha256sum | cut -c1-16)"
  (cd "$REPO" && LC_ALL=C find infra/vm infra/lib/vm-image.sh -type f -exec sha256sum {} + | LC_ALL=C sort -k2)
}

vm_check_room() {
  local free
  free=$(df -Pm "$1" | awk 'NR == 2 { print $4 }')
  ((free >= VM_FREE_MIB)) || die 1 "A VM's image needs $VM_FREE_MIB MiB to be built, and $(dirname "$1") has $free." "Free some, or name another directory."
}

vm_download() {
  local package rest file
  local -a wanted
  detail "downloading"
  mapfile -t wanted < <(vm_words "$VM_SOURCES/packages")
  vm_apt "$1" install -y --download-only "${wanted[@]}" || die 1 "apt could not download the packages of a VM." "Above is what it said."
  while read -r package rest; do
    file=$1/apt/archives/$package
    [[ -e $file ]] || die 1 "apt did not bring $package." "Its lists changed meanwhile: call this again."
  done <"$1/packages"
}

# Unpacked without any of their scripts: nothing of it is run here.
vm_unpack() {
  local package rest
  detail "unpacking"
  mkdir -p "$1/root/usr/bin" "$1/root/usr/sbin" "$1/root/usr/lib" "$1/root/usr/lib64"
  for package in bin sbin lib lib64; do ln -s "usr/$package" "$1/root/$package"; done
  while read -r package rest; do
    dpkg-deb --fsys-tarfile "$1/apt/archives/$package" | tar -x --keep-directory-symlink -C "$1/root" ||
      die 1 "$package could not be unpacked." "Is the disk full? df $1"
  done <"$1/packages"
  rm -rf "$1/apt/archives"
  vm_slim "$1/root"
}

# What packages bring and a VM never uses.
vm_slim() {
  (cd "$1/usr" && rm -rf share/{doc,man,locale,info,lintian,bash-completion,zsh,fish,bug,initramfs-tools} lib/{systemd,udev} lib/x86_64-linux-gnu/gconv \
    bin/{docker,ctr,dnet,containerd-shim,containerd-shim-runc-v1} sbin/{ovrouter,docker-proxy} \
    lib/modules/*/kernel/{sound,arch/x86/kvm,drivers/{gpu,infiniband,scsi,usb,hid,input,media,ata,nvme,mmc,hv,xen,video,net/ethernet,target}} \
    lib/modules/*/kernel/fs/{xfs,btrfs,ocfs2,nfs,nfsd,smb,cifs,ceph,gfs2,f2fs,jfs,reiserfs})
}

vm_kernel() {
  mkdir -p "$1/image"
  mv "$1"/root/boot/vmlinuz-* "$1/image/kernel"
  rm -rf "$1"/root/boot/*
  local version
  version=$(basename "$1"/root/usr/lib/modules/*)
  busybox depmod -b "$1/root" "$version"
}

# The modules by which the base is found, with those they need.
vm_initramfs() {
  local top=$1/initramfs modules module file
  modules=$(basename "$1"/root/usr/lib/modules/*)
  mkdir -p "$top/bin" "$top/lib/modules/$modules"
  cp "$(busybox_static)" "$top/bin/busybox"
  cp "$VM_SOURCES/init" "$top/init"
  for module in virtio_mmio virtio_blk squashfs overlay; do
    sed -n "s#^\\(.*/$module\\.ko\\):#\\1 #p" "$1/root/usr/lib/modules/$modules/modules.dep" | tr -s ' ' '\n' | while read -r file; do
      mkdir -p "$top/lib/modules/$modules/$(dirname "$file")"
      cp "$1/root/usr/lib/modules/$modules/$file" "$top/lib/modules/$modules/$file"
    done
  done
  busybox depmod -b "$top" "$modules"
  vm_date "$top"
  (cd "$top" && find . | LC_ALL=C sort | busybox cpio -o -H newc -R 0:0 --renumber-inodes --ignore-devno 2>/dev/null | gzip -9n) >"$1/image/initramfs"
}

vm_base() {
  local root=$1/root name
  detail "packing"
  cp -R "$VM_SOURCES/root/." "$root/"
  for name in $(busybox --list); do [[ -e $root/usr/bin/$name || -e $root/usr/sbin/$name ]] || ln -s busybox "$root/usr/bin/$name"; done
  for name in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do ln -sf xtables-nft-multi "$root/usr/sbin/$name"; done
  ln -sf ../bin/busybox "$root/usr/sbin/init"
  mkdir -p "$root"/{dev,proc,sys,run,tmp,root,etc/ssl/certs,etc/docker,var/lib/docker}
  rm -rf "$root/var/run" && ln -s ../run "$root/var/run"
  (cd "$root/usr/share/ca-certificates" && find . -name '*.crt' | LC_ALL=C sort | xargs cat) >"$root/etc/ssl/certs/ca-certificates.crt"
  printf 'root:x:0:0:root:/root:/bin/sh\n' >"$root/etc/passwd"
  printf 'root:x:0:\n' >"$root/etc/group"
  vm_date "$root"
  mksquashfs "$root" "$1/image/base" -noappend -no-progress -quiet -all-root -mkfs-time 0 -all-time 0 -noI -noD -noF -noX -no-xattrs >"$1/packed" 2>&1 ||
    die 1 "The base of the VMs could not be packed: $(grep -m 1 -iE 'error|space|fail' "$1/packed")" "Is the disk full? df $1"
}

# The same bytes whenever it is built.
vm_date() { find "$1" -exec touch -h -d @0 {} +; chmod -R go-w "$1"; }

vm_replace() {
  chmod 755 "$1"
  rm -rf "$2.old"
  [[ ! -e $2 ]] || mv "$2" "$2.old"
  mv "$1" "$2"
  rm -rf "$2.old"
}
