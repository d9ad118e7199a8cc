namespace Hosting.HostAgent.Logs;

/// <summary>The readers that are open, by name: each is kept between the requests of its user, and closed when they stop coming.</summary>
internal sealed class LogSlots(TimeProvider time) : IDisposable
{
    private readonly Dictionary<string, Slot> _slots = [];
    private readonly Lock _lock = new();

    /// <summary>
    /// The reader of that name if it is at the place asked for, else a new one: the answer before was lost, or somebody asks
    /// again who gave up waiting. Null when there are too many.
    /// </summary>
    public LogReader? Take(string name, Place from, bool follow, EngineLog log)
    {
        lock (_lock)
        {
            if (_slots.TryGetValue(name, out var slot) && !slot.Busy && slot.Reader.Next == from && slot.Reader.Follow == follow)
            {
                slot.Busy = true;
                return slot.Reader;
            }

            Remove(name);
            if (_slots.Count >= LogLimits.Readers)
                return null;
            _slots[name] = slot = new Slot(new LogReader(log, from, follow)) { Busy = true };
            return slot.Reader;
        }
    }

    /// <summary>Ends the use of a reader.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="reader">It; another one may have its name by now.</param>
    /// <param name="keep">Whether it may be used again.</param>
    public void PutBack(string name, LogReader reader, bool keep)
    {
        lock (_lock)
        {
            if (!_slots.TryGetValue(name, out var slot) || slot.Reader != reader)
                return;
            (slot.Busy, slot.UsedAt) = (false, time.GetTimestamp());
            if (!keep)
                Remove(name);
        }
    }

    /// <summary>Closes one.</summary>
    public void Close(string name)
    {
        lock (_lock)
            Remove(name);
    }

    /// <summary>Closes those that are not used any more.</summary>
    public void Sweep()
    {
        lock (_lock)
        {
            foreach (var (name, _) in _slots.Where(one => !one.Value.Busy && time.GetElapsedTime(one.Value.UsedAt) > LogLimits.Idle).ToList())
                Remove(name);
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            foreach (var name in _slots.Keys.ToList())
                Remove(name);
        }
    }

    private void Remove(string name)
    {
        if (_slots.Remove(name, out var slot))
            slot.Reader.Dispose();
    }

    private sealed class Slot(LogReader reader)
    {
        public LogReader Reader => reader;

        public bool Busy { get; set; }

        public long UsedAt { get; set; }
    }
}
