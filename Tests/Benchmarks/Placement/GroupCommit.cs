using Hosting.Grains.Storage;
using Hosting.Placement;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hosting.Benchmarks.Placement;

/// <summary>
/// The floor: the silo's own store writes the same rows to the same PostgreSQL, for as many callers in the same process.
/// No grain, no decision, no network but to the database.
/// </summary>
internal sealed class GroupCommit : IAsyncDisposable
{
    public const string Region = "bare";

    private readonly DeploymentStore _store;
    private readonly Databases _databases;
    private readonly long _epoch;

    private GroupCommit(Databases databases, long epoch) => (_databases, _epoch, _store) =
        (databases, epoch, new DeploymentStore(databases, new StorageOptions(), TimeProvider.System, NullLogger<DeploymentStore>.Instance));

    public static async Task<GroupCommit> Start(string connectionString)
    {
        var databases = new Databases(connectionString);
        return new GroupCommit(databases, await new PoolStore(databases).RaiseEpoch(Region, CancellationToken.None));
    }

    public Task<Measured> Run(int callers, int batch, TimeSpan warmUp, TimeSpan window, Func<ProcessorTimes> times) =>
        new Load(callers, async _ =>
        {
            var rows = new ContainerRecord[batch];
            for (var i = 0; i < rows.Length; i++)
                rows[i] = Row();
            if (!await _store.Insert(Region, _epoch, rows, CancellationToken.None))
                throw new PreconditionException("somebody else writes to the benchmark's database.");
            return batch;
        }).Run(warmUp, window, times);

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        await _databases.DisposeAsync();
    }

    private static ContainerRecord Row()
    {
        var (app, server) = (Demands.App(), Random.Shared.Next(25_000));
        return new ContainerRecord
        {
            Id = $"{app}-{Random.Shared.GetString("0123456789abcdefghjkmnpqrstvwxyz", 8)}",
            App = app,
            Revision = 1,
            Region = Region,
            Server = $"srv-{server}",
            Vm = $"vm-{1 + server % BenchRegion.VmsPerServer}",
            Demand = Demands.Some(),
            State = ContainerState.Placed,
            CreatedAt = TimeProvider.System.GetUtcNow(),
        };
    }
}
