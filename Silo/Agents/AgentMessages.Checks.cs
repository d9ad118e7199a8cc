using Hosting.Servers;

namespace Hosting.Silo.Agents;

/// <content>Checks of whether a primary feels its VMs.</content>
internal static partial class AgentMessages
{
    public static CheckMeasured Read(Protocol.CheckMeasured measured) => new(
        [.. measured.Pairs.Where(pair => pair is { Held: not null, Free: not null }).Select(pair => new CheckPair(Read(pair.Held), Read(pair.Free)))],
        NullIfEmpty(measured.Unprotected), NullIfEmpty(measured.Failure));

    private static CheckWindow Read(Protocol.CheckWindow window) => new(
        window.HasPrimaryWait ? Math.Clamp(window.PrimaryWait, 0, 1) : null,
        double.IsFinite(window.WakeupMillis) ? Math.Max(0, window.WakeupMillis) : 0,
        Math.Max(0, window.ContainersCpuMillis));
}
