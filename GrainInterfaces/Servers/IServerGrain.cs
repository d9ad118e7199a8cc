using Hosting.Placement;
using Hosting.Vms;
using Orleans.Concurrency;

namespace Hosting.Servers;

/// <summary>A server; the key is <c>region/server</c>. Owns the agent's session, the utilization window, cordon and drain.</summary>
[Alias("hosting.IServerGrain")]
public interface IServerGrain : IGrainWithStringKey
{
    /// <summary>Its agent opened a stream. The newest session wins; an older one is told to go away.</summary>
    /// <returns>Null when welcome, else why not.</returns>
    [Alias("Connect")] Task<string?> Connect(AgentHello hello, IAgentLink link);

    /// <summary>Its agent's stream ended. A session that is not the current one changes nothing.</summary>
    [Alias("Disconnect")] Task Disconnect(long session);

    /// <summary>A measurement. False when the session is not the current one: the agent should say hello again.</summary>
    [Alias("Report")] Task<bool> Report(long session, UtilizationReport report);

    /// <summary>Containers whose state changed on the server. False as for <see cref="Report"/>.</summary>
    [Alias("ReportContainers")] Task<bool> ReportContainers(long session, IReadOnlyList<ContainerStatus> changed);

    /// <summary>Changes the operator's policy. A threshold of its own that the change leaves out is, at first, that of the region now.</summary>
    [Alias("Configure")] Task<ServerConfigured> Configure(ServerPatch patch);

    /// <summary>Changes the operator's policy for one of its VMs. Null when there is no such VM.</summary>
    [Alias("ConfigureVm")] Task<VmRecord?> ConfigureVm(string vm, VmPatch patch);

    /// <summary>Its record; null when there is no such server.</summary>
    [Alias("GetRecord")] Task<ServerRecord?> GetRecord();

    /// <summary>The next lines of a container's log, from its agent; without new ones the answer comes after about 2 s.</summary>
    [Alias("ReadLogs"), AlwaysInterleave] Task<LogChunk> ReadLogs(LogRead read);

    /// <summary>A reader of a log is not needed any more. A hint: its agent closes what is not used.</summary>
    [Alias("CloseLogs"), AlwaysInterleave, OneWay] Task CloseLogs(string reader);

    /// <summary>Its agent answered a <see cref="IAgentLink.ReadLogs"/>. False as for <see cref="Report"/>.</summary>
    [Alias("TakeLogs"), AlwaysInterleave] Task<bool> TakeLogs(long session, long request, LogChunk chunk);

    /// <summary>Has its agent measure whether its primary feels its VMs; that takes about 15 s.</summary>
    [Alias("BeginCheck")] Task<CheckBegun> BeginCheck();

    /// <summary>The last check, as long as this activation remembers it; null when there is none.</summary>
    [Alias("GetCheck")] Task<ServerCheck?> GetCheck();

    /// <summary>Its agent answered an <see cref="IAgentLink.Check"/>. False as for <see cref="Report"/>.</summary>
    [Alias("TakeCheck")] Task<bool> TakeCheck(long session, long request, CheckMeasured measured);

    /// <summary>Wakes it up, so that its loss is noticed though its agent never comes back.</summary>
    [Alias("Keep")] Task Keep();
}

/// <summary>What an operator may change of a server; null leaves a field as it is.</summary>
[GenerateSerializer, Alias("hosting.ServerPatch")]
public sealed record ServerPatch
{
    /// <summary>Closes it for new containers, or opens it.</summary>
    [Id(0)] public bool? Cordoned { get; init; }

    /// <summary>Thresholds of its own.</summary>
    [Id(1)] public ThresholdsPatch? Thresholds { get; init; }

    /// <summary>Goes back to the region's thresholds.</summary>
    [Id(2)] public bool ResetThresholds { get; init; }

    /// <summary>Empties it, which closes it, too; opening it ends that.</summary>
    [Id(3)] public bool? Draining { get; init; }
}

/// <summary>What came of a change of a server.</summary>
/// <param name="Server">The server as it is now; null when there is no such server.</param>
/// <param name="Refused">The thresholds that it would lead to, with evict below admit: then nothing has changed. Else null.</param>
[GenerateSerializer, Alias("hosting.ServerConfigured")]
public sealed record ServerConfigured([property: Id(0)] ServerRecord? Server, [property: Id(1)] Thresholds? Refused = null);

/// <summary>What an operator may change of a VM; null leaves a field as it is.</summary>
[GenerateSerializer, Alias("hosting.VmPatch")]
public sealed record VmPatch
{
    /// <summary>Closes it for new containers, or opens it.</summary>
    [Id(0)] public bool? Cordoned { get; init; }

    /// <summary>Empties it, which closes it, too; opening it ends that.</summary>
    [Id(1)] public bool? Draining { get; init; }
}

/// <summary>What an agent says when it connects.</summary>
[GenerateSerializer, Alias("hosting.AgentHello")]
public sealed record AgentHello
{
    /// <summary>Raised by every stream of the agent (UTC milliseconds at its start): the highest one is current.</summary>
    [Id(0)] public required long Session { get; init; }

    /// <summary>Identity, capacity and labels of its server.</summary>
    [Id(1)] public required ServerRecord Server { get; init; }

    /// <summary>Its VMs.</summary>
    [Id(2)] public required IReadOnlyList<VmRecord> Vms { get; init; }

    /// <summary>Everything that runs in them.</summary>
    [Id(3)] public required IReadOnlyList<ContainerStatus> Containers { get; init; }
}

/// <summary>What an agent has to know to act under pressure.</summary>
/// <param name="Thresholds">Of the server or, where it has none of its own, of the region.</param>
/// <param name="EvictAfterSeconds">Seconds the server may be over its evict threshold.</param>
[GenerateSerializer, Alias("hosting.ServerPolicy")]
public sealed record ServerPolicy([property: Id(0)] Thresholds Thresholds, [property: Id(1)] int EvictAfterSeconds);

/// <summary>An agent, as grains see it. Messages may be lost: what counts is repeated until it is reported back.</summary>
[Alias("hosting.IAgentLink")]
public interface IAgentLink : IGrainObserver
{
    /// <summary>The whole desired state of one VM.</summary>
    [Alias("Apply")] Task Apply(DesiredVm desired);

    /// <summary>What holds for the server: the agent keeps it for the time when it is on its own. Repeated every few seconds as a sign of life.</summary>
    [Alias("Govern")] Task Govern(ServerPolicy policy);

    /// <summary>Asks for lines of a log; the answer comes as <see cref="IServerGrain.TakeLogs"/> with the same number.</summary>
    [Alias("ReadLogs"), OneWay] Task ReadLogs(long request, LogRead read);

    /// <summary>A reader of a log is not needed any more.</summary>
    [Alias("CloseLogs"), OneWay] Task CloseLogs(string reader);

    /// <summary>Asks for a check of whether the primary feels the VMs; the answer comes as <see cref="IServerGrain.TakeCheck"/> with the same number.</summary>
    [Alias("Check"), OneWay] Task Check(long request);

    /// <summary>A newer session took over: close the stream.</summary>
    [Alias("Close")] Task Close(string reason);
}
