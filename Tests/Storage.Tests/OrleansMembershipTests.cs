using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Hosting.Storage.Tests;

/// <summary>Orleans' own ADO.NET membership table on our tables and statements.</summary>
public sealed class OrleansMembershipTests(Postgres postgres) : IAsyncLifetime
{
    private string database = "";
    private IHost host = null!;
    private IMembershipTable table = null!;

    public async ValueTask InitializeAsync()
    {
        database = await postgres.CreateDatabase();
        // Not started: only its membership table is used.
        host = OrleansHost.Build(database, "cluster");
        table = host.Services.GetRequiredService<IMembershipTable>();
        await table.InitializeMembershipTableAsync(true);
    }

    public ValueTask DisposeAsync()
    {
        host.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task An_inserted_member_is_read_back_whole()
    {
        var entry = Member(1);

        Assert.True(await table.InsertRowAsync(entry, await Next()));

        var (row, version) = await Read(entry);
        Assert.Equal(1, version);
        Assert.Equal(entry.SiloAddress, row!.SiloAddress);
        Assert.Equal((entry.Status, entry.HostName, entry.SiloName, entry.ProxyPort), (row.Status, row.HostName, row.SiloName, row.ProxyPort));
        Assert.Equal((entry.StartTime, entry.IAmAliveTime), (row.StartTime, row.IAmAliveTime));
    }

    [Fact]
    public async Task A_member_that_is_not_there_still_answers_the_version()
    {
        await table.InsertRowAsync(Member(1), await Next());

        var data = await table.ReadRowAsync(Member(2).SiloAddress);

        Assert.Empty(data.Members);
        Assert.Equal(1, data.Version.Version);
    }

    [Fact]
    public async Task An_empty_cluster_has_version_zero_and_initializing_again_keeps_what_is_there()
    {
        Assert.Equal(0, (await table.ReadAllAsync()).Version.Version);

        await table.InsertRowAsync(Member(1), await Next());
        await table.InitializeMembershipTableAsync(true);

        Assert.Single((await table.ReadAllAsync()).Members);
    }

    [Fact]
    public async Task A_stale_insert_changes_nothing()
    {
        var stale = await Next();
        await table.InsertRowAsync(Member(1), stale);

        Assert.False(await table.InsertRowAsync(Member(2), stale));

        Assert.Equal(1, (await table.ReadAllAsync()).Version.Version);
        Assert.Single((await table.ReadAllAsync()).Members);
    }

    [Fact]
    public async Task Inserting_a_member_twice_changes_nothing()
    {
        await table.InsertRowAsync(Member(1), await Next());

        Assert.False(await table.InsertRowAsync(Member(1, status: SiloStatus.Dead), await Next()));

        var (row, version) = await Read(Member(1));
        Assert.Equal((SiloStatus.Active, 1), (row!.Status, version));
    }

    [Fact]
    public async Task An_update_changes_status_and_suspicions_and_raises_the_version()
    {
        var entry = Member(1);
        await table.InsertRowAsync(entry, await Next());
        var suspected = Member(1, status: SiloStatus.Dead);
        suspected.AddSuspector(Member(2).SiloAddress, new DateTime(2025, 1, 1, 0, 0, 0, DateTimeKind.Utc));

        Assert.True(await Update(suspected, await Next()));

        var (row, version) = await Read(entry);
        Assert.Equal((SiloStatus.Dead, 2), (row!.Status, version));
        Assert.Equal(Member(2).SiloAddress, Assert.Single(row.SuspectTimes!).Item1);
    }

    [Fact]
    public async Task A_stale_update_changes_nothing()
    {
        await table.InsertRowAsync(Member(1), await Next());
        var stale = await Next();
        await table.InsertRowAsync(Member(2), await Next());

        Assert.False(await Update(Member(1, status: SiloStatus.Dead), stale));

        var (row, version) = await Read(Member(1));
        Assert.Equal((SiloStatus.Active, 2), (row!.Status, version));
    }

    [Fact]
    public async Task Updating_a_member_that_is_not_there_changes_nothing()
    {
        await table.InsertRowAsync(Member(1), await Next());

        Assert.False(await Update(Member(2), await Next()));

        Assert.Equal(1, (await table.ReadAllAsync()).Version.Version);
    }

    [Fact]
    public async Task Of_writers_with_the_same_version_one_wins()
    {
        for (var round = 0; round < 10; round++)
        {
            await table.InsertRowAsync(Member(1000 + round), await Next());
            var next = await Next();
            var version = next.Version;

            var wins = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => i % 2 == 0
                ? table.InsertRowAsync(Member((round * 100) + i + 1), next)
                : Update(Member(1000 + round, status: SiloStatus.ShuttingDown), next)));

            Assert.Single(wins, won => won);
            Assert.Equal(version, (await table.ReadAllAsync()).Version.Version);
        }
    }

    [Fact]
    public async Task A_sign_of_life_raises_no_version_and_is_lost_by_no_update()
    {
        var entry = Member(1);
        await table.InsertRowAsync(entry, await Next());
        var alive = Member(1);
        alive.IAmAliveTime = entry.IAmAliveTime.AddMinutes(5);

        await table.UpdateIAmAliveAsync(alive);

        var (row, version) = await Read(entry);
        Assert.Equal((alive.IAmAliveTime, 1), (row!.IAmAliveTime, version));
    }

    [Fact]
    public async Task Signs_of_life_do_not_disturb_updates()
    {
        await table.InsertRowAsync(Member(1), await Next());

        for (var round = 0; round < 30; round++)
        {
            var update = Update(Member(1), await Next());
            await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => table.UpdateIAmAliveAsync(Member(1))));
            Assert.True(await update);
        }

        Assert.Equal(31, (await table.ReadAllAsync()).Version.Version);
    }

    [Fact]
    public async Task Cleaning_up_deletes_old_members_that_are_not_active()
    {
        await table.InsertRowAsync(Member(1), await Next());
        await table.InsertRowAsync(Member(2, status: SiloStatus.Dead), await Next());
        var recent = Member(3, status: SiloStatus.Dead);
        recent.IAmAliveTime = recent.IAmAliveTime.AddDays(2);
        await table.InsertRowAsync(recent, await Next());

        await table.CleanupDefunctSiloEntriesAsync(new DateTimeOffset(recent.IAmAliveTime).AddDays(-1));

        var left = (await table.ReadAllAsync()).Members.Select(member => member.Item1.SiloAddress.Generation).Order();
        Assert.Equal([1, 3], left);
    }

    [Fact]
    public async Task Deleting_a_cluster_leaves_the_others()
    {
        using var other = OrleansHost.Build(database, "other");
        var others = other.Services.GetRequiredService<IMembershipTable>();
        await others.InitializeMembershipTableAsync(true);
        await others.InsertRowAsync(Member(7), (await others.ReadAllAsync()).Version.Next());
        await table.InsertRowAsync(Member(1), await Next());

        await table.DeleteMembershipTableEntriesAsync("cluster");
        await table.InitializeMembershipTableAsync(true);

        Assert.Empty((await table.ReadAllAsync()).Members);
        Assert.Single((await others.ReadAllAsync()).Members);
    }

    private async Task<TableVersion> Next() => (await table.ReadAllAsync()).Version.Next();

    // This provider takes the table's version for the row's tag.
    private Task<bool> Update(MembershipEntry entry, TableVersion next) => table.UpdateRowAsync(entry, next.VersionEtag, next);

    private async Task<(MembershipEntry? Entry, int Version)> Read(MembershipEntry entry)
    {
        var data = await table.ReadRowAsync(entry.SiloAddress);
        return (data.Members.SingleOrDefault()?.Item1, data.Version.Version);
    }

    private static MembershipEntry Member(int generation, SiloStatus status = SiloStatus.Active) => new()
    {
        SiloAddress = SiloAddress.New(IPAddress.Loopback, 11111, generation),
        HostName = "host",
        SiloName = $"silo-{generation}",
        Status = status,
        ProxyPort = 30000,
        StartTime = new DateTime(2025, 1, 1, 0, 0, 0, 123, DateTimeKind.Utc),
        IAmAliveTime = new DateTime(2025, 1, 1, 0, 1, 0, 456, DateTimeKind.Utc),
        SuspectTimes = [],
    };
}
