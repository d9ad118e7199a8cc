using System.Text.Json.Serialization;
using Hosting.Placement;

namespace Hosting.Apps;

/// <summary>What a user asks for: an app service, as the HTTP API and the SDK take it. Immutable.</summary>
/// <remarks>Only <see cref="Image"/> and <see cref="Port"/> are required. Ranges are checked by <c>AppSpecRules</c>.</remarks>
[GenerateSerializer, Alias("hosting.AppSpec")]
public sealed record AppSpec
{
    /// <summary>Image reference, as the container engine knows it, for example <c>shop:1.4</c>.</summary>
    [Id(0)] public required string Image { get; init; }

    /// <summary>Replaces the image's entry point; null keeps it.</summary>
    [Id(1)] public IReadOnlyList<string>? Command { get; init; }

    /// <summary>Replaces the image's arguments; null or empty keeps them.</summary>
    [Id(2)] public IReadOnlyList<string>? Args { get; init; }

    /// <summary>TCP port the app listens on inside its container, 1 to 65535.</summary>
    [Id(3)] public required int Port { get; init; }

    /// <summary>CPU demand of one replica in thousandths of a core, 1 to 1,000,000.</summary>
    [Id(4)] public int CpuMillis { get; init; } = 100;

    /// <summary>Memory demand and limit of one replica in MiB, 4 to 16,777,216.</summary>
    [Id(5)] public int MemoryMiB { get; init; } = 128;

    /// <summary>Replicas over all regions, 0 to 1,000. Where <see cref="Regions"/> says how many each has, their sum (or 1, which is the default).</summary>
    [Id(6)] public int Replicas { get; init; } = 1;

    /// <summary>Regions that share the replicas, evenly or with a number each; null or empty means every region of the platform, evenly.</summary>
    [Id(7), JsonConverter(typeof(RegionSharesConverter))] public IReadOnlyList<RegionShare>? Regions { get; init; }

    /// <summary>Environment variables of the container.</summary>
    [Id(8)] public IReadOnlyDictionary<string, string>? Env { get; init; }

    /// <summary>Host names of the app's own, besides the one made from its name.</summary>
    [Id(9)] public IReadOnlyList<string>? Hostnames { get; init; }

    /// <summary>How a replica proves that it can take traffic; null means that its port accepts a connection.</summary>
    [Id(10)] public HealthCheck? HealthCheck { get; init; }

    /// <summary>How far a rollout may go beyond and below the wanted number of replicas.</summary>
    [Id(11)] public RolloutSpec? Rollout { get; init; }

    /// <summary>Seconds between SIGTERM and SIGKILL, 0 to 3,600.</summary>
    [Id(12)] public int StopGraceSeconds { get; init; } = 10;

    /// <summary>Whether replicas avoid sharing a server.</summary>
    [Id(13)] public Spread Spread { get; init; } = Spread.Server;

    /// <summary>Labels a server must carry with exactly these values; null or empty means any server.</summary>
    [Id(14)] public IReadOnlyDictionary<string, string>? Constraints { get; init; }

    /// <summary>
    /// Whether replicas that a region lacks are placed as far as they fit, or all together or not at all. Decided in each
    /// region for its share; a rollout asks for at most <see cref="RolloutSpec.MaxSurge"/> beyond the wanted number at once.
    /// </summary>
    [Id(15)] public PlacementMode Placement { get; init; }

    /// <summary>Replicas that each region has at least, 0 to 1,000, also where an even share would be less: then the app has more than <see cref="Replicas"/>.</summary>
    [Id(16)] public int MinPerRegion { get; init; }

    /// <summary>Whether the others run the share of a region that is away, until it is back.</summary>
    [Id(17)] public bool Failover { get; init; }

    /// <summary>Whether the container cannot write to its image's files; <c>/tmp</c> and <c>/run</c> are in memory then.</summary>
    [Id(18)] public bool ReadOnlyRoot { get; init; }
}

/// <summary>A periodic check of one replica, made by its server's agent over the container's own address.</summary>
[GenerateSerializer, Alias("hosting.HealthCheck")]
public sealed record HealthCheck
{
    /// <summary>Path of a GET that answers 200 to 399 when healthy; null checks that the port accepts a connection.</summary>
    [Id(0)] public string? Path { get; init; }

    /// <summary>Seconds between two checks, 1 to 3,600.</summary>
    [Id(1)] public int IntervalSeconds { get; init; } = 2;

    /// <summary>Seconds until a check counts as failed, 1 to <see cref="IntervalSeconds"/>.</summary>
    [Id(2)] public int TimeoutSeconds { get; init; } = 1;

    /// <summary>Successes in a row that make a replica healthy, 1 to 100.</summary>
    [Id(3)] public int HealthyAfter { get; init; } = 1;

    /// <summary>Failures in a row that make a replica unhealthy, 1 to 100.</summary>
    [Id(4)] public int UnhealthyAfter { get; init; } = 3;

    /// <summary>Seconds after the start in which failures do not count, 0 to 3,600.</summary>
    [Id(5)] public int GracePeriodSeconds { get; init; } = 30;
}

/// <summary>Bounds of a rollout, both counted in replicas of one region; never both 0.</summary>
[GenerateSerializer, Alias("hosting.RolloutSpec")]
public sealed record RolloutSpec
{
    /// <summary>Replicas beyond the wanted number while rolling, 0 to 1,000. Moves have a bound of their own.</summary>
    [Id(0)] public int MaxSurge { get; init; } = 1;

    /// <summary>Replicas below the wanted number while rolling, 0 to 1,000.</summary>
    [Id(1)] public int MaxUnavailable { get; init; }

    /// <summary>Seconds a rollout may go without one more healthy replica before it is stopped, 1 to 3,600.</summary>
    [Id(2)] public int ProgressDeadlineSeconds { get; init; } = 120;
}
