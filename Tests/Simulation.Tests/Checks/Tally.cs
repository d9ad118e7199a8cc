namespace Hosting.Simulation.Tests.Checks;

/// <summary>What happened, for the test's output: a simulation in which nothing happens proves nothing.</summary>
internal sealed class Tally
{
    public int Placements { get; set; }

    public int Refusals { get; set; }

    public int Evictions { get; set; }

    public int Drains { get; set; }

    public int Losses { get; set; }

    public int ServersLost { get; set; }

    public int RolloutsStopped { get; set; }

    public int PlacementRestarts { get; set; }

    public int Retried { get; set; }

    public SortedDictionary<string, int> Faults { get; } = new(StringComparer.Ordinal);

    public override string ToString() =>
        $"{Placements} placements, {Refusals} refusals, {Evictions} evictions, {Drains} drained, {Losses} replaced as lost ({ServersLost} servers lost), "
        + $"{RolloutsStopped} rollouts stopped ({Retried} good ones told again), placement began {PlacementRestarts} times; faults: "
        + string.Join(", ", Faults.Select(f => $"{f.Value} {f.Key}"));
}
