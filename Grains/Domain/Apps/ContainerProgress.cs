using Hosting.Placement;
using Hosting.Vms;

namespace Hosting.Domain.Apps;

/// <summary>What a deployment record becomes by an agent's word.</summary>
public static class ContainerProgress
{
    /// <summary>The next record, or null when nothing changes. The state never moves backwards, whatever an agent says late.</summary>
    /// <param name="record">The durable record.</param>
    /// <param name="status">What the agent sees, not over.</param>
    public static ContainerRecord? Next(ContainerRecord record, ContainerStatus status)
    {
        if (record.IsOver)
            return null;
        var next = record with
        {
            State = (ContainerState)Math.Max((int)record.State, (int)status.State),
            Healthy = status.Healthy,
            Endpoint = status.Endpoint ?? record.Endpoint,
            Reason = status.Reason,
            StartedAt = status.StartedAt ?? record.StartedAt,
        };
        return next == record ? null : next;
    }
}
