using Hosting.Regions;
using Hosting.Servers;

namespace Hosting.Placement;

/// <summary>
/// The matching of one region, and its ledger: the only writer that adds and frees deployment records there. The key is
/// the region's name. Every answer is durable before it is given.
/// </summary>
[Alias("hosting.IPlacementGrain")]
public interface IPlacementGrain : IGrainWithStringKey
{
    /// <summary>The most replicas that one call may ask for or release.</summary>
    const int MaxReplicas = 10_000;

    /// <summary>Places replicas. What it answers as placed is durable.</summary>
    [Alias("Place")] Task<PlacementResult> Place(PlacementRequest request);

    /// <summary>
    /// Places for many at once, each request by itself and in their order, in one commit. <see cref="PlacementCalls"/>
    /// makes such calls of many callers'.
    /// </summary>
    /// <exception cref="ArgumentException">They ask for more than <see cref="MaxReplicas"/> together.</exception>
    [Alias("PlaceEach")] Task<IReadOnlyList<PlacementResult>> PlaceEach([Immutable] IReadOnlyList<PlacementRequest> requests);

    /// <summary>Ends containers, in <see cref="ContainerState.Stopped"/> or <see cref="ContainerState.Failed"/>, and frees their room. Idempotent.</summary>
    [Alias("Release")] Task Release([Immutable] IReadOnlyList<ContainerRelease> releases);

    /// <summary>Which VMs would take a demand, with the numbers; changes nothing.</summary>
    [Alias("Explain")] Task<PlacementExplanation> Explain(PlacementRequest request, int best);

    /// <summary>An agent connected: its server's capacity and VMs, which are durable already.</summary>
    [Alias("Join")] Task Join(ServerRecord server, IReadOnlyList<VmRecord> vms);

    /// <summary>A server's agent is gone, or silent for too long: it admits nothing until it is heard from again.</summary>
    [Alias("Leave")] Task Leave(string server, string reason);

    /// <summary>A server's policy changed (durable already).</summary>
    [Alias("Configure")] Task Configure(ServerRecord server);

    /// <summary>The policy for a VM changed (durable already).</summary>
    [Alias("ConfigureVm")] Task ConfigureVm(VmRecord vm);

    /// <summary>The region's policy changed (durable already).</summary>
    [Alias("SetPolicy")] Task SetPolicy(RegionPolicy policy);

    /// <summary>
    /// Asks to begin moves under pressure: answers for each container whether there is room elsewhere and the region's budget
    /// allows it now. A move that began holds its place in the budget until its container ends, or until nobody repeated the
    /// question for <see cref="MoveQuestion.HoldSeconds"/>.
    /// </summary>
    [Alias("BeginMoves")] Task<IReadOnlyList<MoveAnswer>> BeginMoves(MoveQuestion question);

    /// <summary>Measurements of servers, in the order they were taken. Lost ones cost nothing.</summary>
    /// <returns>Names of the servers that have to <see cref="Join"/> first; empty as a rule.</returns>
    [Alias("Report")] Task<IReadOnlyList<string>> Report([Immutable] IReadOnlyList<ServerReport> reports);

    /// <summary>Containers seen running, so that later measurements include them.</summary>
    [Alias("Started")] Task Started([Immutable] IReadOnlyList<ContainerStart> started);

    /// <summary>Whether any server of the region was heard from lately.</summary>
    [Alias("AnyServer")] Task<bool> AnyServer();

    /// <summary>Every server of the region as the matching sees it.</summary>
    [Alias("GetServers")] Task<IReadOnlyList<ServerStatus>> GetServers();
}

/// <summary>A demand for replicas.</summary>
[GenerateSerializer, Immutable, Alias("hosting.PlacementRequest")]
public sealed record PlacementRequest
{
    /// <summary>Name of the app.</summary>
    [Id(0)] public required string App { get; init; }

    /// <summary>Revision to run.</summary>
    [Id(1)] public required int Revision { get; init; }

    /// <summary>What each replica needs.</summary>
    [Id(2)] public required Demand Demand { get; init; }

    /// <summary>Number of replicas, 1 to 1,000.</summary>
    [Id(3)] public int Count { get; init; } = 1;

    /// <summary>Whether replicas avoid sharing a server.</summary>
    [Id(4)] public Spread Spread { get; init; }

    /// <summary>Place all or none; otherwise as many as fit.</summary>
    [Id(5)] public bool AllOrNothing { get; init; }

    /// <summary>Labels a server must carry with exactly these values.</summary>
    [Id(6)] public IReadOnlyDictionary<string, string>? Constraints { get; init; }

    /// <summary>Servers, without the region, that must not be chosen.</summary>
    [Id(7)] public IReadOnlyList<string>? Avoid { get; init; }
}

/// <summary>What came of a <see cref="PlacementRequest"/>.</summary>
[GenerateSerializer, Immutable, Alias("hosting.PlacementResult")]
public sealed record PlacementResult
{
    /// <summary>The durable records of what was placed.</summary>
    [Id(0)] public required IReadOnlyList<ContainerRecord> Placed { get; init; }

    /// <summary>Why not everything was; null when it was.</summary>
    [Id(1)] public PlacementRefusal? Refusal { get; init; }
}

/// <summary>Why a replica could not be placed: how many VMs each rule excluded (a VM counts for the first rule that excludes it).</summary>
[GenerateSerializer, Immutable, Alias("hosting.PlacementRefusal")]
public sealed record PlacementRefusal
{
    /// <summary>VMs in the region.</summary>
    [Id(0)] public required int Vms { get; init; }

    /// <summary>VMs excluded by each rule, in the order the rules are asked; rules that exclude none are left out.</summary>
    [Id(1)] public required IReadOnlyList<RuleCount> Rules { get; init; }

    /// <summary>One sentence, for example: <c>no VM of 8 fits: 6 lack free CPU, 2 are on a server over its CPU threshold</c>.</summary>
    [Id(2)] public required string Message { get; init; }
}

/// <summary>How many VMs a rule excluded.</summary>
/// <param name="Rule">Which rule.</param>
/// <param name="Count">VMs.</param>
[GenerateSerializer, Immutable, Alias("hosting.RuleCount")]
public readonly record struct RuleCount([property: Id(0)] PlacementRule Rule, [property: Id(1)] int Count);

/// <summary>A container's end.</summary>
/// <param name="Id">Id of the container.</param>
/// <param name="State"><see cref="ContainerState.Stopped"/> or <see cref="ContainerState.Failed"/>.</param>
/// <param name="Reason">Why, for people; null when it was asked for.</param>
[GenerateSerializer, Immutable, Alias("hosting.ContainerRelease")]
public sealed record ContainerRelease([property: Id(0)] string Id, [property: Id(1)] ContainerState State, [property: Id(2)] string? Reason);

/// <summary>A container's process started.</summary>
/// <param name="Id">Id of the container.</param>
/// <param name="At">When, by its server's clock.</param>
[GenerateSerializer, Immutable, Alias("hosting.ContainerStart")]
public readonly record struct ContainerStart([property: Id(0)] string Id, [property: Id(1)] DateTimeOffset At);
