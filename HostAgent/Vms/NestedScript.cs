namespace Hosting.HostAgent.Vms;

/// <summary>
/// How a nested VM's engine is started. It gets a session of its own, so that it outlives the agent; it enters its control
/// groups before anything else; and the shell that stays its namespace's first process reaps orphans and takes everything
/// with it when the engine ends.
/// </summary>
internal static class NestedScript
{
    private const int MaxFiles = 65_536;

    /// <summary>Environment: VM_LOG, VM_GROUPS (directories, separated by spaces), VM_NETNS, VM_INNER; arguments go to the inner script.</summary>
    public const string Outer =
        """
        exec </dev/null >>"$VM_LOG" 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
        for group in $VM_GROUPS; do echo 0 > "$group/cgroup.procs" || exit 1; done
        exec nsenter --net="$VM_NETNS" unshare --mount --uts --ipc --pid --fork --kill-child --mount-proc sh -c "$VM_INNER" hosting-vm "$@"
        """;

    /// <summary>
    /// Environment: VM_DIRECTORY; arguments: the engine and its flags. /run is the VM's own, so the engine finds nothing of the
    /// host's there; /run/vm is a short way to the VM's directory, as a socket's path may not be long. The host's resolver file
    /// may point to a resolver on the host's loopback, hence a copy.
    /// </summary>
    public const string Inner =
        """
        set -e
        resolver=$(readlink -m /etc/resolv.conf)
        mount -t tmpfs -o mode=755 tmpfs /run
        ln -s "$VM_DIRECTORY" /run/vm
        mkdir -p "${resolver%/*}"
        [ -e "$resolver" ] || : > "$resolver"
        mount --bind "$VM_DIRECTORY/resolv.conf" "$resolver"
        "$@" &
        wait $!
        """;

    /// <summary>Open files of a container, unless the agent itself may have fewer: more than that it can give nobody.</summary>
    private static int MostFiles()
    {
        var line = File.ReadLines("/proc/self/limits").First(line => line.StartsWith("Max open files", StringComparison.Ordinal));
        return int.TryParse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[4], out var hard) ? Math.Min(hard, MaxFiles) : MaxFiles;
    }

    /// <summary>The engine's command line.</summary>
    public static IReadOnlyList<string> Engine(string vmDirectory, string containersParent) =>
    [
        "dockerd",
        "--host=unix:///run/vm/engine.sock",
        $"--data-root={vmDirectory}/data",
        "--exec-root=/run/docker",
        "--pidfile=/run/docker.pid",
        "--bip=172.30.0.1/20",
        "--userland-proxy=false",
        "--icc=false",
        $"--default-ulimit=nofile={MostFiles()}",
        $"--cgroup-parent={containersParent}",
        "--exec-opt=native.cgroupdriver=cgroupfs",
        "--storage-driver=overlay2",
        "--log-driver=json-file",
        "--log-opt=max-size=10m",
        "--log-opt=max-file=2",
        "--log-level=warn",
    ];
}
