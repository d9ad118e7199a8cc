using System.Globalization;
using System.Text.Json.Nodes;
using Hosting.HostAgent.Cgroups;
using Hosting.HostAgent.Vms;

namespace Hosting.Benchmarks.Reaction;

/// <summary>A nested VM of a pool on this machine, from outside: its engine, its processes, and its server's control groups.</summary>
internal sealed class LocalVm(string directory) : IDisposable
{
    public EngineApi Engine { get; } = new(Path.Combine(directory, "engine.sock"));

    /// <summary>Its address on this machine.</summary>
    public string Address => new VmNetwork("", "", (int)Record["Subnet"]!, null).Address;

    private JsonNode Record => JsonNode.Parse(File.ReadAllBytes(Path.Combine(directory, "vm.json")))!;

    private int EngineProcess => int.Parse(File.ReadAllText(Path.Combine(directory, "engine.pid")), CultureInfo.InvariantCulture);

    private string Name => Path.GetFileName(directory);

    /// <summary>kill -9 of its engine.</summary>
    public Task KillEngine() => Kill(EngineProcess);

    /// <summary>Everything in it ends at once, as a machine that loses its power.</summary>
    public Task PowerOff() => Kill((int)Record["Init"]!["Id"]!);

    /// <summary>kill -9 of a container's first process, by the container's name or id.</summary>
    public async Task KillContainer(string container)
    {
        var id = (string)(await Engine.Get($"containers/{container}/json"))["Id"]!;
        var group = Existing($"{ServerGroup}/idle/{Name}/{id}").First();
        var first = File.ReadLines(Path.Combine(group, "cgroup.procs")).Select(int.Parse).First(IsFirst);
        await Kill(first);
    }

    /// <summary>Control groups of its server's primary, in every hierarchy.</summary>
    public IReadOnlyList<string> PrimaryGroups => [.. Existing($"{ServerGroup}/primary")];

    public void Dispose() => Engine.Dispose();

    private string ServerGroup => File.ReadLines($"/proc/{EngineProcess}/cgroup")
        .Select(line => line.Split(':', 3)[2]).First(path => path.Contains("/engines/", StringComparison.Ordinal)).Split("/engines/")[0].Trim('/');

    private static IEnumerable<string> Existing(string group) =>
        CgroupMount.OfMachine().Select(mount => Path.Combine(mount.Path, group)).Where(Directory.Exists);

    /// <summary>Whether it is number 1 of the innermost namespace it is in.</summary>
    private static bool IsFirst(int process) => File.ReadLines($"/proc/{process}/status")
        .Any(line => line.StartsWith("NSpid:", StringComparison.Ordinal) && line.EndsWith("\t1", StringComparison.Ordinal));

    private static async Task Kill(int id)
    {
        var process = HostProcess.Find(id) ?? throw new PreconditionException($"process {id} has ended by itself.");
        process.Kill();
        await process.WaitForExitAsync(CancellationToken.None);
    }
}
