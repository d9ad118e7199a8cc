using System.Buffers.Text;
using Hosting.HostAgent.Cgroups;

namespace Hosting.HostAgent.Utilization;

/// <summary>The shares of the server in use, each 0 to 1.</summary>
/// <param name="Cpu">CPU, by anyone.</param>
/// <param name="Memory">Memory, by anyone; what the kernel can drop at once is free.</param>
/// <param name="PrimaryCpu">CPU of the primary: by default everything but our engines and containers.</param>
/// <param name="ContainersCpuMillis">CPU of our containers, in thousandths of a core.</param>
internal readonly record struct UtilizationSample(double Cpu, double Memory, double PrimaryCpu, int ContainersCpuMillis);

/// <summary>Measures the server since the sample before: the whole machine, or the control group that is the server.</summary>
internal sealed class UtilizationSampler : IDisposable
{
    private readonly Capacity _capacity;
    private readonly TimeProvider _time;
    private readonly KernelFile? _stat;
    private readonly MachineMemory? _memory;
    private readonly GroupUsage? _server;
    private readonly GroupUsage _engines;
    private readonly GroupUsage _idle;
    private (long At, double Busy, double Total, double Ours, double Containers) _last;

    public UtilizationSampler(Capacity capacity, bool hasShare, ServerGroups groups, TimeProvider time)
    {
        (_capacity, _time) = (capacity, time);
        _engines = groups.Usage(groups.Engines);
        _idle = groups.Usage(groups.Idle);
        if (hasShare)
            _server = groups.Usage(groups.Root!);
        else
            (_stat, _memory) = (new KernelFile("/proc/stat"), new MachineMemory());
        _last = Read();
    }

    /// <summary>Averages over the time since the call before.</summary>
    public UtilizationSample Sample()
    {
        var now = Read();
        var total = now.Total - _last.Total;
        var busy = now.Busy - _last.Busy;
        var ours = now.Ours - _last.Ours;
        var containers = Math.Max(0, now.Containers - _last.Containers) / _time.GetElapsedTime(_last.At, now.At).TotalSeconds;
        _last = now;
        return total <= 0
            ? new UtilizationSample(0, Memory(), 0, 0)
            : new UtilizationSample(Share(busy / total), Memory(), Share((busy - ours) / total), (int)(containers * 1000));
    }

    public void Dispose()
    {
        foreach (var part in new IDisposable?[] { _stat, _memory, _server, _engines, _idle })
            part?.Dispose();
    }

    private static double Share(double value) => double.IsFinite(value) ? Math.Clamp(value, 0, 1) : 0;

    /// <summary>Seconds of CPU: in use, there to be used, used by us, and of that by containers.</summary>
    private (long At, double Busy, double Total, double Ours, double Containers) Read()
    {
        var at = _time.GetTimestamp();
        var containers = _idle.CpuSeconds();
        var ours = _engines.CpuSeconds() + containers;
        if (_server is not null)
        {
            var elapsed = _last.At == 0 ? 0 : _time.GetElapsedTime(_last.At, at).TotalSeconds;
            return (at, _server.CpuSeconds(), _last.Total + (elapsed * _capacity.CpuMillis / 1000), ours, containers);
        }

        var (busy, total) = MachineCpu(_stat!.Read());
        return (at, busy, total, ours, containers);
    }

    private double Memory()
    {
        if (_server is not null)
            return Share(_server.MemoryBytes() / (_capacity.MemoryMiB * 1024.0 * 1024.0));
        var (total, used) = _memory!.Read();
        return Share(used / total);
    }

    /// <summary>
    /// Fields of the line "cpu" (user nice system idle iowait irq softirq steal ...) in hundredths of a second. Time that the
    /// hypervisor took away was never there to be used, so it counts in neither.
    /// </summary>
    internal static (double Busy, double Total) MachineCpu(ReadOnlySpan<byte> stat)
    {
        var end = stat.IndexOf((byte)'\n');
        var line = end < 0 ? stat : stat[..end];
        Span<long> fields = stackalloc long[8];
        line = line[Math.Min(3, line.Length)..];
        for (var i = 0; i < fields.Length; i++)
        {
            line = line.TrimStart((byte)' ');
            if (!Utf8Parser.TryParse(line, out fields[i], out var used))
                break;
            line = line[used..];
        }

        var busy = fields[0] + fields[1] + fields[2] + fields[5] + fields[6];
        return (busy / 100.0, (busy + fields[3] + fields[4]) / 100.0);
    }
}
