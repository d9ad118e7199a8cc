using Hosting.Grains.Storage;

namespace Hosting.Storage.Tests;

public sealed class EventLogTests(Postgres postgres) : IAsyncLifetime
{
    private string database = "";

    public async ValueTask InitializeAsync() => database = await postgres.CreateDatabase();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Events_are_read_as_they_were_written_newest_last()
    {
        PlatformEvent[] events = [Event("one") with { App = "shop", Container = "shop-1" }, Event("two") with { Server = "srv-1" }, Event("three")];
        await WriteAll(events);

        await using var stores = new Stores(database);
        var read = (await stores.Events.Read(new EventFilter(), default)).Events;

        Assert.Equal(events, read.Select(e => e with { Id = 0 }));
        Assert.Equal(["two", "three"], Messages(await stores.Events.Read(new() { Limit = 2 }, default)));
        Assert.Equal(["two"], Messages(await stores.Events.Read(new() { After = Behind(read[0]), Limit = 1 }, default)));
        Assert.Equal(["one"], Messages(await stores.Events.Read(new() { App = "shop" }, default)));
        Assert.Equal(["two"], Messages(await stores.Events.Read(new() { Region = "eu-1", Server = "srv-1" }, default)));
    }

    [Fact]
    public async Task A_reader_that_follows_misses_nothing_of_several_writers()
    {
        await using var reader = new Stores(database);
        var writers = Task.WhenAll(Enumerable.Range(0, 4).Select(writer =>
            Task.Run(() => WriteAll([.. Enumerable.Range(0, 1500).Select(i => Event($"{writer}-{i}"))]))));

        var seen = new List<PlatformEvent>();
        var place = EventPlace.None.Past("", 0);
        while (true)
        {
            var over = writers.IsCompleted;
            var next = await reader.Events.Read(new() { After = place, Limit = 10_000 }, default);
            seen.AddRange(next.Events);
            place = next.Next;
            if (over && next.Events.Count == 0)
                break;
        }

        await writers;
        Assert.Equal(6000, seen.Select(e => e.Message).Distinct().Count());
        Assert.Equal(6000, seen.Count);
    }

    [Fact]
    public async Task What_cannot_be_kept_is_dropped_counted_and_said_once()
    {
        var stores = new Stores("Host=127.0.0.1;Port=1;Username=x;Database=x");

        var events = stores.Events;
        for (var i = 0; i < 12_000; i++)
            events.Write(Event("lost"));
        Assert.InRange(events.Dropped, 1, 2_000);
        await stores.DisposeAsync();

        Assert.Equal(12_000, events.Dropped);
        Assert.Single(stores.Log.Warnings);
    }

    [Fact]
    public async Task Messages_that_text_cannot_hold_are_made_to_fit()
    {
        await WriteAll([Event("a\0b"), Event(new string('x', 5000))]);

        await using var stores = new Stores(database);
        var messages = Messages(await stores.Events.Read(new(), default)).ToArray();

        Assert.Equal("a b", messages[0]);
        Assert.Equal(2000, messages[1].Length);
    }

    private async Task WriteAll(PlatformEvent[] events)
    {
        var stores = new Stores(database);
        var log = stores.Events;
        foreach (var e in events)
            log.Write(e);
        await stores.DisposeAsync();
        Assert.Equal(0, log.Dropped);
    }

    private static IEnumerable<string> Messages(EventPage page) => page.Events.Select(e => e.Message);

    private static EventPlace Behind(PlatformEvent e) => EventPlace.None.Past(e.Database, e.Id);

    private static PlatformEvent Event(string message) =>
        new() { At = DateTimeOffset.UnixEpoch, Region = "eu-1", Kind = "test", Message = message };
}
