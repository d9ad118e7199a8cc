using System.Diagnostics;

namespace Hosting.Benchmarks.Reaction;

/// <summary>A server's primary application that takes all the CPU it can get, until disposed.</summary>
internal sealed class Primary : IDisposable
{
    private const string Script = """for group; do echo 0 > "$group/cgroup.procs" || exit 1; done; while :; do :; done""";

    private readonly Process _process;

    private Primary(Process process) => _process = process;

    public static Primary Busy(LocalVm vm) => new(Process.Start("sh", ["-c", Script, "primary", .. vm.PrimaryGroups]));

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }
}
