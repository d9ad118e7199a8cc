using System.Buffers.Text;
using System.Globalization;

namespace Hosting.HostAgent.Utilization;

/// <summary>What the primary's threads do, in cores: a thread that always runs is 1, and so is one that always waits for a CPU.</summary>
/// <param name="Running">Cores in use.</param>
/// <param name="Waiting">Cores wanted and not had.</param>
internal readonly record struct PrimaryLoad(double Running, double Waiting)
{
    /// <summary>Under this, in cores, a share says nothing: a few wake-ups that went badly.</summary>
    private const double Noticeable = 0.02;

    /// <summary>Of the time in which threads could have run, the share they waited, 0 to 1.</summary>
    public double WaitShare => IsNoticeable ? Waiting / (Running + Waiting) : 0;

    /// <summary>Whether they wanted to run enough for a share to say something.</summary>
    public bool IsNoticeable => Running + Waiting >= Noticeable;
}

/// <summary>
/// Measures the primary's threads by the kernel's own account of each (<c>schedstat</c>: nanoseconds run, nanoseconds waited while
/// it could have run). Looking at all of them is dear, so each sample reads the few that were busiest, and all are gone through
/// now and then, the less often the more there are.
/// </summary>
/// <param name="processes">The primary's processes.</param>
/// <param name="time">The clock.</param>
/// <param name="proc">Where the kernel tells of processes.</param>
/// <param name="all">Goes through all of them each time: for who samples for some seconds only.</param>
internal sealed class PrimaryThreads(Func<IReadOnlyList<int>> processes, TimeProvider time, string proc = "/proc", bool all = false) : IDisposable
{
    private const int Busiest = 64;
    private const int ListedPerSecond = 60;
    private static readonly TimeSpan ListAtLeastEvery = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan ListAtMostEvery = TimeSpan.FromSeconds(5);
    private Dictionary<string, ThreadTimes> _threads = [];
    private IReadOnlyList<ThreadTimes> _busiest = [];
    private long? _listedAt;

    /// <summary>What they do since the sample before; null when there are none, or the kernel does not account for them.</summary>
    public PrimaryLoad? Sample()
    {
        var now = time.GetTimestamp();
        if (all || _listedAt is not { } listed || time.GetElapsedTime(listed, now) >= ListEvery(_threads.Count))
            List(now);
        else
            ReadBusiest(now);
        var measured = _threads.Values.Where(thread => thread.IsMeasured).ToList();
        return measured.Count == 0 ? null : new PrimaryLoad(measured.Sum(thread => thread.Running), measured.Sum(thread => thread.Waiting));
    }

    public void Dispose()
    {
        foreach (var thread in _threads.Values)
            thread.Dispose();
    }

    private static TimeSpan ListEvery(int threads)
    {
        var every = TimeSpan.FromSeconds((double)threads / ListedPerSecond);
        return every < ListAtMostEvery ? ListAtMostEvery : every > ListAtLeastEvery ? ListAtLeastEvery : every;
    }

    private void ReadBusiest(long now)
    {
        foreach (var thread in _busiest)
            thread.Read(now, time);
    }

    /// <summary>Goes through all of them and finds the busiest; one that is new counts as busy until it is known better.</summary>
    private void List(long now)
    {
        var before = _threads;
        _threads = processes().SelectMany(Tasks).Distinct().ToDictionary(path => path, path => before.Remove(path, out var known) ? known : new ThreadTimes(path));
        foreach (var gone in before.Values)
            gone.Dispose();
        foreach (var thread in _threads.Values)
            thread.Read(now, time);
        _busiest = [.. _threads.Values.OrderByDescending(thread => thread.Demand).Take(Busiest)];
        foreach (var idle in _threads.Values.Except(_busiest))
            idle.Close();
        _listedAt = now;
    }

    private IEnumerable<string> Tasks(int process)
    {
        try
        {
            return [.. Directory.GetDirectories(string.Create(CultureInfo.InvariantCulture, $"{proc}/{process}/task"))];
        }
        catch (IOException)
        {
            // It ended.
            return [];
        }
    }

    private sealed class ThreadTimes(string directory) : IDisposable
    {
        private readonly KernelFile _file = new(Path.Combine(directory, "schedstat"));
        private (long At, long Run, long Wait)? _last;

        public double Running { get; private set; }

        public double Waiting { get; private set; }

        /// <summary>Whether two readings were compared.</summary>
        public bool IsMeasured { get; private set; }

        public double Demand => IsMeasured ? Running + Waiting : double.PositiveInfinity;

        public void Read(long now, TimeProvider time)
        {
            var text = _file.Read();
            if (!Utf8Parser.TryParse(text, out long run, out var used) || !Utf8Parser.TryParse(text[Math.Min(used + 1, text.Length)..], out long wait, out _))
            {
                (Running, Waiting) = (0, 0);
                return;
            }

            if (_last is { } last && time.GetElapsedTime(last.At, now).TotalNanoseconds is > 0 and var elapsed)
                (Running, Waiting, IsMeasured) = (Math.Max(0, run - last.Run) / elapsed, Math.Max(0, wait - last.Wait) / elapsed, true);
            _last = (now, run, wait);
        }

        /// <summary>Keeps no handle until it is read again.</summary>
        public void Close() => _file.Close();

        public void Dispose() => _file.Dispose();
    }
}
