using System.Diagnostics;
using System.Globalization;
using Hosting.HostAgent.Cgroups;

namespace Hosting.Benchmarks.Interference;

/// <summary>The primary from outside: a process in a control group of its own with the default weight, as a service of the system is.</summary>
internal sealed class Primary : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly Process _process;
    private readonly IReadOnlyList<Cgroup> _groups;

    private Primary(Process process, string group, IReadOnlyList<Cgroup> groups) => (_process, Group, _groups) = (process, group, groups);

    /// <summary>Name of its control group.</summary>
    public string Group { get; }

    /// <summary>Its process.</summary>
    public int Id => _process.Id;

    public static async Task<Primary> Start(bool pinned, CancellationToken cancellation)
    {
        var name = $"hosting-bench-{Environment.ProcessId}.primary";
        var groups = CgroupMount.OfMachine().Where(mount => mount.IsV2 || mount.Controllers.Overlaps(["cpu", "cpuacct", "memory"]))
            .Select(mount => new Cgroup(mount, name)).ToList();
        groups.ForEach(group => group.Create());
        var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, Words(pinned)) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        var primary = new Primary(process, name, groups);
        try
        {
            foreach (var group in groups)
                await File.WriteAllTextAsync(Path.Combine(group.Path, "cgroup.procs"), process.Id.ToString(CultureInfo.InvariantCulture), cancellation);
            if (await process.StandardOutput.ReadLineAsync(cancellation).AsTask().WaitAsync(Patience, cancellation) != "ready")
                throw new PreconditionException("the primary did not start.");
            return primary;
        }
        catch
        {
            primary.Dispose();
            throw;
        }
    }

    /// <summary>One window of load.</summary>
    public async Task<Window> Serve(WindowOrder order, CancellationToken cancellation) => Window.Parse(await Ask(order.Text(), cancellation));

    /// <summary>It takes memory, and has taken it when this completes.</summary>
    public Task Hold(int mebibytes, CancellationToken cancellation) => Ask(string.Create(CultureInfo.InvariantCulture, $"{PrimaryProgram.HoldWord}{mebibytes}"), cancellation);

    private async Task<string> Ask(string line, CancellationToken cancellation)
    {
        await _process.StandardInput.WriteLineAsync(line.AsMemory(), cancellation);
        await _process.StandardInput.FlushAsync(cancellation);
        return await _process.StandardOutput.ReadLineAsync(cancellation).AsTask().WaitAsync(Patience, cancellation)
            ?? throw new PreconditionException("the primary ended.");
    }

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        foreach (var group in _groups)
            group.TryRemove();
    }

    /// <summary>This program, started in whichever way it was.</summary>
    private static string[] Words(bool pinned)
    {
        string[] words = pinned ? [PrimaryProgram.Word, PrimaryProgram.PinnedWord] : [PrimaryProgram.Word];
        return Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet"
            ? [Path.Combine(AppContext.BaseDirectory, "Hosting.Benchmarks.dll"), .. words]
            : words;
    }
}
