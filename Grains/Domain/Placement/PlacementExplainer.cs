using System.Globalization;
using Hosting.Placement;

namespace Hosting.Domain.Placement;

/// <summary>Asks every VM of a region and sorts them: slow and complete, where the index is quick.</summary>
internal sealed class PlacementExplainer(string region, PlacementQuery query, DateTimeOffset now)
{
    /// <summary>A VM with everything that orders it; the smaller, the earlier it is listed.</summary>
    private readonly record struct Standing(VmEntry Vm, PlacementRule? ExcludedBy, int Replicas, int InVm, int Score, int Position) : IComparable<Standing>
    {
        private (int, int, int, int, int, long, int) Key => (
            ExcludedBy is { } rule ? 1 + (int)PlacementRule.MemoryThreshold - (int)rule : 0,
            Replicas, Score, Vm.Server.Id, InVm, PlacementScore.Room(Vm), Position);

        public int CompareTo(Standing other) => Key.CompareTo(other.Key);
    }

    private sealed class WorstFirst : IComparer<Standing>
    {
        public static readonly WorstFirst Instance = new();

        public int Compare(Standing x, Standing y) => y.CompareTo(x);
    }

    private readonly int[] _excluded = new int[PlacementRules.Count];
    private readonly PriorityQueue<Standing, Standing> _best = new(WorstFirst.Instance);
    private int _matching;

    public PlacementExplanation Explain(IReadOnlyList<ServerEntry> servers, int best)
    {
        foreach (var server in servers) Ask(server, best);
        return new PlacementExplanation
        {
            Region = region,
            Vms = _matching + _excluded.Sum(),
            Matching = _matching,
            Excluded = PlacementRefusals.Rules(_excluded),
            Candidates = Listed(),
        };
    }

    private void Ask(ServerEntry server, int best)
    {
        var allowed = query.Allows(server);
        var replicas = query.Spread ? query.App.On(server.Id) : 0;
        var score = PlacementScore.Of(server);
        if (query.Spread) server.CountReplicas(query.App);
        for (var position = 0; position < server.Vms.Length; position++)
        {
            var vm = server.Vms[position];
            var standing = new Standing(vm, PlacementRules.Excluding(vm, query.Demand, allowed), replicas, query.Spread ? vm.Replicas : 0, score, position);
            if (standing.ExcludedBy is { } rule) _excluded[(int)rule]++;
            else _matching++;
            Keep(standing, best);
        }
    }

    private void Keep(Standing standing, int best)
    {
        if (_best.Count < best) _best.Enqueue(standing, standing);
        else if (best > 0) _best.EnqueueDequeue(standing, standing);
    }

    private PlacementCandidate[] Listed()
    {
        var listed = new PlacementCandidate[_best.Count];
        for (var i = listed.Length - 1; i >= 0; i--) listed[i] = Candidate(_best.Dequeue(), i + 1);
        return listed;
    }

    private PlacementCandidate Candidate(Standing standing, int rank)
    {
        var (vm, server) = (standing.Vm, standing.Vm.Server);
        server.CountReplicas(query.App);
        return new PlacementCandidate
        {
            Server = server.Record.Name,
            Vm = vm.Record.Name,
            FreeCpuMillis = Math.Max(0, vm.FreeCpu),
            FreeMemoryMiB = Math.Max(0, vm.FreeMemory),
            ProjectedCpu = server.ProjectedCpu(query.Demand.CpuMillis),
            ProjectedMemory = server.ProjectedMemory(query.Demand.MemoryMiB),
            Admit = server.Thresholds.Admit,
            Replicas = query.App.On(server.Id),
            ReplicasInVm = vm.Replicas,
            Rank = standing.ExcludedBy is null ? rank : null,
            ExcludedBy = standing.ExcludedBy,
            Reason = Reason(vm, standing.ExcludedBy),
        };
    }

    private string? Reason(VmEntry vm, PlacementRule? rule) => rule switch
    {
        null => null,
        PlacementRule.Cordoned when vm.Server.ClosedBy is null && vm.Record is { Cordoned: false, Leaving: true } => "leaving its server",
        PlacementRule.Cordoned when vm.Server.ClosedBy is null => ServerReasons.Cordoned(vm.Record.Draining),
        PlacementRule.VmNotReady when vm.Retired => "its server no longer offers it",
        PlacementRule.VmNotReady => vm.Record.Reason ?? "its engine does not answer",
        PlacementRule.Constraints when query.Avoid.Contains(vm.Server) => "its server is to be avoided",
        PlacementRule.Constraints => $"its server lacks {MissingLabel(vm.Server)}",
        PlacementRule.FreeCpu => Text($"{Math.Max(0, vm.FreeCpu)}m CPU free, {query.Demand.CpuMillis}m needed"),
        PlacementRule.FreeMemory => Text($"{Math.Max(0, vm.FreeMemory)} MiB free, {query.Demand.MemoryMiB} MiB needed"),
        PlacementRule.CpuThreshold => ServerReasons.Threshold("CPU", vm.Server.ProjectedCpu(query.Demand.CpuMillis), vm.Server.Thresholds.Admit),
        PlacementRule.MemoryThreshold => ServerReasons.Threshold("memory", vm.Server.ProjectedMemory(query.Demand.MemoryMiB), vm.Server.Thresholds.Admit),
        _ => ServerReasons.Closed(vm.Server, now),
    };

    private string MissingLabel(ServerEntry server)
    {
        var missing = query.Constraints!.First(label => !server.Record.Labels.TryGetValue(label.Key, out var has) || has != label.Value);
        return $"the label {missing.Key}={missing.Value}";
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
