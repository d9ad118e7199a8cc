using System.Runtime.InteropServices;
using Hosting.HostAgent.Utilization;

namespace Hosting.HostAgent.Configuration;

/// <summary>
/// Reads the configuration again when its file changed, and at SIGHUP. One with errors changes nothing: what held before goes on,
/// and the log says what to correct.
/// </summary>
/// <param name="line">Where the configuration is.</param>
/// <param name="first">As it was read at the start.</param>
/// <param name="machine">What this machine has.</param>
/// <param name="time">The clock.</param>
/// <param name="log">Where it says what became of a change.</param>
internal sealed class SettingsWatch(CommandLine line, IConfiguration first, Capacity machine, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);
    private IConfiguration _held = first;
    private volatile bool _asked;

    /// <summary>Watches until cancelled, and hands over what is to hold from then on.</summary>
    public async Task RunAsync(Action<AgentSettings> take, CancellationToken cancellation)
    {
        using var signal = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Ask);
        for (var (taken, before) = (Stamp(), Stamp()); ;)
        {
            await Task.Delay(LookEvery, time, cancellation);
            var now = Stamp();
            // One that is still being written is let alone until it rests.
            if (_asked || (now != taken && now == before))
            {
                (_asked, taken) = (false, now);
                if (Read() is { } next)
                    take(next);
            }

            before = now;
        }
    }

    /// <summary>What is to hold from now on; null when nothing of it changes, or it cannot be taken.</summary>
    internal AgentSettings? Read()
    {
        IConfiguration next;
        try
        {
            next = line.Configuration();
        }
        catch (Exception error) when (error is IOException or FormatException or InvalidDataException)
        {
            Refuse(error.InnerException?.Message ?? error.Message);
            return null;
        }

        var (settings, errors) = AgentSettingsFactory.Read(next, machine);
        if (settings is null)
        {
            Refuse(string.Join(' ', errors));
            return null;
        }

        var late = SettingsChange.OnlyAtStart(_held, next);
        if (late.Any(key => key.StartsWith("Agent:Share:", StringComparison.OrdinalIgnoreCase)))
        {
            Refuse("Agent:Share takes another start of the agent: restart it, its VMs and containers run on.");
            return null;
        }

        if (late.Count > 0)
            log.LogWarning("{Keys} changed in the configuration: restart the agent for it, its VMs and containers run on", string.Join(", ", late));
        var any = SettingsChange.OfVms(_held, next);
        _held = next;
        if (!any)
            return null;
        log.LogInformation("The configuration changed: VMs {Vms}", settings.Vms.Count == 0 ? "none"
            : string.Join(", ", settings.Vms.Select(vm => $"{vm.Name} ({vm.Capacity.CpuMillis} m CPU, {vm.Capacity.MemoryMiB} MiB)")));
        return settings;
    }

    private void Refuse(string reason) =>
        log.LogError("The changed configuration is not taken, what held before goes on. Correct it: {Reason}", reason);

    private void Ask(PosixSignalContext context)
    {
        context.Cancel = true;
        _asked = true;
    }

    private (DateTime Written, long Length)? Stamp() =>
        line.ConfigFile is { } path && new FileInfo(path) is { Exists: true } file
            ? (File.ResolveLinkTarget(path, returnFinalTarget: true) as FileInfo ?? file) is var real ? (real.LastWriteTimeUtc, real.Length) : null
            : null;
}
