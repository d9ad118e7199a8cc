using System.Globalization;

namespace Hosting.HostAgent.Vms.Qemu;

/// <summary>How long each part of a start took, for whoever wonders why it is slow.</summary>
internal sealed class Laps(TimeProvider time)
{
    private readonly List<string> _done = [];
    private long _since = time.GetTimestamp();

    /// <summary>A part is done.</summary>
    public void Lap(string part)
    {
        var now = time.GetTimestamp();
        _done.Add(string.Create(CultureInfo.InvariantCulture, $"{part} {time.GetElapsedTime(_since, now).TotalMilliseconds:0}"));
        _since = now;
    }

    /// <summary>Every part with its milliseconds.</summary>
    public override string ToString() => string.Join(", ", _done);
}
