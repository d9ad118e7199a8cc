using Orleans.Configuration;

namespace Hosting.Silo;

/// <summary>
/// How soon a silo's loss is noticed and how long a call may take; section <c>Hosting:Silo:Tuning</c>, in seconds where nothing
/// else is said. The defaults are for a platform whose users notice seconds: with Orleans' own it took 11 s until a killed
/// silo was given up and 61 s for a frozen one, with these about 1 s (measured on 2 cores).
/// </summary>
internal sealed class ClusterTuning
{
    /// <summary>
    /// Time for the answer to a probe, 0.1 to 60, and about the time between two probes. Orleans halves it at most when
    /// answers come fast. A silo that pauses for longer than all missed probes together is voted out and restarts.
    /// </summary>
    public double ProbeTimeout { get; set; } = 1;

    /// <summary>What a slow network may stretch <see cref="ProbeTimeout"/> to; Orleans' own limit is four times.</summary>
    public double MaxProbeTimeout { get; set; } = 2;

    /// <summary>Probes in a row without an answer until a silo is suspected, 1 to 100. One lost packet, or a full collection, costs one.</summary>
    public int MissedProbes { get; set; } = 3;

    /// <summary>
    /// Silos that have to suspect another until it is dead, 1 to 10. With two silos nobody else is there to agree; with three
    /// and more, 2 keeps a silo that alone is cut off from voting others out, at the price of another probe's time.
    /// </summary>
    public int Votes { get; set; } = 1;

    /// <summary>How often the membership is read again, 1 to 600; gossip tells of changes, this repairs what was lost. A query each.</summary>
    public double TableRefresh { get; set; } = 5;

    /// <summary>How often a silo writes that it is alive, 1 to 600: who starts after an outage gives those up that have not for three times as long.</summary>
    public double Alive { get; set; } = 5;

    /// <summary>
    /// Deadline of a call between grains, 1 to 30. Orleans' own is 30: a call that was under way when its silo was lost would
    /// be waited for that long.
    /// </summary>
    public double Call { get; set; } = 5;

    /// <summary>
    /// Requests that may wait for one activation, 100 to 1,000,000; more are refused at once. A busy grain answers some 10,000
    /// a second, so what waits behind so many would be late anyway.
    /// </summary>
    public int Waiting { get; set; } = 10_000;

    /// <summary>Adds what is out of range.</summary>
    public void Check(List<string> errors)
    {
        Range(nameof(ProbeTimeout), ProbeTimeout, 0.1, 60);
        Range(nameof(MaxProbeTimeout), MaxProbeTimeout, ProbeTimeout, 60);
        Range(nameof(MissedProbes), MissedProbes, 1, 100);
        Range(nameof(Votes), Votes, 1, 10);
        Range(nameof(TableRefresh), TableRefresh, 1, 600);
        Range(nameof(Alive), Alive, 1, 600);
        Range(nameof(Call), Call, 1, 30);
        Range(nameof(Waiting), Waiting, 100, 1_000_000);

        void Range(string name, double value, double least, double most)
        {
            if (!(value >= least && value <= most))
                errors.Add($"Hosting:Silo:Tuning:{name}: {value} is out of range: use {least} to {most}.");
        }
    }

    /// <summary>Makes a silo use it.</summary>
    public void Apply(ISiloBuilder silo)
    {
        silo.Configure<ClusterMembershipOptions>(o =>
        {
            o.ProbeTimeout = TimeSpan.FromSeconds(ProbeTimeout);
            o.MaxProbeTimeout = TimeSpan.FromSeconds(MaxProbeTimeout);
            o.NumMissedProbesLimit = MissedProbes;
            o.NumVotesForDeathDeclaration = Votes;
            o.TableRefreshTimeout = TimeSpan.FromSeconds(TableRefresh);
            o.IAmAliveTablePublishTimeout = TimeSpan.FromSeconds(Alive);
            o.NumMissedTableIAmAliveLimit = 3;
            // A frozen silo's connections stay open for long, and would keep it alive.
            o.EnableConnectionLivenessCheck = false;
        });
        silo.Configure<SiloMessagingOptions>(o =>
        {
            o.ResponseTimeout = o.PlacementTimeout = TimeSpan.FromSeconds(Call);
            // Orleans' own calls, which take over a lost silo's part of the directory, among others: 30 s by default.
            o.SystemResponseTimeout = 2 * TimeSpan.FromSeconds(Call);
            o.MaxEnqueuedRequestsHardLimit = o.MaxEnqueuedRequestsHardLimit_StatelessWorker = Waiting;
        });
        // An activation that waits for a database that is away must not hold its callers longer than the call would.
        silo.Configure<GrainCollectionOptions>(o => (o.ActivationTimeout, o.DeactivationTimeout) = (2 * TimeSpan.FromSeconds(Call), 2 * TimeSpan.FromSeconds(Call)));
        silo.Configure<ConnectionOptions>(o => o.OpenConnectionTimeout = TimeSpan.FromSeconds(2));
    }
}
