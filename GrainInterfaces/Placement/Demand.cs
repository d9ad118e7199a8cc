using System.Text.Json.Serialization;

namespace Hosting.Placement;

/// <summary>What one replica needs.</summary>
/// <param name="CpuMillis">Thousandths of a core.</param>
/// <param name="MemoryMiB">MiB.</param>
[GenerateSerializer, Immutable, Alias("hosting.Demand")]
public readonly record struct Demand([property: Id(0)] int CpuMillis, [property: Id(1)] int MemoryMiB);

/// <summary>Whether replicas of one app avoid sharing a server.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Spread>))]
public enum Spread
{
    /// <summary>The server with the fewest replicas of the app first, and on it the VM with the fewest.</summary>
    [JsonStringEnumMemberName("server")] Server,

    /// <summary>Headroom alone decides.</summary>
    [JsonStringEnumMemberName("none")] None,
}

/// <summary>What becomes of replicas that are asked for together when not all of them fit.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<PlacementMode>))]
public enum PlacementMode
{
    /// <summary>As many as fit are placed, the others as soon as there is room.</summary>
    [JsonStringEnumMemberName("asManyAsFit")] AsManyAsFit,

    /// <summary>None is placed until there is room for all of them.</summary>
    [JsonStringEnumMemberName("allOrNothing")] AllOrNothing,
}

/// <summary>Shares of a server's CPU and memory, each compared with its utilization.</summary>
/// <param name="Admit">At or above it, for CPU or memory, a server takes no new container; over 0, up to 1.</param>
/// <param name="Evict">Above it containers leave; at least <paramref name="Admit"/>, up to 1.</param>
[GenerateSerializer, Alias("hosting.Thresholds")]
public readonly record struct Thresholds([property: Id(0)] double Admit, [property: Id(1)] double Evict)
{
    /// <summary>Admit under 0.60, evict over 0.80.</summary>
    public static Thresholds Default { get; } = new(0.60, 0.80);

    /// <summary>Whether containers are let in only where they may stay.</summary>
    [JsonIgnore] public bool AreInOrder => Admit <= Evict;
}

/// <summary>Thresholds to change; null leaves one as it is.</summary>
/// <param name="Admit">See <see cref="Thresholds"/>.</param>
/// <param name="Evict">See <see cref="Thresholds"/>.</param>
[GenerateSerializer, Immutable, Alias("hosting.ThresholdsPatch")]
public sealed record ThresholdsPatch([property: Id(0)] double? Admit = null, [property: Id(1)] double? Evict = null)
{
    /// <summary>The thresholds with this change; they need not be in order.</summary>
    public Thresholds Apply(Thresholds known) => new(Admit ?? known.Admit, Evict ?? known.Evict);
}

/// <summary>The shares of a server that are in use by anyone, at one moment.</summary>
/// <param name="Cpu">CPU, 0 to 1.</param>
/// <param name="Memory">Memory, 0 to 1.</param>
/// <param name="PrimaryCpu">CPU of what the server's agent was told is the primary, by default of everything that is not ours, 0 to 1.</param>
[GenerateSerializer, Immutable, Alias("hosting.Utilization")]
public readonly record struct Utilization(
    [property: Id(0)] double Cpu, [property: Id(1)] double Memory, [property: Id(2)] double PrimaryCpu);
