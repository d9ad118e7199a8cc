using System.Text.Json;
using Hosting.HostAgent.Files;

namespace Hosting.HostAgent.Vms;

/// <summary>
/// Gives every nested VM of the machine a subnet of its own, over agents and stacks that do not know each other: one file a
/// subnet, changed under a lock, and free again when its VM and its agent are both gone.
/// </summary>
internal sealed class SubnetClaims(string directory)
{
    /// <summary>Where the agents of a machine meet.</summary>
    public const string MachineDirectory = "/run/hosting";

    /// <summary>Blocks of four addresses in 10.222.0.0/16.</summary>
    private const int Subnets = 16_384;
    private static readonly TimeSpan LockWait = TimeSpan.FromSeconds(10);

    private string Files => Path.Combine(directory, "subnets");

    private string LockFile => Path.Combine(directory, "lock");

    /// <summary>Who has a subnet.</summary>
    /// <param name="Owner">Name of the VM on the machine, which is that of its network namespace.</param>
    /// <param name="Veth">The host's end of its cable.</param>
    /// <param name="Holders">Processes of which one alive keeps it: the VM's engine, its agent.</param>
    internal sealed record Claim(string Owner, string Veth, IReadOnlyList<HostProcess> Holders);

    /// <summary>The owner's subnet: the one it has, or the first that is free. Cleans up after a dead owner with the callback.</summary>
    public async Task<int> TakeAsync(Claim claim, Func<Claim, Task> cleanUp, CancellationToken cancellation)
    {
        using var _ = await LockAsync(cancellation);
        var index = Find(claim.Owner) ?? -1;
        for (var i = 0; index < 0 && i < Subnets; i++)
        {
            var other = Read(i);
            if (other is not null && other.Holders.Any(holder => holder.IsAlive))
                continue;
            if (other is not null)
                await cleanUp(other);
            index = i;
        }

        if (index < 0)
            throw new VmException("Every subnet of 10.222.0.0/16 is taken by a VM of this machine.");
        Write(index, claim);
        return index;
    }

    /// <summary>Sets who keeps the owner's subnet.</summary>
    public async Task HoldAsync(Claim claim, CancellationToken cancellation)
    {
        using var _ = await LockAsync(cancellation);
        if (Find(claim.Owner) is { } index)
            Write(index, claim);
    }

    /// <summary>Gives the owner's subnet back.</summary>
    public async Task ReleaseAsync(string owner, CancellationToken cancellation)
    {
        using var _ = await LockAsync(cancellation);
        if (Find(owner) is { } index)
            File.Delete(FileOf(index));
    }

    /// <summary>Removes the place where the agents of the machine meet, once none has a subnet; who comes next makes it anew.</summary>
    public async Task RemoveUnusedAsync(CancellationToken cancellation)
    {
        if (!Directory.Exists(directory))
            return;
        using var _ = await LockAsync(cancellation);
        if (Directory.EnumerateFileSystemEntries(Files).Any())
            return;
        Directory.Delete(Files);
        File.Delete(LockFile);
        try
        {
            Directory.Delete(directory);
        }
        catch (IOException)
        {
            // It holds more than subnets, or another came to it meanwhile, or left it.
        }
    }

    private async Task<DirectoryLock> LockAsync(CancellationToken cancellation)
    {
        var taken = await DirectoryLock.TakeAsync(LockFile, LockWait, cancellation)
            ?? throw new VmException($"{LockFile} is held by another agent for more than {LockWait.TotalSeconds:0} s.");
        Directory.CreateDirectory(Files);
        return taken;
    }

    private int? Find(string owner)
    {
        foreach (var file in Directory.EnumerateFiles(Files))
        {
            if (int.TryParse(Path.GetFileName(file), out var index) && Read(index)?.Owner == owner)
                return index;
        }

        return null;
    }

    private Claim? Read(int index)
    {
        try
        {
            return JsonSerializer.Deserialize<Claim>(File.ReadAllBytes(FileOf(index)));
        }
        catch (Exception error) when (error is FileNotFoundException or JsonException)
        {
            return null;
        }
    }

    private void Write(int index, Claim claim) => AtomicFile.Write(FileOf(index), JsonSerializer.SerializeToUtf8Bytes(claim), durable: false);

    private string FileOf(int index) => Path.Combine(Files, index.ToString(System.Globalization.CultureInfo.InvariantCulture));
}
