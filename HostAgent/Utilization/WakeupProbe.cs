using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Hosting.HostAgent.Utilization;

/// <summary>
/// Stands in for a primary that sleeps until there is something to do: a thread at the agent's weight, which is that of any service, that
/// wakes up every millisecond and notes how late it comes. What it missed while it was late counts too, each with its own lateness.
/// </summary>
internal sealed partial class WakeupProbe : IDisposable
{
    private const long EveryNanoseconds = 1_000_000;
    private const int MostNoted = 100_000;
    private const int SetTimerSlack = 29;
    private const int Monotonic = 1;
    private const int Absolute = 1;
    private readonly Lock _lock = new();
    private readonly Thread _thread;
    private List<double> _late = [];
    private volatile bool _over;

    public WakeupProbe()
    {
        _thread = new Thread(Run) { IsBackground = true, Name = "wakeup-probe" };
        _thread.Start();
    }

    /// <summary>How late, in milliseconds, 99 of 100 wake-ups came at most since the call before; 0 when there were none.</summary>
    public double Take()
    {
        List<double> late;
        lock (_lock)
            (late, _late) = (_late, []);
        late.Sort();
        return late.Count == 0 ? 0 : late[(int)Math.Ceiling(late.Count * 0.99) - 1];
    }

    public void Dispose()
    {
        _over = true;
        _thread.Join();
    }

    private void Run()
    {
        _ = Control(SetTimerSlack, 1, 0, 0, 0);
        for (var due = Now() + EveryNanoseconds; !_over; due += EveryNanoseconds)
        {
            var until = new Time(due / 1_000_000_000, due % 1_000_000_000);
            _ = Sleep(Monotonic, Absolute, ref until, 0);
            var late = Math.Max(0, Now() - due) / 1e6;
            lock (_lock)
            {
                if (_late.Count < MostNoted)
                    _late.Add(late);
            }
        }
    }

    /// <summary>Nanoseconds of the clock that the thread sleeps by.</summary>
    private static long Now() => (long)(Stopwatch.GetTimestamp() * (1e9 / Stopwatch.Frequency));

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Time(long Seconds, long Nanoseconds);

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int Control(int option, ulong first, ulong second, ulong third, ulong fourth);

    [LibraryImport("libc", EntryPoint = "clock_nanosleep")]
    private static partial int Sleep(int clock, int flags, ref Time until, nint remaining);
}
