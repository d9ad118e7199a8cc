using Hosting.Grains.Storage;
using Hosting.Support;
using static Hosting.Storage.Tests.Stores;

namespace Hosting.Storage.Tests;

/// <summary>On a cluster of its own, which is killed in the middle of a stream of writes.</summary>
public sealed class CrashTests : IAsyncLifetime
{
    private const string Region = "eu-1";
    private PostgresServer server = null!;
    private string database = "";

    public async ValueTask InitializeAsync()
    {
        server = await PostgresServer.Start();
        database = await server.CreateDatabase();
        await Schema.Apply(database, CancellationToken.None);
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task Callers_ride_out_a_crash_and_what_was_acknowledged_is_there()
    {
        await using var stores = new Stores(database, TimeSpan.FromSeconds(60));
        var epoch = await stores.Pool.RaiseEpoch(Region, default);
        var stream = new WriteStream(stores, Region, epoch, callers: 48);

        for (var crash = 0; crash < 3; crash++)
        {
            await stream.Reaches(300 * (crash + 1));
            await server.Kill();
            await server.StartProcess();
        }

        var before = stream.Acknowledged.Count;
        await stream.Reaches(before + 300);
        await stream.Stop();

        Assert.Empty(stream.Failures);
        Assert.Empty(stream.Refused);
        var rows = (await RegionSnapshot.Load(stores.Pool, Region)).Containers.Select(record => record.Id).ToHashSet();
        Assert.Equal(stream.Acknowledged.ToHashSet(), rows);
        Assert.True(stores.Log.Warnings.Count > 0);
    }

    [Fact]
    public async Task Callers_are_told_clearly_when_it_does_not_come_back_in_time()
    {
        await using var stores = new Stores(database, TimeSpan.FromMilliseconds(500));
        var epoch = await stores.Pool.RaiseEpoch(Region, default);
        var stream = new WriteStream(stores, Region, epoch, callers: 32);

        await stream.Reaches(300);
        await server.Kill();
        await stream.Fails(100);
        await server.StartProcess();
        await stream.Reaches(stream.Acknowledged.Count + 300);
        await stream.Stop();

        Assert.All(stream.Failures, failure => Assert.IsType<StorageUnavailableException>(failure));
        Assert.Empty(stream.Refused);
        var rows = (await RegionSnapshot.Load(stores.Pool, Region)).Containers.Select(record => record.Id).ToHashSet();
        Assert.Superset(stream.Acknowledged.ToHashSet(), rows);
    }
}

/// <summary>Callers that each insert one record after the other until they are stopped.</summary>
internal sealed class WriteStream
{
    private readonly Lock gate = new();
    private readonly List<string> acknowledged = [];
    private readonly List<string> refused = [];
    private readonly List<Exception> failures = [];
    private readonly Task[] callers;
    private TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool stopping;

    public WriteStream(Stores stores, string region, long epoch, int callers) =>
        this.callers = [.. Enumerable.Range(0, callers).Select(caller => Run(stores, region, epoch, caller))];

    public List<string> Acknowledged => Copy(acknowledged);

    public List<string> Refused => Copy(refused);

    public List<Exception> Failures => Copy(failures);

    public Task Reaches(int count) => Until(() => acknowledged.Count >= count);

    public Task Fails(int count) => Until(() => failures.Count >= count);

    public Task Stop()
    {
        stopping = true;
        return Task.WhenAll(callers);
    }

    private async Task Until(Func<bool> condition)
    {
        while (true)
        {
            Task change;
            lock (gate)
            {
                if (condition())
                    return;
                change = changed.Task;
            }

            await change.WaitAsync(TimeSpan.FromSeconds(60));
        }
    }

    private async Task Run(Stores stores, string region, long epoch, int caller)
    {
        await Task.Yield();
        for (var i = 0; !stopping; i++)
        {
            var id = $"{caller}-{i}";
            try
            {
                var accepted = await stores.Deployments.Insert(region, epoch, [Container(region, id)], default);
                Note(() => (accepted ? acknowledged : refused).Add(id));
            }
            catch (Exception e)
            {
                Note(() => failures.Add(e));
            }
        }
    }

    private void Note(Action what)
    {
        TaskCompletionSource before;
        lock (gate)
        {
            what();
            (before, changed) = (changed, new(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        before.SetResult();
    }

    private List<T> Copy<T>(List<T> list)
    {
        lock (gate)
            return [.. list];
    }
}
