using System.Collections.Concurrent;
using Hosting.Apps;
using Hosting.Grains.Placement;
using Hosting.Grains.Storage;
using Hosting.Placement;
using Hosting.Regions;
using Hosting.Servers;

namespace Hosting.Api.Tests;

/// <summary>What the scripted grains answer.</summary>
public sealed class World
{
    public const string Region = "eu-1";

    public const string SilentRegion = "eu-2";

    public ConcurrentDictionary<string, AppStatus> Apps { get; } = new();

    public ConcurrentDictionary<string, RegionPolicy> Policies { get; } = new();

    public ConcurrentDictionary<string, ServerStatus> Servers { get; } = new();

    /// <summary>The last check of each server, by name.</summary>
    public ConcurrentDictionary<string, ServerCheck> Checks { get; } = new();

    /// <summary>What containers wrote, by id.</summary>
    public ConcurrentDictionary<string, List<LogLine>> Logs { get; } = new();

    /// <summary>What a call of a region that is not served ends with.</summary>
    public static Exception NoSilo => new OrleansException("secret: no silo");

    public ConcurrentQueue<PlacementRequest> Explained { get; } = new();

    /// <summary>A server with one VM, as its region would tell it.</summary>
    public void AddServer(string name) => Servers[name] = new ServerStatus
    {
        Server = new() { Region = Region, Name = name, CpuMillis = 8000, MemoryMiB = 16384, Labels = new Dictionary<string, string> { ["zone"] = "a" } },
        Online = true,
        Admitting = true,
        Utilization = new(0.25, 0.5, 0.125),
        Thresholds = Thresholds.Default,
        Vms =
        [
            new()
            {
                Vm = new() { Region = Region, Server = name, Name = "vm-1", Driver = "nested", CpuMillis = 2000, MemoryMiB = 1024, Ready = true },
                FreeCpuMillis = 1500, FreeMemoryMiB = 512, Containers = 2,
            },
        ],
    };

    public static AppStatus Status(string name, AppSpec spec, int revision, AppPhase phase = AppPhase.Deploying) => new()
    {
        Name = name, Revision = revision, Phase = phase, Desired = spec.Replicas, Ready = 0, Spec = spec,
    };
}

[GrainType("scripted-directory")]
internal sealed class ScriptedDirectory(World world) : Grain, IDirectoryGrain
{
    public Task<IReadOnlyList<string>> GetApps() => Task.FromResult<IReadOnlyList<string>>([.. world.Apps.Keys.Order(StringComparer.Ordinal)]);

    public Task<IReadOnlyList<string>> GetRegions() => Task.FromResult<IReadOnlyList<string>>([World.Region, World.SilentRegion]);

    public Task<IReadOnlyList<string>> GetApiAddresses() => Task.FromResult<IReadOnlyList<string>>([]);
}

[GrainType("scripted-app")]
internal sealed class ScriptedApp(World world) : Grain, IAppServiceGrain
{
    private string Name => this.GetPrimaryKeyString();

    public Task<DeployResult> Deploy(AppSpec spec, bool dryRun)
    {
        if (FailureOf(Name) is { } failure) throw failure;
        if (Name == "silent") return new TaskCompletionSource<DeployResult>().Task;
        if (spec.Port is < 1 or > 65535)
            return Task.FromResult(new DeployResult { Outcome = DeployOutcome.Invalid, Errors = [new("port", "must be 1 to 65535"), new("port", "really")] });
        if (spec.Hostnames?.Contains("taken.example.com") is true)
            return Task.FromResult(new DeployResult { Outcome = DeployOutcome.Conflict, Errors = [new("hostnames[0]", "belongs to the app 'other'")] });
        var known = world.Apps.GetValueOrDefault(Name);
        if (known is not null && known.Spec.Image == spec.Image && known.Spec.Replicas == spec.Replicas)
            return Task.FromResult(new DeployResult { Outcome = DeployOutcome.Unchanged, Status = known });
        var status = World.Status(Name, spec, (known?.Revision ?? 0) + 1);
        if (!dryRun) world.Apps[Name] = status;
        return Task.FromResult(new DeployResult { Outcome = known is null ? DeployOutcome.Created : DeployOutcome.Updated, Status = status });
    }

    private static Exception? FailureOf(string name) => name switch
    {
        "faulty" => new InvalidOperationException("secret"),
        "no-silo" => World.NoSilo,
        "no-store" => new StorageUnavailableException("secret", null),
        "fenced" => new PlacementFencedException(World.Region),
        _ => null,
    };

    public Task<AppStatus?> GetStatus() => Task.FromResult(world.Apps.GetValueOrDefault(Name));

    public Task<AppStatus?> Delete() => Task.FromResult(
        world.Apps.TryRemove(Name, out var status) ? status with { Phase = AppPhase.Deleting } : null);

    public Task<DeployResult?> Rollback(int? revision)
    {
        if (!world.Apps.TryGetValue(Name, out var known)) return Task.FromResult<DeployResult?>(null);
        if (revision > known.Revision)
            return Task.FromResult<DeployResult?>(new() { Outcome = DeployOutcome.Conflict, Errors = [new("revision", $"revision {revision} is not kept; kept are 1")] });
        var status = known with { Revision = known.Revision + 1, Message = $"back to {revision?.ToString() ?? "the one before"}" };
        world.Apps[Name] = status;
        return Task.FromResult<DeployResult?>(new() { Outcome = DeployOutcome.Updated, Status = status });
    }

    public Task<IReadOnlyList<AppRevision>?> GetRevisions() => Task.FromResult<IReadOnlyList<AppRevision>?>(
        world.Apps.TryGetValue(Name, out var known)
            ? [new() { Revision = known.Revision, Current = true, RollbackTarget = false, Spec = known.Spec, RollbackOf = 3 }]
            : null);

    public Task<IReadOnlyList<ContainerRecord>?> GetContainers() => throw new NotSupportedException();

    public Task<AppRoute?> Watch(IRouteObserver observer, RouteVersion? known) => throw new NotSupportedException();

    public Task<bool> Owns(string hostname) => throw new NotSupportedException();

    public Task Reconcile() => Task.CompletedTask;
}

[GrainType("scripted-placement")]
internal sealed class ScriptedPlacement(World world) : Grain, IPlacementGrain
{
    private string Region => this.GetPrimaryKeyString();

    public Task<bool> AnyServer() => Task.FromResult(true);

    public Task<IReadOnlyList<ServerStatus>> GetServers() => Region == World.SilentRegion
        ? throw World.NoSilo
        : Task.FromResult<IReadOnlyList<ServerStatus>>([.. world.Servers.Values]);

    public Task<PlacementExplanation> Explain(PlacementRequest request, int best)
    {
        if (Region == World.SilentRegion) throw World.NoSilo;
        world.Explained.Enqueue(request);
        return Task.FromResult(new PlacementExplanation
        {
            Region = Region,
            Vms = 2,
            Matching = 1,
            Excluded = [new(PlacementRule.FreeCpu, 1)],
            Candidates =
            [
                new()
                {
                    Server = "srv-1", Vm = "vm-1", FreeCpuMillis = 10, FreeMemoryMiB = best, ProjectedCpu = 0.3, ProjectedMemory = 0.4,
                    Admit = 0.6, Replicas = 0, ReplicasInVm = 0, ExcludedBy = PlacementRule.FreeCpu, Reason = "too little",
                },
            ],
        });
    }

    public Task<PlacementResult> Place(PlacementRequest request) => throw new NotSupportedException();

    public Task<IReadOnlyList<PlacementResult>> PlaceEach(IReadOnlyList<PlacementRequest> requests) => throw new NotSupportedException();

    public Task Release(IReadOnlyList<ContainerRelease> releases) => throw new NotSupportedException();

    public Task Join(ServerRecord server, IReadOnlyList<VmRecord> vms) => throw new NotSupportedException();

    public Task Leave(string server, string reason) => throw new NotSupportedException();

    public Task Configure(ServerRecord server) => throw new NotSupportedException();

    public Task ConfigureVm(VmRecord vm) => throw new NotSupportedException();

    public Task SetPolicy(RegionPolicy policy) => throw new NotSupportedException();

    public Task<IReadOnlyList<MoveAnswer>> BeginMoves(MoveQuestion question) => throw new NotSupportedException();

    public Task<IReadOnlyList<string>> Report(IReadOnlyList<ServerReport> reports) => throw new NotSupportedException();

    public Task Started(IReadOnlyList<ContainerStart> started) => throw new NotSupportedException();
}

[GrainType("scripted-region")]
internal sealed class ScriptedRegion(World world) : Grain, IRegionGrain
{
    private string Region => this.GetPrimaryKeyString();

    public Task<bool> Serves() => Task.FromResult(true);

    public Task<RegionPolicy> GetPolicy() => Region == World.SilentRegion
        ? throw World.NoSilo
        : Task.FromResult(world.Policies.GetValueOrDefault(Region, new RegionPolicy()));

    public Task<Thresholds?> Configure(RegionPatch patch)
    {
        var next = patch.Apply(world.Policies.GetValueOrDefault(Region, new RegionPolicy()));
        if (!next.Thresholds.AreInOrder)
            return Task.FromResult<Thresholds?>(next.Thresholds);
        world.Policies[Region] = next;
        return Task.FromResult<Thresholds?>(null);
    }

    public Task Keep() => Task.CompletedTask;
}

[GrainType("scripted-server")]
internal sealed class ScriptedServer(World world) : Grain, IServerGrain
{
    public Task<ServerConfigured> Configure(ServerPatch patch)
    {
        var status = world.Servers[this.GetPrimaryKeyString().Split('/')[1]];
        var thresholds = patch.ResetThresholds ? null : patch.Thresholds?.Apply(status.Thresholds) ?? status.Server.Thresholds;
        if (thresholds is { AreInOrder: false })
            return Task.FromResult(new ServerConfigured(status.Server, thresholds));
        var record = status.Server with
        {
            Cordoned = patch.Draining ?? patch.Cordoned ?? status.Server.Cordoned, Draining = patch.Draining ?? false, Thresholds = thresholds,
        };
        world.Servers[record.Name] = status with { Server = record, Thresholds = thresholds ?? Thresholds.Default };
        return Task.FromResult(new ServerConfigured(record));
    }

    public Task<VmRecord?> ConfigureVm(string vm, VmPatch patch)
    {
        var status = world.Servers[this.GetPrimaryKeyString().Split('/')[1]];
        var known = status.Vms.Single(v => v.Vm.Name == vm);
        var record = known.Vm with { Cordoned = patch.Draining ?? patch.Cordoned ?? false, Draining = patch.Draining ?? false };
        world.Servers[status.Server.Name] = status with { Vms = [.. status.Vms.Select(v => v == known ? v with { Vm = record } : v)] };
        return Task.FromResult<VmRecord?>(record);
    }

    public Task<string?> Connect(AgentHello hello, IAgentLink link) => throw new NotSupportedException();

    public Task Disconnect(long session) => throw new NotSupportedException();

    public Task<bool> Report(long session, UtilizationReport report) => throw new NotSupportedException();

    public Task<bool> ReportContainers(long session, IReadOnlyList<Vms.ContainerStatus> changed) => throw new NotSupportedException();

    public async Task<LogChunk> ReadLogs(LogRead read)
    {
        var all = world.Logs.GetValueOrDefault(read.Container) ?? [];
        var behind = all.Where(line => line.Position > read.From).ToList();
        var lines = behind.TakeLast(read.Tail ?? behind.Count).ToList();
        if (lines.Count == 0 && read.Follow) await Task.Delay(100);
        return new LogChunk
        {
            State = lines.Count > 0 || read.Follow ? LogState.Open : LogState.End,
            Lines = lines,
            Next = behind.Count > 0 ? behind[^1].Position : read.From,
        };
    }

    public Task CloseLogs(string reader) => Task.CompletedTask;

    public Task<bool> TakeLogs(long session, long request, LogChunk chunk) => throw new NotSupportedException();

    public Task<CheckBegun> BeginCheck()
    {
        var name = this.GetPrimaryKeyString().Split('/')[1];
        if (!world.Servers[name].Online)
            return Task.FromResult(new CheckBegun(null, "its agent is not connected"));
        return Task.FromResult(new CheckBegun(world.Checks[name] = new() { State = CheckState.Running, StartedAt = DateTimeOffset.UnixEpoch }));
    }

    public Task<ServerCheck?> GetCheck() => Task.FromResult(world.Checks.GetValueOrDefault(this.GetPrimaryKeyString().Split('/')[1]));

    public Task<bool> TakeCheck(long session, long request, CheckMeasured measured) => throw new NotSupportedException();

    public Task<ServerRecord?> GetRecord() => throw new NotSupportedException();

    public Task Keep() => Task.CompletedTask;
}
