using Hosting.Grains.Storage;
using Hosting.Placement;
using Hosting.Servers;
using Hosting.Support;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Hosting.Silo.Tests;

/// <summary>
/// Two silos that serve the same regions from one database and know nothing of each other: each has its own activation of
/// a region's placement. What a partition makes for a second lasts here for as long as a test wants.
/// </summary>
public sealed class SplitRegion : IAsyncLifetime
{
    /// <summary>Regions there are: a round takes one for itself.</summary>
    public const int Regions = 40;

    private PostgresServer _postgres = null!;
    private NpgsqlDataSource _source = null!;

    /// <summary>Sides of the partition, by name.</summary>
    internal IReadOnlyDictionary<string, RunningSilo> Sides { get; private set; } = new Dictionary<string, RunningSilo>();

    /// <summary>Name of a region.</summary>
    public static string Region(int number) => $"r-{number}";

    public async ValueTask InitializeAsync()
    {
        _postgres = await PostgresServer.Start(fsync: false);
        var connection = await _postgres.CreateDatabase();
        await Schema.Apply(connection, CancellationToken.None);
        _source = NpgsqlDataSource.Create(connection);
        await Witness();
        var regions = string.Join(',', Enumerable.Range(0, Regions).Select(Region));
        Sides = new Dictionary<string, RunningSilo>
        {
            ["here"] = await RunningSilo.Start(connection, regions, "here"),
            ["there"] = await RunningSilo.Start(connection, regions, "there"),
        };
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var silo in Sides.Values)
            await silo.DisposeAsync();
        await _source.DisposeAsync();
        await _postgres.DisposeAsync();
    }

    /// <summary>The placement of a region, as one side knows it.</summary>
    public IPlacementGrain Placement(string side, string region) => Sides[side].Grains.GetGrain<IPlacementGrain>(region);

    /// <summary>Tells one side of a server whose VMs, not its thresholds, are what runs out.</summary>
    public async Task Connect(string side, string region, string server, IReadOnlyList<VmRecord> vms)
    {
        var capacity = vms.Sum(vm => vm.CpuMillis) * 10;
        var record = new ServerRecord { Region = region, Name = server, CpuMillis = capacity, MemoryMiB = capacity };
        await Sides[side].Services.GetRequiredService<PoolStore>().UpsertServer(record, vms, CancellationToken.None);
        var placement = Placement(side, region);
        await placement.Join(record, vms);
        await placement.Report([new ServerReport(server, new UtilizationReport { SampledAt = DateTimeOffset.UtcNow, Utilization = new(0, 0, 0), Vms = [] })]);
    }

    /// <summary>VMs of a server.</summary>
    public static IReadOnlyList<VmRecord> Vms(string region, string server, params int[] cpuMillis) =>
        [.. cpuMillis.Select((cpu, i) => new VmRecord
        {
            Region = region, Server = server, Name = $"vm-{i + 1}", Driver = "nested", CpuMillis = cpu, MemoryMiB = cpu, Ready = true,
        })];

    /// <summary>The region's epoch as PostgreSQL has it.</summary>
    public async Task<long> Epoch(string region) => (await Read<long>("SELECT placement_epoch FROM region WHERE name = $1", region)).Single();

    /// <summary>Ids of the records that are not over.</summary>
    public Task<List<string>> Live(string region) => Read<string>("SELECT id FROM container WHERE region = $1 AND ended_at IS NULL", region);

    /// <summary>CPU promised of each VM, as <c>server/vm</c> and a number.</summary>
    public async Task<Dictionary<string, long>> Promised(string region) =>
        (await Read<string>("""
            SELECT server || '/' || vm || '=' || sum(cpu_millis) FROM container WHERE region = $1 AND ended_at IS NULL GROUP BY server, vm
            """, region)).Select(row => row.Split('=')).ToDictionary(row => row[0], row => long.Parse(row[1]));

    /// <summary>Epochs in which both sides committed, with the number of records.</summary>
    public Task<List<string>> Shared(string region) =>
        Read<string>("""
            SELECT epoch || ': ' || count(*) FROM witness WHERE region = $1 GROUP BY epoch HAVING count(DISTINCT app) > 1 ORDER BY epoch
            """, region);

    /// <summary>How many changes of the epoch, with commits before and after, went by.</summary>
    public async Task<long> Takeovers() => (await Read<long>("SELECT count(*) - count(DISTINCT region) FROM (SELECT DISTINCT region, epoch FROM witness WHERE region <> $1) w", "")).Single();

    // Who writes a record names its side as the app; what the epoch is at that moment only the database knows.
    private async Task Witness()
    {
        await using var command = _source.CreateCommand("""
            CREATE TABLE witness (region text, app text, epoch bigint);
            CREATE FUNCTION bear_witness() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
              INSERT INTO witness SELECT NEW.region, NEW.app, placement_epoch FROM region WHERE name = NEW.region;
              RETURN NEW;
            END $$;
            CREATE TRIGGER witness AFTER INSERT ON container FOR EACH ROW EXECUTE FUNCTION bear_witness();
            """);
        await command.ExecuteNonQueryAsync();
    }

    private async Task<List<T>> Read<T>(string sql, string region)
    {
        await using var command = _source.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter { Value = region });
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<T>();
        while (await reader.ReadAsync())
            rows.Add(reader.GetFieldValue<T>(0));
        return rows;
    }
}
