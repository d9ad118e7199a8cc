using Hosting.Placement;
using Hosting.Regions;
using Hosting.Servers;
using Npgsql;

namespace Hosting.Benchmarks.Placement;

/// <summary>A region of equal servers with four VMs each, large enough for everything that one row of the table places.</summary>
internal sealed class BenchRegion(IGrainFactory? grains, string name, int servers)
{
    public const int VmsPerServer = 4;

    private const int ServerCpu = 256_000;
    private const int ServerMemory = 1_048_576;
    private const int JoinsAtOnce = 64;

    public string Name => name;

    public int Servers => servers;

    /// <summary>One reference for all calls: making one costs more than a call.</summary>
    public IPlacementGrain Placement { get; } = grains?.GetGrain<IPlacementGrain>(name)!;

    /// <summary>How often each server is heard from. Those of the largest region report more often than they would have to: silent for 3 s they take nothing.</summary>
    public TimeSpan ReportEvery => servers <= 10_000 ? TimeSpan.FromMilliseconds(500) : TimeSpan.FromMilliseconds(2000);

    /// <summary>Its servers and VMs in the database.</summary>
    public async Task Insert(NpgsqlDataSource source)
    {
        await using var command = source.CreateCommand($"""
            WITH servers AS (
              INSERT INTO server (region, name, cpu_millis, memory_mib)
              SELECT '{name}', 'srv-' || n, {ServerCpu}, {ServerMemory} FROM generate_series(0, {servers - 1}) n RETURNING region, name)
            INSERT INTO vm (region, server, name, driver, cpu_millis, memory_mib)
            SELECT region, name, 'vm-' || n, 'nested', {ServerCpu / VmsPerServer}, {ServerMemory / VmsPerServer}
            FROM servers, generate_series(1, {VmsPerServer}) n
            """);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Servers' grains that hear of no agent must not take their servers for lost.</summary>
    public Task KeepSilent() => grains!.GetGrain<IRegionGrain>(name).Configure(new RegionPatch { LostAfterSeconds = 86_400 });

    /// <summary>Every agent connects, as far as the matching is concerned; their servers' grains hear of none.</summary>
    public async Task Join()
    {
        await KeepSilent();
        foreach (var chunk in Enumerable.Range(0, servers).Chunk(JoinsAtOnce))
            await Task.WhenAll(chunk.Select(server => Placement.Join(Server(server), Vms(server))));
    }

    public ServerRecord Server(int server) =>
        new() { Region = name, Name = $"srv-{server}", CpuMillis = ServerCpu, MemoryMiB = ServerMemory };

    public List<VmRecord> Vms(int server) => [.. Enumerable.Range(1, VmsPerServer).Select(vm => new VmRecord
    {
        Region = name,
        Server = $"srv-{server}",
        Name = $"vm-{vm}",
        Driver = "nested",
        CpuMillis = ServerCpu / VmsPerServer,
        MemoryMiB = ServerMemory / VmsPerServer,
        Ready = true,
    })];
}
