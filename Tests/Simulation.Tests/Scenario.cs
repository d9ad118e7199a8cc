using Hosting.Regions;
using Hosting.Servers;
using Hosting.Simulation.Tests.Checks;
using Hosting.Simulation.Tests.ControlPlane;
using Hosting.Simulation.Tests.Faults;
using Hosting.Simulation.Tests.Load;
using Hosting.Simulation.Tests.Time;
using Hosting.Simulation.Tests.World;

namespace Hosting.Simulation.Tests;

/// <summary>
/// A region of real decisions and played parts, over days. Decided by the code of the product: where replicas go, what a rollout
/// does next, who leaves a server and when, what counts as lost. Played: grains and the calls between them, agents, containers,
/// clocks, users, faults.
/// </summary>
/// <remarks>
/// What is scaled: the primaries' load is played 72 times as fast as it was recorded, so a row of 5 minutes takes 4 s, a day 20
/// minutes, a week 140. Everything the product measures in seconds stays as in production: suspect after 3 s, lost after 10 s, evicted
/// after 5 s over the threshold, cool-down 300 s, budget 20 at once and 120 a minute; so is what containers and calls take. Load thus
/// changes much faster here than in life, which makes it harder. Reports come every second instead of every half, mostly without delay;
/// one for a grain that is busy is dropped; gateways are a time until nothing is in flight. A day has 15 minutes of faults and 5 without, in which
/// primaries are held down so that there is room: then everything has to come to rest.
/// </remarks>
internal sealed class Scenario
{
    private const double LoadSpeed = 72;
    private static readonly TimeSpan Day = TimeSpan.FromMinutes(20);
    private static readonly TimeSpan Faults = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan Rest = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan WarmUp = TimeSpan.FromMinutes(1);

    private readonly Region _region;
    private readonly FaultPlan _faults;
    private readonly ConvergenceCheck _convergence;
    private readonly Random _random;

    /// <param name="seed">Draws everything.</param>
    /// <param name="load">Of the primaries.</param>
    /// <param name="servers">At least 1.</param>
    /// <param name="apps">At least 1.</param>
    /// <param name="policy">By which the region decides; the default one when null.</param>
    /// <param name="judged">By which it is judged; the one by which it decides when null.</param>
    public Scenario(int seed, LoadSource load, int servers, int apps, RegionPolicy? policy = null, RegionPolicy? judged = null)
    {
        _random = new Random(seed);
        policy ??= new RegionPolicy();
        _region = new Region(new VirtualTime(), new Random(_random.Next()), policy, judged ?? policy);
        _faults = new FaultPlan(_region, new Random(_random.Next()));
        _convergence = new ConvergenceCheck(_region);
        for (var i = 0; i < servers; i++) _region.Add(NewMachine(i, load), new Random(_random.Next()));
        foreach (var agent in _region.Agents) agent.Begin();
        for (var i = 0; i < apps; i++) DeployLater($"app-{i:000}");
    }

    public Database Database => _region.Database;

    public Watch Watch => _region.Watch;

    public long Events => _region.Time.Happened;

    /// <summary>Runs so many days, or up to the first rule that is broken.</summary>
    public Violation? Run(int days)
    {
        Calm(true);
        Go(WarmUp);
        for (var day = 0; day < days && Watch.First is null; day++)
        {
            Calm(false);
            _faults.Begin(Faults, Faults);
            Go(Faults);
            Calm(true);
            Go(Rest / 2);
            RetryStopped();
            Go(Rest / 2);
            if (Watch.First is null) _convergence.Check();
            DrainSome();
        }
        return Watch.First;
    }

    private void Go(TimeSpan duration) => _region.Time.Run(_region.Now + duration, () => Watch.First is null);

    private void Calm(bool calm)
    {
        foreach (var agent in _region.Agents) agent.Machine.Load.Calm = calm;
    }

    /// <summary>Platform faults may have stopped the rollout of a revision that is good: its user sees it, and tells the platform again.</summary>
    private void RetryStopped()
    {
        foreach (var app in _region.Users.Apps.Where(a => a.IsGood && _region.App(a.Name).StoppedAt is not null))
        {
            Watch.Tally.Retried++;
            _region.Users.Revise(app, app.Spec);
        }
    }

    private void DrainSome()
    {
        var drained = _region.Agents.Select(a => a.Machine.Name).OrderBy(_ => _random.Next()).Take(10)
            .Select((server, i) => (server, i % 2 == 0 ? null : "vm-1")).ToList();
        foreach (var (server, vm) in drained) _region.Users.Close(server, vm, drain: true);
        Go(Day - Faults - Rest);
        if (Watch.First is null) _convergence.CheckEmpty(drained);
        if (Watch.First is null) _convergence.Check();
        foreach (var (server, vm) in drained) _region.Users.Open(server, vm);
    }

    private void DeployLater(string name)
    {
        var spec = UserApp.NewSpec(_random);
        _region.Time.After(TimeSpan.FromSeconds(10 + 10 * _random.NextDouble()), () => _region.Users.Deploy(name, spec));
    }

    private Machine NewMachine(int number, LoadSource load)
    {
        var size = 1 << _random.Next(3);
        var record = new ServerRecord { Region = Region.Name, Name = $"srv-{number:0000}", CpuMillis = 8_000 * size, MemoryMiB = 16_384 * size };
        var trace = load.Traces[_random.Next(load.Traces.Count)];
        var primary = new PrimaryLoad(trace, _random.Next(trace.Cpu.Length), 0.6 + 0.5 * _random.NextDouble(), LoadSpeed);
        Engine[] engines =
        [
            new("vm-1", record.CpuMillis * 3 / 10, record.MemoryMiB * 3 / 10),
            new("vm-2", record.CpuMillis * 4 / 10, record.MemoryMiB * 4 / 10),
        ];
        return new Machine(record, engines, primary, TimeSpan.FromSeconds(4 * _random.NextDouble() - 2));
    }
}
