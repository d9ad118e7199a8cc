using Hosting.Apps;
using Hosting.Domain.Apps;
using Hosting.Grains.Storage;
using Hosting.Placement;
using Hosting.Regions;
using Microsoft.Extensions.Logging;

namespace Hosting.Grains.Apps;

[GrainType("app-service")]
internal sealed class AppServiceGrain(
    [PersistentState("state")] IPersistentState<AppDocument> document,
    PoolStore pool,
    EventLog events,
    TimeProvider clock,
    ILogger<AppServiceGrain> log) : Grain, IAppServiceGrain
{
    private const int RevisionsKept = 10;
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LookAtRegionsEvery = TimeSpan.FromSeconds(3);

    private readonly Durable<AppDocument> _app = new(document);

    // Regions that confirmed the document's generation. What is not confirmed is told again.
    private readonly HashSet<string> _told = new(StringComparer.Ordinal);
    private readonly HashSet<string> _unreachable = new(StringComparer.Ordinal);
    private GatewaySubscriptions _gateways = null!;
    private RegionWatch _regions = null!;
    private RegionReach _reach = null!;
    private IGrainTimer? _retry;
    private TimeSpan _retryAfter = FirstRetry;
    private RouteVersion _version;

    private string Name => this.GetPrimaryKeyString();
    private AppDocument App => _app.Value;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _gateways = new GatewaySubscriptions(clock, log);
        _regions = new RegionWatch(Name, GrainFactory, clock);
        _reach = new RegionReach(clock);
        _version = new RouteVersion(clock.GetUtcNow().UtcTicks, 0);
        return Task.CompletedTask;
    }

    public async Task<DeployResult> Deploy(AppSpec spec, bool dryRun)
    {
        var regions = await pool.GetRegions(CancellationToken.None);
        var errors = AppSpecRules.Check(Name, spec, regions);
        if (errors.Count > 0)
            return new DeployResult { Outcome = DeployOutcome.Invalid, Errors = errors };
        if (App.Deleting)
            return Conflict("name", $"app '{Name}' is being deleted; try again when it is gone.");
        if (App.Spec is { } known && AppSpecComparison.AreSame(known, spec))
            return new DeployResult { Outcome = DeployOutcome.Unchanged, Status = await Status(App) };
        var next = Revise(spec, regions, App.Spec is { } today && AppSpecComparison.RunTheSame(today, spec) ? App.Revision : App.Revision + 1);
        if (dryRun)
            return await DryRun(next);
        return await ClaimHostnames(spec) ?? await Commit(next);
    }

    public async Task<DeployResult?> Rollback(int? revision)
    {
        if (App.Spec is not { } today)
            return null;
        if (App.Deleting)
            return Conflict("name", $"app '{Name}' is being deleted.");
        var serving = (await Status(App)).Serving;
        if ((revision ?? Rollbacks.DefaultTarget(App.Revision, App.Revisions.Keys, serving)) is not { } target
            || !App.Revisions.TryGetValue(target, out var earlier))
            return Conflict("revision", Rollbacks.Refusal(revision, App.Revision, App.Revisions.Keys));
        var spec = Rollbacks.Spec(earlier, today);
        if (serving is null && AppSpecComparison.RunTheSame(today, spec))
            return new DeployResult { Outcome = DeployOutcome.Unchanged, Status = await Status(App) };
        var regions = await pool.GetRegions(CancellationToken.None);
        var errors = AppSpecRules.Check(Name, spec, regions);
        if (errors.Count > 0)
            return new DeployResult { Outcome = DeployOutcome.Invalid, Errors = errors };
        Log("rolledBack", $"app {Name} goes back to what revision {target} ran");
        return await Commit(Revise(spec, regions, App.Revision + 1, target));
    }

    public async Task<IReadOnlyList<AppRevision>?> GetRevisions()
    {
        var app = App;
        if (app.Spec is null)
            return null;
        var target = Rollbacks.DefaultTarget(app.Revision, app.Revisions.Keys, (await Status(app)).Serving);
        return [.. app.Revisions.OrderByDescending(r => r.Key).Select(r => new AppRevision
        {
            Revision = r.Key,
            CreatedAt = app.Origins.GetValueOrDefault(r.Key)?.At,
            RollbackOf = app.Origins.GetValueOrDefault(r.Key)?.RollbackOf,
            Current = r.Key == app.Revision,
            RollbackTarget = r.Key == target,
            Spec = r.Value,
        })];
    }

    public async Task<AppStatus?> GetStatus() => App.Spec is null ? null : await Status(App);

    public async Task<AppStatus?> Delete()
    {
        if (App.Spec is null)
            return null;
        if (!App.Deleting)
        {
            await _app.Write(this, App with { Deleting = true, Shares = [], Generation = App.Generation + 1 });
            Log("deleted", $"app {Name} was deleted; its containers are being stopped");
            _told.Clear();
            await Reconcile();
        }
        return await GetStatus() ?? Gone();
    }

    public async Task<IReadOnlyList<ContainerRecord>?> GetContainers()
    {
        if (App.Spec is null)
            return null;
        var regions = await Task.WhenAll(App.Regions.Select(region => ReplicaSet(region).GetContainers()));
        return [.. regions.SelectMany(r => r)];
    }

    public async Task<AppRoute?> Watch(IRouteObserver observer, RouteVersion? known)
    {
        if (App.Spec is null)
            return new AppRoute { App = Name, Version = _version, Hostnames = [], Regions = [] };
        _gateways.Add(observer);
        if (known == _version)
            return null;
        // It was made by an activation whose clock was ahead of this one's.
        if (known is { } version && version.IsNewerThan(_version))
            _version = version.NextEpoch();
        return await Route(set => set.Watch(observer, null));
    }

    public Task<bool> Owns(string hostname) =>
        Task.FromResult(App.Spec?.Hostnames?.Contains(hostname, StringComparer.Ordinal) ?? false);

    public async Task Reconcile()
    {
        if (App.Spec is null)
        {
            DeactivateOnIdle();
            return;
        }
        await FailOver();
        await Task.WhenAll(App.Regions.Where(r => !_told.Contains(r)).Select(Tell));
        await ForgetRetired();
        StopRetrying();
        if (App.Spec is not null && !(App.Regions.All(_told.Contains) && App.Regions.All(App.Shares.ContainsKey)))
        {
            ReconcileAfter(_retryAfter);
            _retryAfter = _retryAfter * 2 < LongestRetry ? _retryAfter * 2 : LongestRetry;
            return;
        }
        _retryAfter = FirstRetry;
        if (App.Spec is { Failover: true })
            ReconcileAfter(LookAtRegionsEvery);
    }

    /// <summary>An app that asks for it runs the shares of regions that are away in the others.</summary>
    private async Task FailOver()
    {
        if (App.Deleting || !(App.Spec!.Failover || App.Away.Count > 0))
            return;
        var before = App.Away;
        var away = App.Spec.Failover ? await _regions.Look(App.Shares, before) : [];
        if (away.SequenceEqual(before, StringComparer.Ordinal))
            return;
        await _app.Write(this, App with { Away = [.. away], Generation = App.Generation + 1 });
        _told.Clear();
        foreach (var region in away.Except(before, StringComparer.Ordinal))
            Log("regionAway", $"region {region} is away: the other regions of app {Name} run its share of {App.Shares[region]} until it is back");
        foreach (var region in before.Except(away, StringComparer.Ordinal))
            Log("regionBack", $"region {region} is back: it runs its share of app {Name} again");
    }

    private void ReconcileAfter(TimeSpan delay) =>
        _retry = this.RegisterGrainTimer(Reconcile, new() { DueTime = delay, Period = Timeout.InfiniteTimeSpan });

    private AppDocument Revise(AppSpec spec, IReadOnlyList<string> regions, int revision, int? rollbackOf = null)
    {
        var shares = RegionSplit.Of(spec, regions);
        var kept = App.Revisions.Where(r => r.Key > revision - RevisionsKept).ToDictionary();
        kept[revision] = spec;
        var origins = App.Origins.Where(o => kept.ContainsKey(o.Key)).ToDictionary();
        origins.TryAdd(revision, new RevisionOrigin(clock.GetUtcNow(), rollbackOf));
        return App with
        {
            Spec = spec,
            Revision = revision,
            Generation = App.Generation + 1,
            Revisions = kept,
            Origins = origins,
            Shares = new(shares, StringComparer.Ordinal),
            Away = [.. App.Away.Where(shares.ContainsKey)],
            Regions = [.. App.Regions.Union(shares.Keys, StringComparer.Ordinal)],
        };
    }

    private async Task<DeployResult> DryRun(AppDocument next)
    {
        foreach (var hostname in next.Spec!.Hostnames ?? [])
        {
            if (await GrainFactory.GetGrain<IHostnameGrain>(hostname).GetOwner() is { } owner && owner != Name)
                return Taken(hostname, owner);
        }
        var outcome = App.Spec is null ? DeployOutcome.Created : DeployOutcome.Updated;
        return new DeployResult { Outcome = outcome, Status = await Status(next) with { Phase = AppPhase.Deploying, Message = "dry run: nothing was changed" } };
    }

    /// <summary>Takes every name, or none: those just taken are given back when one is another app's.</summary>
    private async Task<DeployResult?> ClaimHostnames(AppSpec spec)
    {
        var claimed = new List<string>();
        foreach (var hostname in (spec.Hostnames ?? []).Except(App.Spec?.Hostnames ?? [], StringComparer.Ordinal))
        {
            var owner = await GrainFactory.GetGrain<IHostnameGrain>(hostname).Claim(Name);
            if (owner == Name)
            {
                claimed.Add(hostname);
                continue;
            }
            await ReleaseHostnames(claimed);
            return Taken(hostname, owner);
        }
        return null;
    }

    private async Task<DeployResult> Commit(AppDocument next)
    {
        var before = App;
        await _app.Write(this, next);
        var outcome = before.Spec is null ? DeployOutcome.Created : DeployOutcome.Updated;
        Log("deployed", $"app {Name} has revision {next.Revision}: {next.Spec!.Image}, {next.Shares.Values.Sum()} replicas over {string.Join(", ", next.Shares.Keys)}");
        _told.Clear();
        _retryAfter = FirstRetry;
        _version = _version with { Number = _version.Number + 1 };
        await Reconcile();
        await ReleaseHostnames((before.Spec?.Hostnames ?? []).Except(next.Spec.Hostnames ?? [], StringComparer.Ordinal));
        if (before.Spec is not null)
            await PublishRoute();
        return new DeployResult { Outcome = outcome, Status = await Status(App) };
    }

    /// <summary>Regions whose share is gone leave the document; with the last one a deleted app is over.</summary>
    private async Task ForgetRetired()
    {
        var retiring = App.Regions.Where(r => !App.Shares.ContainsKey(r) && _told.Contains(r)).ToList();
        if (retiring.Count == 0 && !(App.Deleting && App.Regions.Count == 0))
            return;
        var gone = new List<string>();
        foreach (var region in retiring)
        {
            if (await Ask(region) is { Answered: true, Status: null })
                gone.Add(region);
        }
        var left = App.Regions.Except(gone, StringComparer.Ordinal).ToList();
        if (App.Deleting && left.Count == 0)
            await Forget();
        else if (gone.Count > 0)
            await _app.Write(this, App with { Regions = left });
    }

    private async Task Forget()
    {
        await ReleaseHostnames(App.Spec?.Hostnames ?? []);
        await _app.Clear(this);
        Log("gone", $"app {Name} is gone");
        _version = _version with { Number = _version.Number + 1 };
        await PublishRoute();
        DeactivateOnIdle();
    }

    private async Task Tell(string region)
    {
        var generation = App.Generation;
        var failure = "it does not answer";
        try
        {
            var (told, _) = await _reach.Ask(region, async () =>
            {
                await ReplicaSet(region).Apply(new ReplicaSetSpec
                {
                    Revision = App.Revision,
                    Spec = App.Spec!,
                    Generation = generation,
                    Replicas = RegionSplit.Without(App.Shares, App.Away).GetValueOrDefault(region),
                    Retired = !App.Shares.ContainsKey(region),
                });
                return true;
            });
            if (told)
            {
                _unreachable.Remove(region);
                if (App.Generation == generation)
                    _told.Add(region);
                return;
            }
        }
        catch (Exception refused)
        {
            failure = refused.Message;
        }
        if (_unreachable.Add(region))
            log.LogWarning("Region {Region} could not be told of app {App}, generation {Generation}; it is told again until it answers: {Reason}",
                region, Name, generation, failure);
    }

    private async Task<AppStatus> Status(AppDocument app)
    {
        var answers = await Task.WhenAll(app.Regions.Except(app.Away, StringComparer.Ordinal).Select(async region => (Region: region, Answer: await Ask(region))));
        var regions = answers
            .Where(a => !a.Answer.Answered || a.Answer.Status is not null)
            .Select(a => KeyValuePair.Create(a.Region, a.Answer.Status))
            .ToList();
        var desired = app.Deleting ? 0 : app.Shares.Values.Sum();
        var (phase, message) = AppPhases.Of(app.Deleting, desired, regions, app.Away);
        return new AppStatus
        {
            Name = Name,
            Revision = app.Revision,
            Phase = phase,
            Desired = desired,
            Ready = regions.Sum(r => r.Value?.Ready ?? 0),
            Message = message,
            Spec = app.Spec!,
            Serving = regions.Select(r => r.Value?.Serving).FirstOrDefault(s => s is not null),
        };
    }

    private Task<(bool Answered, ReplicaSetStatus? Status)> Ask(string region) => _reach.Ask(region, () => ReplicaSet(region).GetStatus());

    private AppStatus Gone() => new()
    {
        Name = Name,
        Revision = 0,
        Phase = AppPhase.Deleting,
        Desired = 0,
        Ready = 0,
        Message = "gone",
        Spec = new AppSpec { Image = "", Port = 0 },
    };

    /// <summary>The route with what each region says. One that does not answer has no version yet: a gateway keeps what it knows of it, and asks it itself.</summary>
    private async Task<AppRoute> Route(Func<IReplicaSetGrain, Task<RouteTable?>> ask)
    {
        // What changes while the regions are asked gets the next version, with which the gateways hear of it.
        var (app, version) = (App, _version);
        var tables = await Task.WhenAll(app.Regions.Select(async region =>
            (await _reach.Ask(region, () => ask(ReplicaSet(region)))).Value
                ?? new RouteTable { App = Name, Region = region, Version = default, Endpoints = [] }));
        return new AppRoute { App = Name, Version = version, Hostnames = app.Spec?.Hostnames ?? [], Regions = tables };
    }

    private async Task PublishRoute()
    {
        var route = await Route(async set => await set.GetTable());
        await _gateways.Publish(gateway => gateway.AppChanged(route));
    }

    private async Task ReleaseHostnames(IEnumerable<string> hostnames)
    {
        foreach (var hostname in hostnames)
            await GrainFactory.GetGrain<IHostnameGrain>(hostname).Release(Name);
    }

    private IReplicaSetGrain ReplicaSet(string region) => GrainFactory.GetGrain<IReplicaSetGrain>(GrainKeys.ReplicaSet(region, Name));

    private void StopRetrying()
    {
        _retry?.Dispose();
        _retry = null;
    }

    private static DeployResult Taken(string hostname, string owner) =>
        Conflict("hostnames", $"'{hostname}' belongs to app '{owner}'; remove it there first.");

    private static DeployResult Conflict(string field, string message) =>
        new() { Outcome = DeployOutcome.Conflict, Errors = [new SpecError(field, message)] };

    private void Log(string kind, string message)
    {
        log.LogInformation("{Message}", message);
        events.Write(new PlatformEvent { At = clock.GetUtcNow(), App = Name, Kind = kind, Message = message });
    }
}
