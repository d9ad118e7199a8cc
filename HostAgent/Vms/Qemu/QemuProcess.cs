using System.Diagnostics;
using Hosting.HostAgent.Cgroups;

namespace Hosting.HostAgent.Vms.Qemu;

/// <summary>Starts the emulator of one VM, which outlives the agent.</summary>
internal sealed class QemuProcess(Machine machine, VmSlot slot, VmNetwork network, VmGroups groups)
{
    private const int StateDescriptor = 3;
    private static readonly TimeSpan CheckEvery = TimeSpan.FromMilliseconds(5);

    /// <summary>
    /// Environment: VM_LOG, VM_GROUPS (directories, separated by spaces), VM_NETNS, VM_STATE (may be empty), VM_DATA, VM_BASE. It enters its control
    /// groups before anything else, so that every thread of it is in them, and stays one process from the first word to the emulator.
    /// </summary>
    private const string Script =
        """
        exec </dev/null >>"$VM_LOG" 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
        for group in $VM_GROUPS; do echo 0 > "$group/cgroup.procs" || exit 1; done
        [ -z "$VM_STATE" ] || exec 3<"$VM_STATE"
        exec 4<>"$VM_DATA" 5<"$VM_DATA" 6<"$VM_BASE" || exit 1
        exec nsenter --net="$VM_NETNS" "$@"
        """;

    /// <summary>Path of one of its sockets, short enough for one.</summary>
    public string Socket(string name) => Path.Combine(slot.Link, name);

    /// <summary>Boots it.</summary>
    public HostProcess Boot() => Start([], "");

    /// <summary>Resumes a saved state, with the rights of a user that has none.</summary>
    public HostProcess Resume(SavedState state, int user) => Start(Machine.Confined(user, StateDescriptor), state.State);

    /// <summary>Connects to one of its sockets as soon as it is there.</summary>
    /// <exception cref="VmException">The emulator ended.</exception>
    public async Task<T> ConnectAsync<T>(HostProcess process, Func<string, CancellationToken, Task<T>> connect, string socket, CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                return await connect(Socket(socket), cancellation);
            }
            catch (VmException) when (process.IsAlive)
            {
                await Task.Delay(CheckEvery, cancellation);
            }
            catch (VmException)
            {
                throw new VmException("the emulator ended");
            }
        }
    }

    /// <summary>Lets it run once its state is loaded.</summary>
    public static async Task ContinueAsync(QmpClient qmp, TimeProvider time, CancellationToken cancellation)
    {
        while ((await qmp.ExecuteAsync("query-status", null, cancellation)).GetProperty("status").GetString() == "inmigrate")
            await Task.Delay(CheckEvery, time, cancellation);
        await qmp.ExecuteAsync("cont", null, cancellation);
    }

    private HostProcess Start(IReadOnlyList<string> besides, string state)
    {
        foreach (var name in new[] { "qmp.sock", "control.sock" })
            File.Delete(slot.FileOf(name));
        var start = new ProcessStartInfo("setsid", ["sh", "-c", Script, "hosting-vm", Emulator.Program, .. machine.Arguments(slot.Name, slot.Link), .. besides]) { WorkingDirectory = "/" };
        start.Environment.Clear();
        start.Environment["PATH"] = Commands.SystemPath;
        start.Environment["VM_LOG"] = slot.FileOf("emulator.log");
        start.Environment["VM_GROUPS"] = string.Join(' ', groups.ContainerGroups);
        start.Environment["VM_NETNS"] = network.NamespaceFile;
        start.Environment["VM_STATE"] = state;
        start.Environment["VM_DATA"] = slot.FileOf("data.img");
        start.Environment["VM_BASE"] = machine.Image.Base;
        using var process = Process.Start(start)!;
        return HostProcess.Find(process.Id) ?? throw new VmException("the emulator ended at once");
    }
}
