using Hosting.HostAgent.Files;

namespace Hosting.HostAgent.Vms.Qemu;

/// <summary>A VM as it was right after its boot, with its data disk.</summary>
/// <param name="Directory">Where both are.</param>
internal sealed record SavedState(string Directory)
{
    /// <summary>Its memory and devices.</summary>
    public string State => Path.Combine(Directory, "state");

    /// <summary>Its data disk; copied for each start.</summary>
    public string Data => Path.Combine(Directory, "data.img");
}

/// <summary>The states saved on this server, one for each size of VM.</summary>
internal sealed class SavedStates(string directory)
{
    /// <summary>Name of their folder in the agent's state directory.</summary>
    public const string Folder = "vm-states";

    private static readonly TimeSpan LockWait = TimeSpan.FromMinutes(5);

    /// <summary>The state that fits a machine, saved first when there is none.</summary>
    /// <param name="machine">The machine.</param>
    /// <param name="save">Makes one in the directory it is given, which becomes the state as a whole or not at all.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="VmException">It could not be made.</exception>
    public async Task<SavedState> GetAsync(Machine machine, Func<SavedState, Task> save, CancellationToken cancellation)
    {
        var state = new SavedState(Path.Combine(directory, $"{machine.HostKey}-{machine.Key}"));
        using var alone = await DirectoryLock.TakeAsync(Path.Combine(directory, "lock"), LockWait, cancellation)
            ?? throw new VmException($"another VM is being saved in {directory} for more than {LockWait.TotalMinutes:0} min.");
        if (Directory.Exists(state.Directory))
            return state;
        RemoveUseless(machine.HostKey);
        var half = new SavedState(state.Directory + ".new");
        Directory.CreateDirectory(half.Directory);
        try
        {
            await save(half);
            Directory.Move(half.Directory, state.Directory);
        }
        catch
        {
            Directory.Delete(half.Directory, recursive: true);
            throw;
        }

        return state;
    }

    /// <summary>A state that turned out not to work: the next start saves another.</summary>
    public static void Forget(SavedState state)
    {
        if (Directory.Exists(state.Directory))
            Directory.Delete(state.Directory, recursive: true);
    }

    /// <summary>Those of another image, emulator or processor, and what a crash left half.</summary>
    private void RemoveUseless(string hostKey)
    {
        foreach (var path in Directory.EnumerateDirectories(directory))
        {
            if (!Path.GetFileName(path).StartsWith(hostKey, StringComparison.Ordinal) || path.EndsWith(".new", StringComparison.Ordinal))
                Directory.Delete(path, recursive: true);
        }
    }
}
