using System.Text.Json;
using Hosting.HostAgent.Cgroups;
using Hosting.HostAgent.Configuration;

namespace Hosting.HostAgent.Vms;

/// <summary>What a VM has on the machine, whatever runs it: its directory, control groups, subnet and network.</summary>
internal sealed class VmSlot
{
    private static readonly TimeSpan EndCheckEvery = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan EndDeadline = TimeSpan.FromSeconds(15);
    private readonly AgentSettings _settings;
    private readonly VmSettings _vm;
    private readonly ServerGroups _groups;
    private readonly SubnetClaims _subnets;
    private readonly TimeProvider _time;

    public VmSlot(AgentSettings settings, VmSettings vm, ServerGroups groups, SubnetClaims subnets, TimeProvider time)
    {
        (_settings, _vm, _groups, _subnets, _time) = (settings, vm, groups, subnets, time);
        Directory = Path.Combine(settings.StateDirectory, "vms", vm.Name);
        Name = settings.Names.Vm(vm.Name);
    }

    /// <summary>Name of the VM, unique on the machine.</summary>
    public string Name { get; }

    /// <summary>Where its files are.</summary>
    public string Directory { get; }

    /// <summary>A short way to the VM's directory: a socket's path may have 107 characters.</summary>
    public string Link => Path.Combine(SubnetClaims.MachineDirectory, Name);

    private string Veth => _settings.Names.Veth(_vm.Name);

    private static HostProcess Self => HostProcess.Find(Environment.ProcessId)!;

    /// <summary>Path of a file of the VM.</summary>
    public string FileOf(string name) => Path.Combine(Directory, name);

    /// <summary>What is remembered in one of its files; null when there is none that can be read.</summary>
    public T? Read<T>(string name) where T : class
    {
        try
        {
            return JsonSerializer.Deserialize<T>(File.ReadAllBytes(FileOf(name)));
        }
        catch (Exception error) when (error is IOException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Makes the short way.</summary>
    public void MakeLink()
    {
        File.Delete(Link);
        File.CreateSymbolicLink(Link, Directory);
    }

    /// <summary>Its network on a subnet, whether it is there already or not.</summary>
    public VmNetwork Network(int subnet) => new(Name, Veth, subnet, _settings.AdvertiseAddress);

    /// <summary>The VM's subnet, held by the agent until it is handed to the VM.</summary>
    public Task<int> TakeSubnetAsync(CancellationToken cancellation) => _subnets.TakeAsync(
        Claim([Self]), other => VmNetwork.RemoveAsync(other.Owner, other.Veth, cancellation), cancellation);

    /// <summary>The subnet stays the VM's while one of the agent and this process lives.</summary>
    public Task HoldSubnetAsync(HostProcess process, CancellationToken cancellation) => _subnets.HoldAsync(Claim([Self, process]), cancellation);

    /// <summary>Ends whatever is in the VM's control groups: also what an agent started that died before it could write it down.</summary>
    public async Task EndProcessesAsync(CancellationToken cancellation)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(EndDeadline);
        while (_groups.Processes(_vm.Name) is { Count: > 0 } left)
        {
            foreach (var id in left)
                HostProcess.Find(id)?.Kill();
            if (deadline.IsCancellationRequested)
                throw new VmException($"processes {string.Join(", ", left)} of VM {_vm.Name} do not end.");
            await Task.Delay(EndCheckEvery, _time, cancellation);
        }
    }

    /// <summary>Ends it and removes every trace but its data: network, groups, the given files of its directory.</summary>
    public async Task ClearAsync(IEnumerable<string> files, CancellationToken cancellation)
    {
        await EndProcessesAsync(cancellation);
        await VmNetwork.RemoveAsync(Name, Veth, cancellation);
        await _groups.RemoveVmAsync(_vm.Name, cancellation);
        foreach (var file in files.Select(FileOf).Append(Link))
            Remove(file);
        await _subnets.ReleaseAsync(Name, cancellation);
    }

    private static void Remove(string file)
    {
        try
        {
            File.Delete(file);
        }
        catch (DirectoryNotFoundException)
        {
            // It went with its directory.
        }
    }

    private SubnetClaims.Claim Claim(IReadOnlyList<HostProcess> holders) => new(Name, Veth, holders);
}
