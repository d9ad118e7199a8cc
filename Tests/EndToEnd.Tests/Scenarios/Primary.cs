using System.Diagnostics;
using System.Globalization;

namespace Hosting.EndToEnd.Tests.Scenarios;

/// <summary>
/// The application that owns a server: one process in the control group that its agent measures as the primary's, which computes
/// until it has had its share of the time that passed, and catches up on what it did not get. It ends with the process that started it.
/// </summary>
public sealed class Primary : IAsyncDisposable
{
    private const string Program = """
        millis=$1; shift
        for group in "$@"; do echo $$ >"$group/cgroup.procs" || exit 1; done
        echo ready
        read -r had _ </proc/$$/schedstat
        begun=${EPOCHREALTIME/[.,]/} debt=$((had / 1000))
        until read -r -t 0 _; do # nobody holds the other end any more
          now=${EPOCHREALTIME/[.,]/}
          read -r had _ </proc/$$/schedstat
          behind=$(((now - begun) * millis / 1000 + debt - had / 1000))
          ((behind < 200000)) || debt=$((debt - behind + 200000)) # work that piles up for longer is given up
          if ((behind > 0)); then
            until=$((now + 4000))
            while ((${EPOCHREALTIME/[.,]/} < until)); do :; done
            continue
          fi
          read -r -t 0.004 _
        done
        """;

    private readonly Process _process;
    private bool _ended;

    private Primary(Process process, long begunAt) => (_process, BegunAt) = (process, begunAt);

    /// <summary>Timestamp of its first moment in the server.</summary>
    public long BegunAt { get; }

    /// <summary>Starts one that takes a share of its server, 0 to 1.</summary>
    public static async Task<Primary> Start(Pool pool, string server, double share)
    {
        var millis = (int)(await pool.Server(server))["cpuMillis"]!;
        Assert.True(millis <= 1000, $"{server} has {millis} m CPU; one process cannot take {share:0.00} of that");
        var process = Process.Start(new ProcessStartInfo("bash", ["-c", Program, "primary", ((int)(share * millis)).ToString(CultureInfo.InvariantCulture), .. Groups(pool, server)])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var said = await process.StandardOutput.ReadLineAsync();
        var begunAt = Stopwatch.GetTimestamp();
        Assert.True(said == "ready", $"the primary of {server} could not start: {(said is null ? await process.StandardError.ReadToEndAsync() : said)}");
        return new Primary(process, begunAt);
    }

    /// <summary>Time since it began.</summary>
    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(BegunAt);

    /// <summary>Ends it. Ending it again changes nothing.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_ended)
            return;
        _ended = true;
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    /// <summary>The primary's group in every hierarchy that the server is in, found by a VM of it, which lives in a group beside it.</summary>
    private static List<string> Groups(Pool pool, string server)
    {
        var agent = int.Parse(server.AsSpan(4), CultureInfo.InvariantCulture);
        var engine = File.ReadAllText(Path.Combine(pool.Stack.Home, $"agent-{agent}", "vms", "vm-1", "engine.pid")).Trim();
        var line = File.ReadLines($"/proc/{engine}/cgroup").First(l => l.Contains($"-{server}/engines/", StringComparison.Ordinal));
        var group = line.Split(':', 3)[2].Split("/engines/")[0].TrimStart('/');
        return [.. Directory.GetDirectories("/sys/fs/cgroup").Append("/sys/fs/cgroup")
            .Select(mount => Path.Combine(mount, group, "primary")).Where(Directory.Exists)];
    }
}
