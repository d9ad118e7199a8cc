using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Hosting.Benchmarks.Interference;

/// <summary>
/// The primary, in a process of its own: one thread a processor answers requests, first come, first served, each a fixed piece of work.
/// Requests come as an open loop does, at times drawn before (Poisson), whether earlier ones are answered or not; a latency counts
/// from the time a request was due, so one that waited behind others counts with its waiting. The load costs nothing besides: whose turn
/// it is sleeps until the next request is due.
/// </summary>
internal sealed partial class PrimaryProgram
{
    /// <summary>The word that makes the benchmarks' program be this one.</summary>
    public const string Word = "interference-primary";

    /// <summary>After that word: each of its threads has a processor of its own.</summary>
    public const string PinnedWord = "pinned";

    /// <summary>Before a number of MiB that it is to take.</summary>
    public const string HoldWord = "hold ";

    /// <summary>CPU of one request.</summary>
    public static readonly TimeSpan Service = TimeSpan.FromMilliseconds(1);

    private const int SetTimerSlack = 29;
    private const int Monotonic = 1;
    private const int Absolute = 1;
    private const int Interrupted = 4;
    private const int BufferBytes = 64 * 1024;
    private const long LeadNanoseconds = 5_000_000;
    private const long CalibrationNanoseconds = 1_500_000_000;
    private const int WordBits = 64;
    private readonly bool _pinned;
    private readonly ulong _rounds;
    private readonly List<byte[]> _held = [];

    private PrimaryProgram(bool pinned)
    {
        _pinned = pinned;
        _rounds = Calibrate();
    }

    /// <summary>Answers each line of the standard input (a <see cref="WindowOrder"/>) with one line (a <see cref="Window"/>).</summary>
    public static int Run(bool pinned)
    {
        // Sleeping until a request is due is this program's way of waiting for it: the default slack of 50 us is not the server's.
        _ = Control(SetTimerSlack, 1, 0, 0, 0);
        var program = new PrimaryProgram(pinned);
        Console.WriteLine("ready");
        while (Console.ReadLine() is { } line)
            Console.WriteLine(line.StartsWith(HoldWord, StringComparison.Ordinal) ? program.Hold(line) : program.Serve(WindowOrder.Parse(line)).Text());
        return 0;
    }

    /// <summary>Memory that is written to is memory that is taken.</summary>
    private string Hold(string line)
    {
        var piece = GC.AllocateUninitializedArray<byte>(int.Parse(line[HoldWord.Length..], CultureInfo.InvariantCulture) * 1024 * 1024);
        piece.AsSpan().Fill(1);
        _held.Add(piece);
        return "held";
    }

    private Window Serve(WindowOrder order)
    {
        var due = Arrivals(order);
        var latencies = new int[due.Length];
        var next = -1;
        var start = Now() + LeadNanoseconds;
        var times = OnEveryCore(() =>
        {
            var buffer = new byte[BufferBytes];
            for (var i = Interlocked.Increment(ref next); i < due.Length; i = Interlocked.Increment(ref next))
            {
                SleepUntil(start + due[i]);
                Answer(_rounds, buffer);
                latencies[i] = (int)((Now() - (start + due[i])) / 1000);
            }
        });
        return new Window(due.Length, times.Sum(one => one.Run) / 1e9, times.Sum(one => one.Wait) / 1e9, latencies);
    }

    /// <summary>Nanoseconds that each of the threads ran, and waited for a CPU.</summary>
    private IReadOnlyList<(long Run, long Wait)> OnEveryCore(Action work)
    {
        var times = new (long Run, long Wait)[Environment.ProcessorCount];
        var threads = Enumerable.Range(0, times.Length).Select(i => new Thread(() =>
        {
            if (_pinned)
                Pin(i);
            var before = Times();
            work();
            var after = Times();
            times[i] = (after.Run - before.Run, after.Wait - before.Wait);
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        return times;
    }

    /// <summary>Nanoseconds from the start. The same seed and load draw the same ones.</summary>
    private static long[] Arrivals(WindowOrder order)
    {
        var random = new Random(order.Seed);
        var mean = Service.TotalNanoseconds / (order.Load * Environment.ProcessorCount);
        var arrivals = new List<long>();
        for (double at = 0; at < order.Seconds * 1e9; at += -Math.Log(1 - random.NextDouble()) * mean)
            arrivals.Add((long)at);
        return [.. arrivals];
    }

    /// <summary>All cores at once, and the median: what a request usually takes here, not what it takes at best.</summary>
    private ulong Calibrate()
    {
        const ulong Rounds = 1_000;
        var took = new System.Collections.Concurrent.ConcurrentBag<long>();
        var end = Now() + CalibrationNanoseconds;
        OnEveryCore(() =>
        {
            var buffer = new byte[BufferBytes];
            while (Now() < end)
            {
                var begun = Now();
                Answer(Rounds, buffer);
                took.Add(Now() - begun);
            }
        });
        return (ulong)(Rounds * Service.TotalNanoseconds / took.Order().ElementAt(took.Count / 2));
    }

    /// <summary>Arithmetic over some memory, as a request has some of its own.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Answer(ulong rounds, byte[] buffer)
    {
        var state = rounds;
        for (ulong i = 0; i < rounds; i++)
        {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            for (var k = 0; k < 16; k++)
                state = (state * 6364136223846793005) + buffer[(int)(state >> 48)];
            buffer[(int)(state >> 48)] = (byte)state;
        }
    }

    /// <summary>Nanoseconds that the calling thread has run, and waited for a CPU.</summary>
    private static (long Run, long Wait) Times()
    {
        var fields = File.ReadAllText("/proc/thread-self/schedstat").Split(' ');
        return (long.Parse(fields[0], CultureInfo.InvariantCulture), long.Parse(fields[1], CultureInfo.InvariantCulture));
    }

    private static long Now() => System.Diagnostics.Stopwatch.GetTimestamp();

    private static void SleepUntil(long nanoseconds)
    {
        var time = new Time(nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000);
        while (Now() < nanoseconds && Sleep(Monotonic, Absolute, ref time, 0) is 0 or Interrupted)
        {
        }
    }

    /// <summary>The calling thread runs on this processor only.</summary>
    private static void Pin(int processor)
    {
        var mask = new ulong[(processor / WordBits) + 1];
        mask[^1] = 1UL << (processor % WordBits);
        if (SetAffinity(0, mask.Length * sizeof(ulong), mask) != 0)
            throw new InvalidOperationException($"a thread can not be bound to processor {processor}.");
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Time(long Seconds, long Nanoseconds);

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int Control(int option, ulong first, ulong second, ulong third, ulong fourth);

    [LibraryImport("libc", EntryPoint = "sched_setaffinity")]
    private static partial int SetAffinity(int thread, nint bytes, [In] ulong[] processors);

    [LibraryImport("libc", EntryPoint = "clock_nanosleep")]
    private static partial int Sleep(int clock, int flags, ref Time until, nint remaining);
}

/// <summary>A window of load.</summary>
/// <param name="Load">Share of the server's CPU that its requests take, over 0, under 1.</param>
/// <param name="Seconds">How long requests come.</param>
/// <param name="Seed">Of their times.</param>
internal readonly record struct WindowOrder(double Load, double Seconds, int Seed)
{
    public string Text() => string.Create(CultureInfo.InvariantCulture, $"{Load} {Seconds} {Seed}");

    public static WindowOrder Parse(string text)
    {
        var words = text.Split(' ');
        return new WindowOrder(double.Parse(words[0], CultureInfo.InvariantCulture), double.Parse(words[1], CultureInfo.InvariantCulture), int.Parse(words[2], CultureInfo.InvariantCulture));
    }
}

/// <summary>What a window of load came to.</summary>
/// <param name="Requests">Requests that came, all of them answered.</param>
/// <param name="CpuSeconds">CPU that the primary used.</param>
/// <param name="WaitSeconds">Time that its threads could have run and waited for a CPU.</param>
/// <param name="Latencies">Microseconds of each request from the time it was due.</param>
internal sealed record Window(int Requests, double CpuSeconds, double WaitSeconds, IReadOnlyList<int> Latencies)
{
    public string Text()
    {
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"{Requests} {CpuSeconds} {WaitSeconds} ");
        return text.AppendJoin(',', Latencies).ToString();
    }

    public static Window Parse(string text)
    {
        var words = text.Split(' ');
        return new Window(int.Parse(words[0], CultureInfo.InvariantCulture), double.Parse(words[1], CultureInfo.InvariantCulture),
            double.Parse(words[2], CultureInfo.InvariantCulture), [.. words[3].Split(',').Select(one => int.Parse(one, CultureInfo.InvariantCulture))]);
    }
}
