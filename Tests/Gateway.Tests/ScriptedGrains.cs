using Hosting.Apps;
using Hosting.Placement;
using Hosting.Regions;

namespace Hosting.Gateway.Tests;

public sealed class ScriptedAppService(Script script) : Grain, IAppServiceGrain
{
    public Task<AppRoute?> Watch(IRouteObserver observer, RouteVersion? known) =>
        script.App(this.GetPrimaryKeyString()).WatchApp(observer, known);

    public Task<DeployResult> Deploy(AppSpec spec, bool dryRun = false) => throw new NotSupportedException();

    public Task<AppStatus?> GetStatus() => throw new NotSupportedException();

    public Task<AppStatus?> Delete() => throw new NotSupportedException();

    public Task<IReadOnlyList<ContainerRecord>?> GetContainers() => throw new NotSupportedException();

    public Task<DeployResult?> Rollback(int? revision = null) => throw new NotSupportedException();

    public Task<IReadOnlyList<AppRevision>?> GetRevisions() => throw new NotSupportedException();

    public Task<bool> Owns(string hostname) => throw new NotSupportedException();

    public Task Reconcile() => throw new NotSupportedException();
}

public sealed class ScriptedReplicaSet(Script script) : Grain, IReplicaSetGrain
{
    public Task<RouteTable?> Watch(IRouteObserver observer, RouteVersion? known)
    {
        var key = this.GetPrimaryKeyString().Split('/');
        return Task.FromResult(script.App(key[1]).WatchTable(key[0], observer, known));
    }

    public Task Apply(ReplicaSetSpec spec) => throw new NotSupportedException();

    public Task<ReplicaSetStatus?> GetStatus() => throw new NotSupportedException();

    public Task<IReadOnlyList<ContainerRecord>> GetContainers() => throw new NotSupportedException();

    public Task<AppSpec?> GetRevision(int revision) => throw new NotSupportedException();

    public Task Observe(IReadOnlyList<ContainerRecord> changed) => throw new NotSupportedException();

    public Task<RouteTable> GetTable() => throw new NotSupportedException();

    public Task Reconcile() => throw new NotSupportedException();

    public Task Move(IReadOnlyList<ContainerMove> moves) => throw new NotSupportedException();

    public Task Hold(IReadOnlyList<ContainerMove> held) => throw new NotSupportedException();

    public Task Stay(IReadOnlyList<string> containers) => throw new NotSupportedException();
}

public sealed class ScriptedHostname(Script script) : Grain, IHostnameGrain
{
    public Task<string?> GetOwner()
    {
        var name = this.GetPrimaryKeyString();
        script.OwnerCalls.AddOrUpdate(name, 1, (_, calls) => calls + 1);
        return Task.FromResult(script.Owners.GetValueOrDefault(name));
    }

    public Task<string> Claim(string app) => throw new NotSupportedException();

    public Task Release(string app) => throw new NotSupportedException();
}

public sealed class ScriptedDirectory(Script script) : Grain, IDirectoryGrain
{
    public Task<IReadOnlyList<string>> GetApiAddresses() => Task.FromResult(script.Api);

    public Task<IReadOnlyList<string>> GetApps() => throw new NotSupportedException();

    public Task<IReadOnlyList<string>> GetRegions() => throw new NotSupportedException();
}
