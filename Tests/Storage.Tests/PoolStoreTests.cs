using Hosting.Grains.Storage;
using Hosting.Placement;
using Hosting.Servers;
using static Hosting.Storage.Tests.Stores;

namespace Hosting.Storage.Tests;

public sealed class PoolStoreTests(Postgres postgres) : IAsyncLifetime
{
    private const string Region = "eu-1";
    private Stores stores = null!;

    public async ValueTask InitializeAsync()
    {
        stores = new Stores(await postgres.CreateDatabase());
        await stores.Pool.AddRegions([Region, "us-1"]);
    }

    public ValueTask DisposeAsync() => stores.DisposeAsync();

    [Fact]
    public async Task Regions_are_added_once_and_their_epochs_only_grow()
    {
        var first = await stores.Pool.RaiseEpoch(Region, default);
        await stores.Pool.AddRegions(["ap-1", Region]);

        Assert.Equal(first + 1, await stores.Pool.RaiseEpoch(Region, default));
        Assert.Equal(["ap-1", "eu-1", "us-1"], await stores.Pool.GetRegions());
    }

    [Fact]
    public async Task A_server_is_read_as_it_was_stored()
    {
        var hello = Server("srv-1") with { Labels = new Dictionary<string, string> { ["disk"] = "ssd", ["rack"] = "\"7\"" } };

        var stored = await stores.Pool.UpsertServer(hello, [Vm("srv-1", "vm-2"), Vm("srv-1", "vm-1")], default);

        Assert.Equivalent(hello, stored, strict: true);
        Assert.Equivalent(hello, await stores.Pool.GetServer(Region, "srv-1", default), strict: true);
        Assert.Equal([Vm("srv-1", "vm-1"), Vm("srv-1", "vm-2")], await stores.Pool.GetVms(Region, "srv-1", default));
        Assert.Equal(["srv-1"], await stores.Pool.GetServers(Region, default));
        Assert.Empty(await stores.Pool.GetServers("us-1", default));
        Assert.Null(await stores.Pool.GetServer("us-1", "srv-1", default));
    }

    [Fact]
    public async Task An_agents_hello_keeps_the_operators_policy()
    {
        await stores.Pool.UpsertServer(Server("srv-1"), [], default);
        var policy = await stores.Pool.SetServerPolicy(Region, "srv-1", true, true, new Thresholds(0.5, 0.7), default);

        var stored = await stores.Pool.UpsertServer(Server("srv-1") with { CpuMillis = 9000 }, [], default);

        Assert.Equal((true, true, new Thresholds(0.5, 0.7)), (policy!.Cordoned, policy.Draining, policy.Thresholds));
        Assert.Equal((9000, true, true, new Thresholds(0.5, 0.7)), (stored.CpuMillis, stored.Cordoned, stored.Draining, stored.Thresholds));
        Assert.Null((await stores.Pool.SetServerPolicy(Region, "srv-1", false, false, null, default))!.Thresholds);
        Assert.Null(await stores.Pool.SetServerPolicy(Region, "srv-2", false, false, null, default));
    }

    [Fact]
    public async Task A_vm_keeps_the_operators_policy_for_as_long_as_it_is_named()
    {
        await stores.Pool.UpsertServer(Server("srv-1"), [Vm("srv-1", "vm-1"), Vm("srv-1", "vm-2")], default);

        var draining = await stores.Pool.SetVmPolicy(Region, "srv-1", "vm-1", true, true, default);
        await stores.Pool.UpsertServer(Server("srv-1"), [Vm("srv-1", "vm-1"), Vm("srv-1", "vm-2")], default);

        Assert.Equal((true, true), (draining!.Cordoned, draining.Draining));
        Assert.Equal([(true, true), (false, false)], (await stores.Pool.GetVms(Region, "srv-1", default)).Select(vm => (vm.Cordoned, vm.Draining)));
        Assert.True((await RegionSnapshot.Load(stores.Pool, Region)).Vms[0].Draining);
        Assert.Null(await stores.Pool.SetVmPolicy(Region, "srv-1", "vm-3", true, false, default));
    }

    [Fact]
    public async Task Vms_no_longer_named_go_unless_a_container_is_on_them()
    {
        await stores.Pool.UpsertServer(Server("srv-1"), [Vm("srv-1", "used"), Vm("srv-1", "over"), Vm("srv-1", "empty")], default);
        await stores.Pool.UpsertServer(Server("srv-2"), [Vm("srv-2", "empty")], default);
        var epoch = await stores.Pool.RaiseEpoch(Region, default);
        await stores.Deployments.Insert(Region, epoch, [Container(Region, "a", vm: "used"), Container(Region, "b", vm: "over")], default);
        await stores.Deployments.End(Region, epoch, [new("b", ContainerState.Stopped, null)], DateTimeOffset.UnixEpoch, default);

        await stores.Pool.UpsertServer(Server("srv-1"), [Vm("srv-1", "new")], default);

        Assert.Equal(["new", "used"], (await stores.Pool.GetVms(Region, "srv-1", default)).Select(vm => vm.Name));
        Assert.Single(await stores.Pool.GetVms(Region, "srv-2", default));
    }

    [Fact]
    public async Task A_server_of_an_unknown_region_is_refused_clearly()
    {
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(
            () => stores.Pool.UpsertServer(Server("srv-1") with { Region = "mars" }, [], default));

        Assert.Contains("There is no region mars", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Containers_are_found_by_what_they_belong_to_newest_first()
    {
        var epoch = await stores.Pool.RaiseEpoch(Region, default);
        var records = Enumerable.Range(0, 12).Select(i =>
            Container(Region, $"c{i:00}", app: i % 2 == 0 ? "even" : "odd", server: $"srv-{i % 3}", vm: $"vm-{i % 4}")
                with { CreatedAt = DateTimeOffset.UnixEpoch.AddHours(i) }).ToArray();
        await stores.Deployments.Insert(Region, epoch, records, default);
        await stores.Deployments.End(Region, epoch, [new("c02", ContainerState.Failed, "x")], DateTimeOffset.UnixEpoch, default);

        async Task<IEnumerable<string>> Find(ContainerFilter filter) =>
            (await stores.Pool.GetContainers(filter, default)).Select(record => record.Id);

        Assert.Equal(["c10", "c08", "c06", "c04", "c00"], await Find(new() { App = "even" }));
        Assert.Equal(["c10", "c08"], await Find(new() { App = "even", Limit = 2 }));
        Assert.Equal(["c04", "c02", "c00"], (await Find(new() { App = "even", IncludeOver = true })).TakeLast(3));
        Assert.Equal(["c04"], await Find(new() { Region = Region, Server = "srv-1", Vm = "vm-0" }));
        Assert.Empty(await Find(new() { Region = "us-1" }));
        Assert.Equal(11, (await Find(new())).Count());
    }

    [Fact]
    public async Task Pruning_takes_old_ended_records_and_events_only()
    {
        var epoch = await stores.Pool.RaiseEpoch(Region, default);
        await stores.Deployments.Insert(Region, epoch, [.. Enumerable.Range(0, 10).Select(i => Container(Region, $"c{i}"))], default);
        for (var i = 0; i < 8; i++)
            await stores.Deployments.End(
                Region, epoch, [new($"c{i}", ContainerState.Stopped, null)], DateTimeOffset.UnixEpoch.AddHours(i), default);

        async Task<IEnumerable<string>> Left() =>
            (await stores.Pool.GetContainers(new() { IncludeOver = true }, default)).Select(record => record.Id).Order();

        Assert.Equal(3, await stores.Pool.Prune(DateTimeOffset.UnixEpoch.AddHours(3), 100, DateTimeOffset.UnixEpoch, default));
        Assert.Equal(["c3", "c4", "c5", "c6", "c7", "c8", "c9"], await Left());
        Assert.Equal(3, await stores.Pool.Prune(DateTimeOffset.UnixEpoch, 2, DateTimeOffset.UnixEpoch, default));
        Assert.Equal(["c6", "c7", "c8", "c9"], await Left());
    }

    [Fact]
    public async Task A_large_region_is_loaded_whole()
    {
        const int count = 60_000;
        await stores.Pool.UpsertServer(Server("srv-1"), [Vm("srv-1", "vm-1")], default);
        var epoch = await stores.Pool.RaiseEpoch(Region, default);
        var records = Enumerable.Range(0, count)
            .Select(i => Container(Region, $"c{i}", app: $"app-{i % 1000}", server: $"srv-{i % 500}")).ToArray();
        await Task.WhenAll(records.Chunk(5_000).Select(chunk => stores.Deployments.Insert(Region, epoch, chunk, default)));
        await stores.Deployments.End(Region, epoch, [new("c7", ContainerState.Stopped, null)], DateTimeOffset.UnixEpoch, default);

        var snapshot = await RegionSnapshot.Load(stores.Pool, Region);

        Assert.Equal(count - 1, snapshot.Containers.Count);
        Assert.Equal(records.Where(record => record.Id != "c7").ToHashSet(), snapshot.Containers.ToHashSet());
        Assert.Equal("srv-1", Assert.Single(snapshot.Servers).Name);
        Assert.Equal(Vm("srv-1", "vm-1"), Assert.Single(snapshot.Vms));
        Assert.Empty((await RegionSnapshot.Load(stores.Pool, "us-1")).Containers);
    }

    private static ServerRecord Server(string name) => new() { Region = Region, Name = name, CpuMillis = 4000, MemoryMiB = 8192 };

    private static VmRecord Vm(string server, string name) =>
        new() { Region = Region, Server = server, Name = name, Driver = "nested", CpuMillis = 1000, MemoryMiB = 512 };
}
