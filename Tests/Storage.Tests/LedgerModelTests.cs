using CsCheck;
using Hosting.Placement;
using Npgsql;

namespace Hosting.Storage.Tests;

/// <summary>Random histories of calls, made without waiting for one another, against the model.</summary>
public sealed class LedgerModelTests(Postgres postgres) : IAsyncLifetime
{
    private const int Ids = 6;
    private static readonly Gen<string> Id = Gen.Int[0, Ids - 1].Select(i => $"c{i}");
    private static readonly Gen<ContainerState> Live = Gen.Int[0, 3].Select(i => (ContainerState)i);

    private static readonly Gen<ContainerRecord> Record = Gen.Select(Id, Gen.Int[0, 4], Live, Gen.Bool, Gen.Int[0, 9],
        (id, app, state, healthy, number) => Stores.Container("", id, app == 0 ? "other" : "shop") with
        {
            State = state,
            Healthy = healthy,
            Endpoint = number == 0 ? null : $"10.0.0.1:{number}",
            Reason = number < 3 ? $"reason {number}" : null,
            StartedAt = number < 5 ? null : DateTimeOffset.UnixEpoch.AddSeconds(number),
        });

    private static readonly Gen<ContainerRelease> Release = Gen.Select(Id, Gen.Bool,
        (id, failed) => new ContainerRelease(id, failed ? ContainerState.Failed : ContainerState.Stopped, failed ? "broken" : null));

    // How old the epoch of an insert or end is: mostly the current one.
    private static readonly Gen<int> Age = Gen.Frequency((8, Gen.Const(0)), (1, Gen.Const(1)), (1, Gen.Const(-1)));

    private static readonly Gen<Step> AnyStep = Gen.Frequency(
        (6, Gen.Select(Age, Record, (age, record) => new Step(Kind.Insert, age, [record], []))),
        (8, Gen.Select(Record.Array[1, 5], records => new Step(Kind.Update, 0, records, []))),
        (3, Gen.Select(Age, Release, (age, release) => new Step(Kind.End, age, [], [release]))),
        (1, Gen.Select(Age, Record.Array[1, 4], (age, records) => new Step(Kind.Insert, age, records, []))),
        (1, Gen.Select(Age, Release.Array[1, 4], (age, releases) => new Step(Kind.End, age, [], releases))),
        (1, Gen.Const(new Step(Kind.Raise, 0, [], []))));

    private static int regions;
    private Stores stores = null!;

    private enum Kind
    {
        Insert,
        Update,
        End,
        Raise,
    }

    public async ValueTask InitializeAsync() => stores = new Stores(await postgres.CreateDatabase());

    public ValueTask DisposeAsync() => stores.DisposeAsync();

    [Fact]
    public Task Answers_and_rows_are_those_of_the_calls_made_one_after_the_other() =>
        AnyStep.Array[1, 60].SampleAsync(steps => Agrees($"r{Interlocked.Increment(ref regions)}", steps), iter: 150, threads: 2);

    private async Task<bool> Agrees(string region, Step[] steps)
    {
        var model = new LedgerModel { Epoch = await stores.Pool.RaiseEpoch(region, default) };
        var open = new List<(bool? Expected, Task<bool> Answer)>();
        foreach (var step in steps.Select(step => step.In(region)))
        {
            // Calls of several rows may go to another writer than a row's other calls, so their order is their caller's to keep.
            if (step.IsAlone)
                await Settle(open);
            if (step.Kind == Kind.Raise)
                model.Epoch = await stores.Pool.RaiseEpoch(region, default);
            else
                open.Add((Expect(model, step), Call(region, model.Epoch - step.Age, step)));
            if (step.IsAlone)
                await Settle(open);
        }

        await Settle(open);
        var rows = await stores.Pool.GetContainers(new() { Region = region, IncludeOver = true }, default);
        return rows.OrderBy(row => row.Id).SequenceEqual(model.Rows.Values.OrderBy(row => row.Id));
    }

    private static bool? Expect(LedgerModel model, Step step) => step.Kind switch
    {
        Kind.Insert => model.Insert(model.Epoch - step.Age, step.Records),
        Kind.End => model.End(model.Epoch - step.Age, step.Releases),
        _ => model.Update(step.Records),
    };

    private async Task<bool> Call(string region, long epoch, Step step)
    {
        switch (step.Kind)
        {
            case Kind.Insert:
                return await stores.Deployments.Insert(region, epoch, step.Records, default);
            case Kind.End:
                return await stores.Deployments.End(region, epoch, step.Releases, DateTimeOffset.UnixEpoch, default);
            default:
                await stores.Deployments.Update(step.Records, default);
                return true;
        }
    }

    private static async Task Settle(List<(bool? Expected, Task<bool> Answer)> open)
    {
        foreach (var (expected, answer) in open)
            if (expected is null)
                Assert.Equal(PostgresErrorCodes.UniqueViolation, (await Assert.ThrowsAsync<PostgresException>(() => answer)).SqlState);
            else
                Assert.Equal(expected, await answer);
        open.Clear();
    }

    private sealed record Step(Kind Kind, int Age, ContainerRecord[] Records, ContainerRelease[] Releases)
    {
        public bool IsAlone => Kind == Kind.Raise || (Kind != Kind.Update && Records.Length + Releases.Length > 1);

        /// <summary>The same step on ids that belong to a region alone.</summary>
        public Step In(string region) => this with
        {
            Records = [.. (Kind == Kind.Insert ? Records.DistinctBy(record => record.Id) : Records).Select(
                record => record with { Region = region, Id = $"{region}-{record.Id}" })],
            Releases = [.. Releases.Select(release => release with { Id = $"{region}-{release.Id}" })],
        };
    }
}
